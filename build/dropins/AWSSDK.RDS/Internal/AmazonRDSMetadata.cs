using Amazon.Runtime.Internal;

namespace Amazon.RDS.Internal;

/// <summary>The service, for the user agent.</summary>
public class AmazonRDSMetadata : IServiceMetadata
{
    /// <inheritdoc/>
    public string ServiceId => "RDS";

    /// <inheritdoc/>
    public IDictionary<string, string> OperationNameMapping => new Dictionary<string, string>(0, StringComparer.Ordinal);
}
