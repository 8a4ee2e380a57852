using Amazon.RDS.Internal;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Util.Internal;

namespace Amazon.RDS;

/// <summary>How the service is reached; whatever is not set here comes from the SDK's own sources (environment, profile).</summary>
public partial class AmazonRDSConfig : ClientConfig
{
    private static readonly string Agent = InternalSDKUtils.BuildUserAgentString("RDS", "4.0.14");
    private static readonly AmazonRDSEndpointResolver Resolver = new();

    /// <summary>A configuration with the SDK's defaults.</summary>
    public AmazonRDSConfig()
        : base(new DefaultConfigurationProvider(AmazonRDSDefaultConfiguration.GetAllConfigurations()))
    {
        base.ServiceId = ServiceId;
        AuthenticationServiceName = "rds";
        EndpointProvider = new AmazonRDSEndpointProvider();
    }

    /// <summary>The service's id: <c>AWS_ENDPOINT_URL_RDS</c> ends in it.</summary>
    public static new string ServiceId => "RDS";

    /// <inheritdoc/>
    public override string RegionEndpointServiceName => "rds";

    /// <inheritdoc/>
    public override string ServiceVersion => "2014-10-31";

    /// <inheritdoc/>
    public override string UserAgent => Agent;

    /// <inheritdoc/>
    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters)
    {
        var context = new RequestContext(false)
        {
            ClientConfig = this,
            OriginalRequest = parameters.Request,
            Request = new DefaultRequest(parameters.Request, ServiceId) { AlternateEndpoint = parameters.AlternateEndpoint },
        };
        return Resolver.GetEndpoint(new Amazon.Runtime.Internal.ExecutionContext(context, null));
    }
}
