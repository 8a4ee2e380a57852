using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS;

/// <summary>What every request to the service has in common.</summary>
public partial class AmazonRDSRequest : AmazonWebServiceRequest
{
    internal virtual void Write(QueryForm form)
    {
    }
}
