using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Asks for instances' snapshots.</summary>
public partial class DescribeDBSnapshotsRequest : AmazonRDSRequest
{
    public string DBInstanceIdentifier { get; set; }

    public string DBSnapshotIdentifier { get; set; }

    public List<Filter> Filters { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string Marker { get; set; }

    public int? MaxRecords { get; set; }

    public string SnapshotType { get; set; }

    internal override void Write(QueryForm form) => form
        .Add("DBInstanceIdentifier", DBInstanceIdentifier)
        .Add("DBSnapshotIdentifier", DBSnapshotIdentifier)
        .Add("Filters", Filters)
        .Add("Marker", Marker)
        .Add("MaxRecords", MaxRecords)
        .Add("SnapshotType", SnapshotType);
}
