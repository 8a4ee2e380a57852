using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal.Endpoints.StandardLibrary;

namespace Amazon.RDS.Internal;

/// <summary>Where the service is: a named endpoint, else the region's, in the partition that the region belongs to.</summary>
public class AmazonRDSEndpointProvider : IEndpointProvider
{
    /// <inheritdoc/>
    public Endpoint ResolveEndpoint(EndpointParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var isFips = parameters["UseFIPS"] is true;
        var isDualStack = parameters["UseDualStack"] is true;
        if (parameters["Endpoint"] is string { Length: > 0 } named)
        {
            return isFips || isDualStack
                ? throw new AmazonClientException($"Invalid Configuration: {(isFips ? "FIPS" : "Dualstack")} and custom endpoint are not supported")
                : new Endpoint(named);
        }

        if (parameters["Region"] is not string { Length: > 0 } region || Fn.Partition(region) is not { } partition)
        {
            throw new AmazonClientException("Invalid Configuration: Missing Region");
        }

        if (isFips && partition["supportsFIPS"] is not true)
        {
            throw new AmazonClientException("FIPS is enabled but this partition does not support FIPS");
        }

        if (isDualStack && partition["supportsDualStack"] is not true)
        {
            throw new AmazonClientException("DualStack is enabled but this partition does not support DualStack");
        }

        var isGovernment = partition["name"] is "aws-us-gov";
        return new Endpoint($"https://{(isFips && !isGovernment ? "rds-fips" : "rds")}.{region}.{partition[isDualStack ? "dualStackDnsSuffix" : "dnsSuffix"]}");
    }
}
