using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Asks for a snapshot of an instance.</summary>
public partial class CreateDBSnapshotRequest : AmazonRDSRequest
{
    public string DBInstanceIdentifier { get; set; }

    public string DBSnapshotIdentifier { get; set; }

    public List<Tag> Tags { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal override void Write(QueryForm form) => form
        .Add("DBInstanceIdentifier", DBInstanceIdentifier)
        .Add("DBSnapshotIdentifier", DBSnapshotIdentifier)
        .Add("Tags", Tags);
}
