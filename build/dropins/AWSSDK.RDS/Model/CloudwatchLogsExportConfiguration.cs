namespace Amazon.RDS.Model;

/// <summary>Which logs are sent to CloudWatch from now on, and which no more.</summary>
public partial class CloudwatchLogsExportConfiguration
{
    public List<string> DisableLogTypes { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public List<string> EnableLogTypes { get; set; } = AWSConfigs.InitializeCollections ? [] : null;
}
