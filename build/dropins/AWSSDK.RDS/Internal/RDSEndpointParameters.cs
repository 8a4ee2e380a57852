using Amazon.Runtime.Endpoints;

namespace Amazon.RDS.Endpoints;

/// <summary>What an endpoint is chosen by.</summary>
public class RDSEndpointParameters : EndpointParameters
{
    /// <summary>Both are off unless said.</summary>
    public RDSEndpointParameters()
    {
        UseDualStack = false;
        UseFIPS = false;
    }

    /// <summary>The region, such as <c>eu-central-1</c>.</summary>
    public string Region
    {
        get => (string)this[nameof(Region)];
        set => this[nameof(Region)] = value;
    }

    /// <summary>An endpoint that answers to IPv6 as well.</summary>
    public bool? UseDualStack
    {
        get => (bool?)this[nameof(UseDualStack)];
        set => this[nameof(UseDualStack)] = value;
    }

    /// <summary>An endpoint with validated cryptography.</summary>
    public bool? UseFIPS
    {
        get => (bool?)this[nameof(UseFIPS)];
        set => this[nameof(UseFIPS)] = value;
    }

    /// <summary>A named endpoint.</summary>
    public string Endpoint
    {
        get => (string)this[nameof(Endpoint)];
        set => this[nameof(Endpoint)] = value;
    }
}
