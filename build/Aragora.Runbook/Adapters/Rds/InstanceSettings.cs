using System.Globalization;

namespace Aragora.Runbook.Adapters.Rds;

/// <summary>How an instance is set up: what a restored one has to share with its original.</summary>
public sealed record InstanceSettings
{
    /// <summary>Such as <c>db.m6g.large</c>.</summary>
    public string? Class { get; init; }

    /// <summary>Where in the network it lies.</summary>
    public string? SubnetGroup { get; init; }

    /// <summary>The VPC security groups' ids, sorted.</summary>
    public IReadOnlyList<string> SecurityGroups { get; init; } = [];

    /// <summary>The parameter group.</summary>
    public string? ParameterGroup { get; init; }

    /// <summary>The option group.</summary>
    public string? OptionGroup { get; init; }

    /// <summary>Whether IAM tokens are taken for passwords.</summary>
    public bool IamAuthentication { get; init; }

    /// <summary>The port that it listens on.</summary>
    public int? Port { get; init; }

    /// <summary>Whether it cannot be deleted until this is switched off.</summary>
    public bool DeletionProtection { get; init; }

    /// <summary>Whether a standby in another zone follows it.</summary>
    public bool MultiAz { get; init; }

    /// <summary>Whether its address is a public one.</summary>
    public bool IsPublic { get; init; }

    /// <summary>Such as <c>gp3</c>.</summary>
    public string? StorageType { get; init; }

    /// <summary>Provisioned operations a second; null where none are provisioned.</summary>
    public int? Iops { get; init; }

    /// <summary>Provisioned throughput of the storage, MiB a second; null where none is provisioned.</summary>
    public int? ThroughputMib { get; init; }

    /// <summary>Up to which size the storage grows by itself, GiB; null where it does not.</summary>
    public int? MaxStorageGib { get; init; }

    /// <summary>The certificate authority of its TLS certificate.</summary>
    public string? CaCertificate { get; init; }

    /// <summary>The logs that are sent to CloudWatch, sorted.</summary>
    public IReadOnlyList<string> LogExports { get; init; } = [];

    /// <summary>Seconds between enhanced metrics; 0 for none.</summary>
    public int MonitoringSeconds { get; init; }

    /// <summary>The role that sends them.</summary>
    public string? MonitoringRole { get; init; }

    /// <summary>Whether Performance Insights is on.</summary>
    public bool PerformanceInsights { get; init; }

    /// <summary>The key of its data.</summary>
    public string? PerformanceInsightsKey { get; init; }

    /// <summary>For how many days it keeps them.</summary>
    public int? PerformanceInsightsDays { get; init; }

    /// <summary>Whether its tags go to its snapshots.</summary>
    public bool CopiesTags { get; init; }

    /// <summary>Whether minor versions are upgraded by themselves.</summary>
    public bool UpgradesMinorVersions { get; init; }

    /// <summary>For how many days automated backups are kept.</summary>
    public int? BackupDays { get; init; }

    /// <summary>When automated backups are made.</summary>
    public string? BackupWindow { get; init; }

    /// <summary>When AWS maintains it.</summary>
    public string? MaintenanceWindow { get; init; }

    /// <summary><c>IPV4</c> or <c>DUAL</c>.</summary>
    public string? NetworkType { get; init; }

    /// <summary>Whether the write-ahead log lies on a volume of its own.</summary>
    public bool DedicatedLogVolume { get; init; }

    /// <summary>The directory whose users it knows.</summary>
    public string? Domain { get; init; }

    /// <summary>The role that asks that directory.</summary>
    public string? DomainRole { get; init; }

    /// <summary>Every setting by the name that people know, as text.</summary>
    public IReadOnlyDictionary<string, string> ToTable() => new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["backup retention (days)"] = Text(BackupDays),
        ["backup window"] = Text(BackupWindow),
        ["CA certificate"] = Text(CaCertificate),
        ["class"] = Text(Class),
        ["copy tags to snapshots"] = Text(CopiesTags),
        ["dedicated log volume"] = Text(DedicatedLogVolume),
        ["deletion protection"] = Text(DeletionProtection),
        ["domain"] = Text(Domain),
        ["IAM authentication"] = Text(IamAuthentication),
        ["log exports"] = string.Join(' ', LogExports),
        ["maintenance window"] = Text(MaintenanceWindow),
        ["maximum storage (GiB)"] = Text(MaxStorageGib),
        ["minor version upgrades"] = Text(UpgradesMinorVersions),
        ["monitoring (s)"] = Text(MonitoringSeconds),
        ["monitoring role"] = Text(MonitoringRole),
        ["Multi-AZ"] = Text(MultiAz),
        ["network type"] = Text(NetworkType),
        ["option group"] = Text(OptionGroup),
        ["parameter group"] = Text(ParameterGroup),
        ["Performance Insights"] = Text(PerformanceInsights),
        ["Performance Insights (days)"] = Text(PerformanceInsightsDays),
        ["Performance Insights key"] = Text(PerformanceInsightsKey),
        ["port"] = Text(Port),
        ["public"] = Text(IsPublic),
        ["security groups"] = string.Join(' ', SecurityGroups),
        ["storage IOPS"] = Text(Iops),
        ["storage throughput (MiB/s)"] = Text(ThroughputMib),
        ["storage type"] = Text(StorageType),
        ["subnet group"] = Text(SubnetGroup),
    };

    /// <summary>What differs.</summary>
    /// <param name="original">The original's settings.</param>
    public IReadOnlyList<SettingDifference> DifferencesFrom(InstanceSettings original)
    {
        var mine = ToTable();
        return [.. original.ToTable().Where(setting => mine[setting.Key] != setting.Value).Select(setting => new SettingDifference(setting.Key, setting.Value, mine[setting.Key]))];
    }

    private static string Text(object? value) => value is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{value}");
}

/// <summary>A setting in which a restored instance differs from its original.</summary>
/// <param name="Name">As people know it.</param>
/// <param name="Original">What the original has.</param>
/// <param name="Restored">What the restored one has.</param>
public sealed record SettingDifference(string Name, string Original, string Restored)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Shown(Restored)} instead of {Shown(Original)}";

    private static string Shown(string text) => text.Length == 0 ? "none" : text;
}
