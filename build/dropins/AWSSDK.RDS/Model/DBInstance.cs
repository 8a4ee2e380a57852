using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>An instance, as it is described.</summary>
public partial class DBInstance
{
    public int? AllocatedStorage { get; set; }

    public bool? AutoMinorVersionUpgrade { get; set; }

    public string AvailabilityZone { get; set; }

    public int? BackupRetentionPeriod { get; set; }

    public string CACertificateIdentifier { get; set; }

    public bool? CopyTagsToSnapshot { get; set; }

    public bool? CustomerOwnedIpEnabled { get; set; }

    public string DBClusterIdentifier { get; set; }

    public string DBInstanceArn { get; set; }

    public string DBInstanceClass { get; set; }

    public string DBInstanceIdentifier { get; set; }

    public int? DbInstancePort { get; set; }

    public string DBInstanceStatus { get; set; }

    public string DbiResourceId { get; set; }

    public string DBName { get; set; }

    public List<DBParameterGroupStatus> DBParameterGroups { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public DBSubnetGroup DBSubnetGroup { get; set; }

    public bool? DedicatedLogVolume { get; set; }

    public bool? DeletionProtection { get; set; }

    public List<DomainMembership> DomainMemberships { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public List<string> EnabledCloudwatchLogsExports { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public Endpoint Endpoint { get; set; }

    public string Engine { get; set; }

    public string EngineLifecycleSupport { get; set; }

    public string EngineVersion { get; set; }

    public bool? IAMDatabaseAuthenticationEnabled { get; set; }

    public DateTime? InstanceCreateTime { get; set; }

    public int? Iops { get; set; }

    public string KmsKeyId { get; set; }

    public string LicenseModel { get; set; }

    public string MasterUsername { get; set; }

    public MasterUserSecret MasterUserSecret { get; set; }

    public int? MaxAllocatedStorage { get; set; }

    public int? MonitoringInterval { get; set; }

    public string MonitoringRoleArn { get; set; }

    public bool? MultiAZ { get; set; }

    public string NetworkType { get; set; }

    public List<OptionGroupMembership> OptionGroupMemberships { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public PendingModifiedValues PendingModifiedValues { get; set; }

    public string PercentProgress { get; set; }

    public bool? PerformanceInsightsEnabled { get; set; }

    public string PerformanceInsightsKMSKeyId { get; set; }

    public int? PerformanceInsightsRetentionPeriod { get; set; }

    public string PreferredBackupWindow { get; set; }

    public string PreferredMaintenanceWindow { get; set; }

    public List<ProcessorFeature> ProcessorFeatures { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public bool? PubliclyAccessible { get; set; }

    public List<string> ReadReplicaDBInstanceIdentifiers { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string ReadReplicaSourceDBInstanceIdentifier { get; set; }

    public bool? StorageEncrypted { get; set; }

    public int? StorageThroughput { get; set; }

    public string StorageType { get; set; }

    public List<Tag> TagList { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public List<VpcSecurityGroupMembership> VpcSecurityGroups { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal static DBInstance Read(XElement xml) => new()
    {
        AllocatedStorage = xml.Int("AllocatedStorage"),
        AutoMinorVersionUpgrade = xml.Bool("AutoMinorVersionUpgrade"),
        AvailabilityZone = xml.Text("AvailabilityZone"),
        BackupRetentionPeriod = xml.Int("BackupRetentionPeriod"),
        CACertificateIdentifier = xml.Text("CACertificateIdentifier"),
        CopyTagsToSnapshot = xml.Bool("CopyTagsToSnapshot"),
        CustomerOwnedIpEnabled = xml.Bool("CustomerOwnedIpEnabled"),
        DBClusterIdentifier = xml.Text("DBClusterIdentifier"),
        DBInstanceArn = xml.Text("DBInstanceArn"),
        DBInstanceClass = xml.Text("DBInstanceClass"),
        DBInstanceIdentifier = xml.Text("DBInstanceIdentifier"),
        DbInstancePort = xml.Int("DbInstancePort"),
        DBInstanceStatus = xml.Text("DBInstanceStatus"),
        DbiResourceId = xml.Text("DbiResourceId"),
        DBName = xml.Text("DBName"),
        DBParameterGroups = xml.List("DBParameterGroups", "DBParameterGroup", DBParameterGroupStatus.Read),
        DBSubnetGroup = xml.Structure("DBSubnetGroup", DBSubnetGroup.Read),
        DedicatedLogVolume = xml.Bool("DedicatedLogVolume"),
        DeletionProtection = xml.Bool("DeletionProtection"),
        DomainMemberships = xml.List("DomainMemberships", "DomainMembership", DomainMembership.Read),
        EnabledCloudwatchLogsExports = xml.List("EnabledCloudwatchLogsExports", "member", item => item.Value),
        Endpoint = xml.Structure("Endpoint", Endpoint.Read),
        Engine = xml.Text("Engine"),
        EngineLifecycleSupport = xml.Text("EngineLifecycleSupport"),
        EngineVersion = xml.Text("EngineVersion"),
        IAMDatabaseAuthenticationEnabled = xml.Bool("IAMDatabaseAuthenticationEnabled"),
        InstanceCreateTime = xml.Time("InstanceCreateTime"),
        Iops = xml.Int("Iops"),
        KmsKeyId = xml.Text("KmsKeyId"),
        LicenseModel = xml.Text("LicenseModel"),
        MasterUsername = xml.Text("MasterUsername"),
        MasterUserSecret = xml.Structure("MasterUserSecret", MasterUserSecret.Read),
        MaxAllocatedStorage = xml.Int("MaxAllocatedStorage"),
        MonitoringInterval = xml.Int("MonitoringInterval"),
        MonitoringRoleArn = xml.Text("MonitoringRoleArn"),
        MultiAZ = xml.Bool("MultiAZ"),
        NetworkType = xml.Text("NetworkType"),
        OptionGroupMemberships = xml.List("OptionGroupMemberships", "OptionGroupMembership", OptionGroupMembership.Read),
        PendingModifiedValues = xml.Structure("PendingModifiedValues", PendingModifiedValues.Read),
        PercentProgress = xml.Text("PercentProgress"),
        PerformanceInsightsEnabled = xml.Bool("PerformanceInsightsEnabled"),
        PerformanceInsightsKMSKeyId = xml.Text("PerformanceInsightsKMSKeyId"),
        PerformanceInsightsRetentionPeriod = xml.Int("PerformanceInsightsRetentionPeriod"),
        PreferredBackupWindow = xml.Text("PreferredBackupWindow"),
        PreferredMaintenanceWindow = xml.Text("PreferredMaintenanceWindow"),
        ProcessorFeatures = xml.List("ProcessorFeatures", "ProcessorFeature", ProcessorFeature.Read),
        PubliclyAccessible = xml.Bool("PubliclyAccessible"),
        ReadReplicaDBInstanceIdentifiers = xml.List("ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBInstanceIdentifier", item => item.Value),
        ReadReplicaSourceDBInstanceIdentifier = xml.Text("ReadReplicaSourceDBInstanceIdentifier"),
        StorageEncrypted = xml.Bool("StorageEncrypted"),
        StorageThroughput = xml.Int("StorageThroughput"),
        StorageType = xml.Text("StorageType"),
        TagList = xml.List("TagList", "Tag", Tag.Read),
        VpcSecurityGroups = xml.List("VpcSecurityGroups", "VpcSecurityGroupMembership", VpcSecurityGroupMembership.Read),
    };
}
