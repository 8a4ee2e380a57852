using Amazon.Runtime;

namespace Amazon.RDS;

/// <summary>The defaults of each of the SDK's modes (<c>AWS_DEFAULTS_MODE</c>).</summary>
public static class AmazonRDSDefaultConfiguration
{
    /// <summary>Safe in most places.</summary>
    public static IDefaultConfiguration Standard { get; } = Mode(DefaultConfigurationMode.Standard, 3.1);

    /// <summary>From within a region.</summary>
    public static IDefaultConfiguration InRegion { get; } = Mode(DefaultConfigurationMode.InRegion, 1.1);

    /// <summary>From another region.</summary>
    public static IDefaultConfiguration CrossRegion { get; } = Mode(DefaultConfigurationMode.CrossRegion, 3.1);

    /// <summary>From a phone.</summary>
    public static IDefaultConfiguration Mobile { get; } = Mode(DefaultConfigurationMode.Mobile, 30);

    /// <summary>Chosen by where the program runs.</summary>
    public static IDefaultConfiguration Auto { get; } = Mode(DefaultConfigurationMode.Auto, 1.1);

    /// <summary>All of them.</summary>
    public static System.Collections.ObjectModel.ReadOnlyCollection<IDefaultConfiguration> GetAllConfigurations() =>
        new([Standard, InRegion, CrossRegion, Mobile, Auto]);

    private static DefaultConfiguration Mode(DefaultConfigurationMode name, double connectSeconds) => new()
    {
        Name = name,
        RetryMode = RequestRetryMode.Standard,
        S3UsEast1RegionalEndpoint = S3UsEast1RegionalEndpointValue.Regional,
        ConnectTimeout = TimeSpan.FromSeconds(connectSeconds),
        TlsNegotiationTimeout = TimeSpan.FromSeconds(connectSeconds),
        TimeToFirstByteTimeout = null,
        HttpRequestTimeout = null,
    };
}
