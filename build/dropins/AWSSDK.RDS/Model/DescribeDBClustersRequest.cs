using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Asks for clusters.</summary>
public partial class DescribeDBClustersRequest : AmazonRDSRequest
{
    public string DBClusterIdentifier { get; set; }

    public List<Filter> Filters { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string Marker { get; set; }

    public int? MaxRecords { get; set; }

    internal override void Write(QueryForm form) => form
        .Add("DBClusterIdentifier", DBClusterIdentifier)
        .Add("Filters", Filters)
        .Add("Marker", Marker)
        .Add("MaxRecords", MaxRecords);
}
