using System.Net;
using Amazon.Runtime;

namespace Amazon.RDS;

/// <summary>What the service refused, or failed at.</summary>
public class AmazonRDSException : AmazonServiceException
{
    /// <summary>A failure with a message alone.</summary>
    public AmazonRDSException(string message)
        : base(message)
    {
    }

    /// <summary>A failure with its cause.</summary>
    public AmazonRDSException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>What the service answered.</summary>
    public AmazonRDSException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode)
    {
    }
}
