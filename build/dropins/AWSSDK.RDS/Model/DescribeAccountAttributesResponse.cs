using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="DescribeAccountAttributesRequest"/>.</summary>
public partial class DescribeAccountAttributesResponse : AmazonWebServiceResponse
{
    public List<AccountQuota> AccountQuotas { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal void Read(XElement xml)
    {
        AccountQuotas = xml.List("AccountQuotas", "AccountQuota", AccountQuota.Read);
    }
}
