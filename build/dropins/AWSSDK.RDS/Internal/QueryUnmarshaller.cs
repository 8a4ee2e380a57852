using System.Net;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Transform;

namespace Amazon.RDS.Internal;

/// <summary>Reads any answer of AWS's Query protocol: <c>&lt;Name&gt;Response/&lt;Name&gt;Result</c>, or an error.</summary>
/// <typeparam name="TResponse">The response.</typeparam>
internal sealed class QueryUnmarshaller<TResponse>(Action<TResponse, XElement> read) : XmlResponseUnmarshaller
    where TResponse : AmazonWebServiceResponse, new()
{
    public override AmazonWebServiceResponse Unmarshall(XmlUnmarshallerContext input)
    {
        var root = XElement.Load(input.Stream);
        var response = new TResponse { ResponseMetadata = new ResponseMetadata { RequestId = root.Child("ResponseMetadata")?.Text("RequestId") } };
        var name = typeof(TResponse).Name;
        read(response, root.Child($"{name[..^"Response".Length]}Result") ?? root);
        return response;
    }

    public override AmazonServiceException UnmarshallException(XmlUnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        var error = XmlErrorResponseUnmarshaller.GetInstance().Unmarshall(input);
        return ServiceExceptions.Make(error.Message, innerException, error.Type, error.Code, error.RequestId, statusCode);
    }
}
