using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Asks for instances.</summary>
public partial class DescribeDBInstancesRequest : AmazonRDSRequest
{
    public string DBInstanceIdentifier { get; set; }

    public List<Filter> Filters { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string Marker { get; set; }

    public int? MaxRecords { get; set; }

    internal override void Write(QueryForm form) => form
        .Add("DBInstanceIdentifier", DBInstanceIdentifier)
        .Add("Filters", Filters)
        .Add("Marker", Marker)
        .Add("MaxRecords", MaxRecords);
}
