using Amazon.RDS.Model;

namespace Aragora.Runbook.Adapters.Rds;

/// <summary>The SDK's descriptions as ours, and our settings as the SDK's requests.</summary>
internal static class RdsMapping
{
    // Below this size gp3 has a fixed performance, which is described and must not be asked for.
    private const int SmallestProvisionedGp3Gib = 400;

    public static RdsInstance Read(DBInstance from) => new()
    {
        Identifier = from.DBInstanceIdentifier,
        Arn = from.DBInstanceArn ?? "",
        ResourceId = from.DbiResourceId ?? "",
        Status = from.DBInstanceStatus ?? "",
        Engine = from.Engine ?? "",
        EngineVersion = from.EngineVersion ?? "",
        ClusterIdentifier = Named(from.DBClusterIdentifier),
        ReplicaOf = Named(from.ReadReplicaSourceDBInstanceIdentifier),
        Address = Named(from.Endpoint?.Address),
        Port = from.Endpoint?.Port,
        StorageGib = from.AllocatedStorage ?? 0,
        IsEncrypted = from.StorageEncrypted ?? false,
        HasManagedPassword = from.MasterUserSecret is not null,
        Pending = Pending(from.PendingModifiedValues),
        Tags = Read(from.TagList),
        Settings = new InstanceSettings
        {
            Class = from.DBInstanceClass,
            SubnetGroup = Named(from.DBSubnetGroup?.DBSubnetGroupName),
            SecurityGroups = Sorted(from.VpcSecurityGroups?.Select(group => group.VpcSecurityGroupId)),
            ParameterGroup = from.DBParameterGroups?.Select(group => group.DBParameterGroupName).FirstOrDefault(),
            OptionGroup = from.OptionGroupMemberships?.Select(group => group.OptionGroupName).FirstOrDefault(),
            IamAuthentication = from.IAMDatabaseAuthenticationEnabled ?? false,
            Port = from.Endpoint?.Port,
            DeletionProtection = from.DeletionProtection ?? false,
            MultiAz = from.MultiAZ ?? false,
            IsPublic = from.PubliclyAccessible ?? false,
            StorageType = from.StorageType,
            Iops = from.Iops is > 0 ? from.Iops : null,
            ThroughputMib = from.StorageThroughput is > 0 ? from.StorageThroughput : null,
            MaxStorageGib = from.MaxAllocatedStorage is { } most && most > (from.AllocatedStorage ?? 0) ? most : null,
            CaCertificate = Named(from.CACertificateIdentifier),
            LogExports = Sorted(from.EnabledCloudwatchLogsExports),
            MonitoringSeconds = from.MonitoringInterval ?? 0,
            MonitoringRole = Named(from.MonitoringRoleArn),
            PerformanceInsights = from.PerformanceInsightsEnabled ?? false,
            PerformanceInsightsKey = Named(from.PerformanceInsightsKMSKeyId),
            PerformanceInsightsDays = from.PerformanceInsightsRetentionPeriod,
            CopiesTags = from.CopyTagsToSnapshot ?? false,
            UpgradesMinorVersions = from.AutoMinorVersionUpgrade ?? false,
            BackupDays = from.BackupRetentionPeriod,
            BackupWindow = Named(from.PreferredBackupWindow),
            MaintenanceWindow = Named(from.PreferredMaintenanceWindow),
            NetworkType = Named(from.NetworkType),
            DedicatedLogVolume = from.DedicatedLogVolume ?? false,
            Domain = from.DomainMemberships?.Select(domain => domain.Domain).FirstOrDefault(),
            DomainRole = from.DomainMemberships?.Select(domain => domain.IAMRoleName).FirstOrDefault(),
        },
    };

    public static RdsCluster Read(DBCluster from) =>
        new(from.DBClusterIdentifier, from.DbClusterResourceId ?? "", from.Status ?? "", from.Engine ?? "", Named(from.Endpoint), from.Port, from.StorageEncrypted ?? false, [.. from.DBClusterMembers?.Select(member => member.DBInstanceIdentifier) ?? []]);

    public static RdsSnapshot Read(DBSnapshot from) => new()
    {
        Kind = SnapshotKind.Instance,
        Identifier = from.DBSnapshotIdentifier,
        Arn = from.DBSnapshotArn ?? "",
        SourceIdentifier = from.DBInstanceIdentifier ?? "",
        SourceResourceId = Named(from.DbiResourceId),
        Status = from.Status ?? "",
        Type = from.SnapshotType ?? "",
        Engine = from.Engine ?? "",
        EngineVersion = from.EngineVersion ?? "",
        StorageGib = from.AllocatedStorage ?? 0,
        IsEncrypted = from.Encrypted ?? false,
        Percent = from.PercentProgress ?? 0,
        TakenAt = Moment(from.SnapshotCreateTime),
        Tags = Read(from.TagList),
    };

