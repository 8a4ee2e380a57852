using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="AddTagsToResourceRequest"/>.</summary>
public partial class AddTagsToResourceResponse : AmazonWebServiceResponse
{
}
