using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Deletes an instance's snapshot.</summary>
public partial class DeleteDBSnapshotRequest : AmazonRDSRequest
{
    public string DBSnapshotIdentifier { get; set; }

    internal override void Write(QueryForm form) => form
        .Add("DBSnapshotIdentifier", DBSnapshotIdentifier);
}