    public static RdsSnapshot Read(DBClusterSnapshot from) => new()
    {
        Kind = SnapshotKind.Cluster,
        Identifier = from.DBClusterSnapshotIdentifier,
        Arn = from.DBClusterSnapshotArn ?? "",
        SourceIdentifier = from.DBClusterIdentifier ?? "",
        SourceResourceId = Named(from.DbClusterResourceId),
        Status = from.Status ?? "",
        Type = from.SnapshotType ?? "",
        Engine = from.Engine ?? "",
        EngineVersion = from.EngineVersion ?? "",
        StorageGib = from.AllocatedStorage ?? 0,
        IsEncrypted = from.StorageEncrypted ?? false,
        Percent = from.PercentProgress ?? 0,
        TakenAt = Moment(from.SnapshotCreateTime),
        Tags = Read(from.TagList),
    };

    public static List<Tag> Tags(IReadOnlyDictionary<string, string> tags) => [.. tags.Select(tag => new Tag { Key = tag.Key, Value = tag.Value })];

    /// <summary>What a restore takes of its original's settings; a group that is the engine's default is left to RDS.</summary>
    public static RestoreDBInstanceFromDBSnapshotRequest Restore(RdsSnapshot snapshot, string identifier, RdsInstance original, IReadOnlyDictionary<string, string> tags)
    {
        var settings = original.Settings;
        var provisions = settings.StorageType != "gp3" || Math.Max(original.StorageGib, snapshot.StorageGib) >= SmallestProvisionedGp3Gib;
        return new RestoreDBInstanceFromDBSnapshotRequest
        {
            DBSnapshotIdentifier = snapshot.Identifier,
            DBInstanceIdentifier = identifier,
            AllocatedStorage = original.StorageGib > snapshot.StorageGib ? original.StorageGib : null,
            DBInstanceClass = settings.Class,
            DBSubnetGroupName = settings.SubnetGroup,
            VpcSecurityGroupIds = settings.SecurityGroups.Count > 0 ? [.. settings.SecurityGroups] : null,
            DBParameterGroupName = Custom(settings.ParameterGroup, "default."),
            OptionGroupName = Custom(settings.OptionGroup, "default:"),
            EnableIAMDatabaseAuthentication = settings.IamAuthentication,
            Port = settings.Port,
            DeletionProtection = settings.DeletionProtection,
            MultiAZ = settings.MultiAz,
            PubliclyAccessible = settings.IsPublic,
            StorageType = settings.StorageType,
            Iops = provisions ? settings.Iops : null,
            StorageThroughput = provisions ? settings.ThroughputMib : null,
            CACertificateIdentifier = settings.CaCertificate,
            EnableCloudwatchLogsExports = settings.LogExports.Count > 0 ? [.. settings.LogExports] : null,
            CopyTagsToSnapshot = settings.CopiesTags,
            AutoMinorVersionUpgrade = settings.UpgradesMinorVersions,
            NetworkType = settings.NetworkType,
            DedicatedLogVolume = settings.DedicatedLogVolume ? true : null,
            Domain = settings.Domain,
            DomainIAMRoleName = settings.Domain is null ? null : settings.DomainRole,
            Tags = Tags(tags),
        };
    }

