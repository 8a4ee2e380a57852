using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Asks for a new instance with the content of a snapshot.</summary>
public partial class RestoreDBInstanceFromDBSnapshotRequest : AmazonRDSRequest
{
    public int? AllocatedStorage { get; set; }

    public bool? AutoMinorVersionUpgrade { get; set; }

    public string AvailabilityZone { get; set; }

    public string BackupTarget { get; set; }

    public string CACertificateIdentifier { get; set; }

    public bool? CopyTagsToSnapshot { get; set; }

    public string DBInstanceClass { get; set; }

    public string DBInstanceIdentifier { get; set; }

    public string DBParameterGroupName { get; set; }

    public string DBSnapshotIdentifier { get; set; }

    public string DBSubnetGroupName { get; set; }

    public bool? DedicatedLogVolume { get; set; }

    public bool? DeletionProtection { get; set; }

    public string Domain { get; set; }

    public string DomainIAMRoleName { get; set; }

    public List<string> EnableCloudwatchLogsExports { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public bool? EnableCustomerOwnedIp { get; set; }

    public bool? EnableIAMDatabaseAuthentication { get; set; }

    public string Engine { get; set; }

    public string EngineLifecycleSupport { get; set; }

    public int? Iops { get; set; }

    public string LicenseModel { get; set; }

    public bool? MultiAZ { get; set; }

    public string NetworkType { get; set; }

    public string OptionGroupName { get; set; }

    public int? Port { get; set; }

    public List<ProcessorFeature> ProcessorFeatures { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public bool? PubliclyAccessible { get; set; }

    public int? StorageThroughput { get; set; }

    public string StorageType { get; set; }

    public List<Tag> Tags { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public bool? UseDefaultProcessorFeatures { get; set; }

    public List<string> VpcSecurityGroupIds { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal override void Write(QueryForm form) => form
        .Add("AllocatedStorage", AllocatedStorage)
        .Add("AutoMinorVersionUpgrade", AutoMinorVersionUpgrade)
        .Add("AvailabilityZone", AvailabilityZone)
        .Add("BackupTarget", BackupTarget)
        .Add("CACertificateIdentifier", CACertificateIdentifier)
        .Add("CopyTagsToSnapshot", CopyTagsToSnapshot)
        .Add("DBInstanceClass", DBInstanceClass)
        .Add("DBInstanceIdentifier", DBInstanceIdentifier)
        .Add("DBParameterGroupName", DBParameterGroupName)
        .Add("DBSnapshotIdentifier", DBSnapshotIdentifier)
        .Add("DBSubnetGroupName", DBSubnetGroupName)
        .Add("DedicatedLogVolume", DedicatedLogVolume)
        .Add("DeletionProtection", DeletionProtection)
        .Add("Domain", Domain)
        .Add("DomainIAMRoleName", DomainIAMRoleName)
        .Add("EnableCloudwatchLogsExports", "member", EnableCloudwatchLogsExports)
        .Add("EnableCustomerOwnedIp", EnableCustomerOwnedIp)
        .Add("EnableIAMDatabaseAuthentication", EnableIAMDatabaseAuthentication)
        .Add("Engine", Engine)
        .Add("EngineLifecycleSupport", EngineLifecycleSupport)
        .Add("Iops", Iops)
        .Add("LicenseModel", LicenseModel)
        .Add("MultiAZ", MultiAZ)
        .Add("NetworkType", NetworkType)
        .Add("OptionGroupName", OptionGroupName)
        .Add("Port", Port)
        .Add("ProcessorFeatures", ProcessorFeatures)
        .Add("PubliclyAccessible", PubliclyAccessible)
        .Add("StorageThroughput", StorageThroughput)
        .Add("StorageType", StorageType)
        .Add("Tags", Tags)
        .Add("UseDefaultProcessorFeatures", UseDefaultProcessorFeatures)
        .Add("VpcSecurityGroupIds", "VpcSecurityGroupId", VpcSecurityGroupIds);
}
