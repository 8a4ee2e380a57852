using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Asks for the account's quotas.</summary>
public partial class DescribeAccountAttributesRequest : AmazonRDSRequest
{
}
