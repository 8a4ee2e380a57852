using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Adds or replaces tags.</summary>
public partial class AddTagsToResourceRequest : AmazonRDSRequest
{
    public string ResourceName { get; set; }

    public List<Tag> Tags { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal override void Write(QueryForm form) => form
        .Add("ResourceName", ResourceName)
        .Add("Tags", Tags);
}
