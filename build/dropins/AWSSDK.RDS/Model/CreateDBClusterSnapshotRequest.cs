using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Asks for a snapshot of a cluster.</summary>
public partial class CreateDBClusterSnapshotRequest : AmazonRDSRequest
{
    public string DBClusterIdentifier { get; set; }

    public string DBClusterSnapshotIdentifier { get; set; }

    public List<Tag> Tags { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal override void Write(QueryForm form) => form
        .Add("DBClusterIdentifier", DBClusterIdentifier)
        .Add("DBClusterSnapshotIdentifier", DBClusterSnapshotIdentifier)
        .Add("Tags", Tags);
}