    /// <summary>What differs after a restore, as far as a modification takes it.</summary>
    public static ModifyDBInstanceRequest Modify(RdsInstance restored, InstanceSettings wanted)
    {
        var now = restored.Settings;
        return new ModifyDBInstanceRequest
        {
            DBInstanceIdentifier = restored.Identifier,
            ApplyImmediately = true,
            MaxAllocatedStorage = Changed(now.MaxStorageGib, wanted.MaxStorageGib),
            MonitoringInterval = Changed(now.MonitoringSeconds, wanted.MonitoringSeconds),
            MonitoringRoleArn = now.MonitoringSeconds != wanted.MonitoringSeconds || now.MonitoringRole != wanted.MonitoringRole ? wanted.MonitoringRole : null,
            EnablePerformanceInsights = Changed(now.PerformanceInsights, wanted.PerformanceInsights),
            PerformanceInsightsKMSKeyId = now.PerformanceInsights != wanted.PerformanceInsights ? wanted.PerformanceInsightsKey : null,
            PerformanceInsightsRetentionPeriod = Changed(now.PerformanceInsightsDays, wanted.PerformanceInsightsDays),
            BackupRetentionPeriod = Changed(now.BackupDays, wanted.BackupDays),
            PreferredBackupWindow = Changed(now.BackupWindow, wanted.BackupWindow),
            PreferredMaintenanceWindow = Changed(now.MaintenanceWindow, wanted.MaintenanceWindow),
            DBParameterGroupName = Changed(now.ParameterGroup, Custom(wanted.ParameterGroup, "default.")),
            OptionGroupName = Changed(now.OptionGroup, Custom(wanted.OptionGroup, "default:")),
            VpcSecurityGroupIds = wanted.SecurityGroups.Count > 0 && !now.SecurityGroups.SequenceEqual(wanted.SecurityGroups, StringComparer.Ordinal) ? [.. wanted.SecurityGroups] : null,
            EnableIAMDatabaseAuthentication = Changed(now.IamAuthentication, wanted.IamAuthentication),
            DeletionProtection = Changed(now.DeletionProtection, wanted.DeletionProtection),
            MultiAZ = Changed(now.MultiAz, wanted.MultiAz),
            PubliclyAccessible = Changed(now.IsPublic, wanted.IsPublic),
            CACertificateIdentifier = Changed(now.CaCertificate, wanted.CaCertificate),
            CopyTagsToSnapshot = Changed(now.CopiesTags, wanted.CopiesTags),
            AutoMinorVersionUpgrade = Changed(now.UpgradesMinorVersions, wanted.UpgradesMinorVersions),
            DBPortNumber = Changed(now.Port, wanted.Port),
            CloudwatchLogsExportConfiguration = Logs(now.LogExports, wanted.LogExports),
        };
    }

    /// <summary>Whether a modification changes anything.</summary>
    public static bool AsksForSomething(ModifyDBInstanceRequest request) =>
        new object?[]
        {
            request.MaxAllocatedStorage, request.MonitoringInterval, request.MonitoringRoleArn, request.EnablePerformanceInsights, request.PerformanceInsightsRetentionPeriod, request.BackupRetentionPeriod,
            request.PreferredBackupWindow, request.PreferredMaintenanceWindow, request.DBParameterGroupName, request.OptionGroupName, request.VpcSecurityGroupIds, request.EnableIAMDatabaseAuthentication,
            request.DeletionProtection, request.MultiAZ, request.PubliclyAccessible, request.CACertificateIdentifier, request.CopyTagsToSnapshot, request.AutoMinorVersionUpgrade, request.DBPortNumber, request.CloudwatchLogsExportConfiguration,
        }.Any(value => value is not null);

    private static CloudwatchLogsExportConfiguration? Logs(IReadOnlyList<string> now, IReadOnlyList<string> wanted)
    {
        List<string> more = [.. wanted.Except(now, StringComparer.Ordinal)];
        List<string> fewer = [.. now.Except(wanted, StringComparer.Ordinal)];
        return more.Count + fewer.Count == 0 ? null : new CloudwatchLogsExportConfiguration { EnableLogTypes = more.Count > 0 ? more : null, DisableLogTypes = fewer.Count > 0 ? fewer : null };
    }

    private static IReadOnlyList<string> Pending(PendingModifiedValues? values)
    {
        if (values is null)
        {
            return [];
        }

        (string Name, object? Value)[] pending =
        [
            ("class", values.DBInstanceClass), ("storage (GiB)", values.AllocatedStorage), ("port", values.Port), ("backup retention (days)", values.BackupRetentionPeriod),
            ("Multi-AZ", values.MultiAZ), ("version", values.EngineVersion), ("IOPS", values.Iops), ("throughput (MiB/s)", values.StorageThroughput), ("name", values.DBInstanceIdentifier),
            ("storage type", values.StorageType), ("CA certificate", values.CACertificateIdentifier), ("subnet group", values.DBSubnetGroupName), ("IAM authentication", values.IAMDatabaseAuthenticationEnabled),
        ];
        return [.. pending.Where(value => value.Value is not null).Select(value => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value.Name} {value.Value}"))];
    }

    private static Dictionary<string, string> Read(List<Tag>? tags) => (tags ?? []).ToDictionary(tag => tag.Key, tag => tag.Value ?? "", StringComparer.Ordinal);

    private static string? Named(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string? Custom(string? group, string defaultPrefix) => group is null || group.StartsWith(defaultPrefix, StringComparison.Ordinal) ? null : group;

    private static IReadOnlyList<string> Sorted(IEnumerable<string>? items) => [.. (items ?? []).Order(StringComparer.Ordinal)];

    private static string? Changed(string? now, string? wanted) => wanted is not null && now != wanted ? wanted : null;

    private static int? Changed(int? now, int? wanted) => wanted is not null && now != wanted ? wanted : null;

    private static bool? Changed(bool now, bool wanted) => now != wanted ? wanted : null;

    private static DateTimeOffset? Moment(DateTime? time) => time is { } given ? new DateTimeOffset(given.ToUniversalTime()) : null;
}
