using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Changes an instance, or its name.</summary>
public partial class ModifyDBInstanceRequest : AmazonRDSRequest
{
    public int? AllocatedStorage { get; set; }

    public bool? AllowMajorVersionUpgrade { get; set; }

    public bool? ApplyImmediately { get; set; }

    public bool? AutoMinorVersionUpgrade { get; set; }

    public int? BackupRetentionPeriod { get; set; }

    public string CACertificateIdentifier { get; set; }

    public bool? CertificateRotationRestart { get; set; }

    public CloudwatchLogsExportConfiguration CloudwatchLogsExportConfiguration { get; set; }

    public bool? CopyTagsToSnapshot { get; set; }

    public string DBInstanceClass { get; set; }

    public string DBInstanceIdentifier { get; set; }

    public string DBParameterGroupName { get; set; }

    public int? DBPortNumber { get; set; }

    public bool? DeletionProtection { get; set; }

    public bool? EnableIAMDatabaseAuthentication { get; set; }

    public bool? EnablePerformanceInsights { get; set; }

    public string EngineVersion { get; set; }

    public int? Iops { get; set; }

    public int? MaxAllocatedStorage { get; set; }

    public int? MonitoringInterval { get; set; }

    public string MonitoringRoleArn { get; set; }

    public bool? MultiAZ { get; set; }

    public string NewDBInstanceIdentifier { get; set; }

    public string OptionGroupName { get; set; }

    public string PerformanceInsightsKMSKeyId { get; set; }

    public int? PerformanceInsightsRetentionPeriod { get; set; }

    public string PreferredBackupWindow { get; set; }

    public string PreferredMaintenanceWindow { get; set; }

    public bool? PubliclyAccessible { get; set; }

    public int? StorageThroughput { get; set; }

    public string StorageType { get; set; }

    public List<string> VpcSecurityGroupIds { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal override void Write(QueryForm form) => form
        .Add("AllocatedStorage", AllocatedStorage)
        .Add("AllowMajorVersionUpgrade", AllowMajorVersionUpgrade)
        .Add("ApplyImmediately", ApplyImmediately)
        .Add("AutoMinorVersionUpgrade", AutoMinorVersionUpgrade)
        .Add("BackupRetentionPeriod", BackupRetentionPeriod)
        .Add("CACertificateIdentifier", CACertificateIdentifier)
        .Add("CertificateRotationRestart", CertificateRotationRestart)
        .Add("CloudwatchLogsExportConfiguration", CloudwatchLogsExportConfiguration)
        .Add("CopyTagsToSnapshot", CopyTagsToSnapshot)
        .Add("DBInstanceClass", DBInstanceClass)
        .Add("DBInstanceIdentifier", DBInstanceIdentifier)
        .Add("DBParameterGroupName", DBParameterGroupName)
        .Add("DBPortNumber", DBPortNumber)
        .Add("DeletionProtection", DeletionProtection)
        .Add("EnableIAMDatabaseAuthentication", EnableIAMDatabaseAuthentication)
        .Add("EnablePerformanceInsights", EnablePerformanceInsights)
        .Add("EngineVersion", EngineVersion)
        .Add("Iops", Iops)
        .Add("MaxAllocatedStorage", MaxAllocatedStorage)
        .Add("MonitoringInterval", MonitoringInterval)
        .Add("MonitoringRoleArn", MonitoringRoleArn)
        .Add("MultiAZ", MultiAZ)
        .Add("NewDBInstanceIdentifier", NewDBInstanceIdentifier)
        .Add("OptionGroupName", OptionGroupName)
        .Add("PerformanceInsightsKMSKeyId", PerformanceInsightsKMSKeyId)
        .Add("PerformanceInsightsRetentionPeriod", PerformanceInsightsRetentionPeriod)
        .Add("PreferredBackupWindow", PreferredBackupWindow)
        .Add("PreferredMaintenanceWindow", PreferredMaintenanceWindow)
        .Add("PubliclyAccessible", PubliclyAccessible)
        .Add("StorageThroughput", StorageThroughput)
        .Add("StorageType", StorageType)
        .Add("VpcSecurityGroupIds", "VpcSecurityGroupId", VpcSecurityGroupIds);
}
