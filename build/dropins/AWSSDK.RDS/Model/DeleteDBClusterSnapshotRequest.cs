using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Deletes a cluster's snapshot.</summary>
public partial class DeleteDBClusterSnapshotRequest : AmazonRDSRequest
{
    public string DBClusterSnapshotIdentifier { get; set; }

    internal override void Write(QueryForm form) => form
        .Add("DBClusterSnapshotIdentifier", DBClusterSnapshotIdentifier);
}
