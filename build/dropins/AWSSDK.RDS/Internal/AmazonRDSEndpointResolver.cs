using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Util;

namespace Amazon.RDS.Internal;

/// <summary>Hands the endpoint provider what the configuration and the request say.</summary>
public class AmazonRDSEndpointResolver : BaseEndpointResolver
{
    /// <inheritdoc/>
    protected override void ServiceSpecificHandler(IExecutionContext executionContext, EndpointParameters parameters) => InjectHostPrefix(executionContext.RequestContext);

    /// <inheritdoc/>
    protected override EndpointParameters MapEndpointsParameters(IRequestContext requestContext)
    {
        var config = (AmazonRDSConfig)requestContext.ClientConfig;
        var region = requestContext.Request.AlternateEndpoint?.SystemName ?? config.RegionEndpoint?.SystemName;
        if (region is null && !string.IsNullOrEmpty(config.ServiceURL))
        {
            region = !string.IsNullOrEmpty(config.AuthenticationRegion) ? config.AuthenticationRegion : AWSSDKUtils.DetermineRegion(config.ServiceURL);
        }

        return new Amazon.RDS.Endpoints.RDSEndpointParameters { Region = region, UseDualStack = config.UseDualstackEndpoint, UseFIPS = config.UseFIPSEndpoint, Endpoint = config.ServiceURL };
    }
}
