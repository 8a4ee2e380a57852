using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Asks for clusters' snapshots.</summary>
public partial class DescribeDBClusterSnapshotsRequest : AmazonRDSRequest
{
    public string DBClusterIdentifier { get; set; }

    public string DBClusterSnapshotIdentifier { get; set; }

    public List<Filter> Filters { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string Marker { get; set; }

    public int? MaxRecords { get; set; }

    public string SnapshotType { get; set; }

    internal override void Write(QueryForm form) => form
        .Add("DBClusterIdentifier", DBClusterIdentifier)
        .Add("DBClusterSnapshotIdentifier", DBClusterSnapshotIdentifier)
        .Add("Filters", Filters)
        .Add("Marker", Marker)
        .Add("MaxRecords", MaxRecords)
        .Add("SnapshotType", SnapshotType);
}
