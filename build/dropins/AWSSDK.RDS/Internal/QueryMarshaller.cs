using Amazon.RDS.Model;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;
using Amazon.Util;

namespace Amazon.RDS.Internal;

/// <summary>Writes any request as AWS's Query protocol wants it: a form with an action, a version and the members that are set.</summary>
internal sealed class QueryMarshaller : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    public static QueryMarshaller Instance { get; } = new();

    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var name = input.GetType().Name;
        var request = new DefaultRequest(input, "Amazon.RDS") { HttpMethod = "POST" };
        request.Parameters.Add("Action", name[..^"Request".Length]);
        request.Parameters.Add("Version", "2014-10-31");
        ((AmazonRDSRequest)input).Write(new QueryForm(request.Parameters));
        request.ContentStream = AWSSDKUtils.WriteParametersToPooledStream(request);
        return request;
    }
}
