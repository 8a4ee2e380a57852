namespace Amazon.RDS.Model;

/// <summary>Narrows what is described.</summary>
public partial class Filter
{
    public string Name { get; set; }

    public List<string> Values { get; set; } = AWSConfigs.InitializeCollections ? [] : null;
}
