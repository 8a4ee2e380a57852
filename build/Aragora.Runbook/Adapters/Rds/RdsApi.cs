using Amazon.RDS;
using Amazon.RDS.Model;
using Amazon.Runtime;

namespace Aragora.Runbook.Adapters.Rds;

/// <summary>
/// Amazon RDS, through AWSSDK.RDS; nothing of the domain. Credentials, region and endpoint come from the SDK's own sources: environment, profile, SSO, web identity, <c>AWS_ENDPOINT_URL</c>.
/// Every failure becomes a message for people; see <see cref="RdsFailures"/>.
/// </summary>
/// <remarks>Throttling and transient errors are retried by the SDK in its standard mode, five times with a growing pause, about 20 seconds in all.</remarks>
public sealed class RdsApi : IDisposable
{
    // The most that one answer may hold.
    private const int PageSize = 100;
    private readonly IAmazonRDS client;

    /// <summary>A client from the SDK's own sources. Nothing is asked before the first call.</summary>
    /// <exception cref="Outcomes.BadInputException">No source names a region.</exception>
    public RdsApi()
        : this(Connect(Configuration(Environment.GetEnvironmentVariable)))
    {
    }

    internal RdsApi(IAmazonRDS client) => this.client = client;

    /// <summary>The region and endpoint, for people.</summary>
    public string Where
    {
        get
        {
            var region = client.Config.AuthenticationRegion ?? client.Config.RegionEndpoint?.SystemName;
            return client.Config.ServiceURL is { } url ? $"{url} ({region ?? "no region"})" : region ?? "no region";
        }
    }

    /// <summary>An instance; null where there is none of that name.</summary>
    public async Task<RdsInstance?> FindInstanceAsync(string identifier, CancellationToken cancellation)
    {
        var found = await AskOrNullAsync("rds:DescribeDBInstances", identifier, "DBInstanceNotFound", () => client.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = identifier }, cancellation), cancellation);
        return found?.DBInstances is { Count: > 0 } instances ? RdsMapping.Read(instances[0]) : null;
    }

    /// <summary>Every instance of the account in this region.</summary>
    public Task<IReadOnlyList<RdsInstance>> ListInstancesAsync(CancellationToken cancellation) => PagesAsync(
        async marker =>
        {
            var page = await AskAsync("rds:DescribeDBInstances", "every instance", () => client.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { Marker = marker, MaxRecords = PageSize }, cancellation), cancellation);
            return (page.DBInstances?.Select(RdsMapping.Read), page.Marker);
        });

    /// <summary>A cluster; null where there is none of that name.</summary>
    public async Task<RdsCluster?> FindClusterAsync(string identifier, CancellationToken cancellation)
    {
        var found = await AskOrNullAsync("rds:DescribeDBClusters", identifier, "DBClusterNotFoundFault", () => client.DescribeDBClustersAsync(new DescribeDBClustersRequest { DBClusterIdentifier = identifier }, cancellation), cancellation);
        return found?.DBClusters is { Count: > 0 } clusters ? RdsMapping.Read(clusters[0]) : null;
    }

    /// <summary>Asks for a snapshot; it is not there before RDS says so.</summary>
    public async Task<RdsSnapshot> CreateSnapshotAsync(SnapshotKind kind, string source, string identifier, IReadOnlyDictionary<string, string> tags, CancellationToken cancellation) => kind == SnapshotKind.Instance
        ? RdsMapping.Read((await AskAsync("rds:CreateDBSnapshot", source, () => client.CreateDBSnapshotAsync(new CreateDBSnapshotRequest { DBInstanceIdentifier = source, DBSnapshotIdentifier = identifier, Tags = RdsMapping.Tags(tags) }, cancellation), cancellation)).DBSnapshot)
        : RdsMapping.Read((await AskAsync("rds:CreateDBClusterSnapshot", source, () => client.CreateDBClusterSnapshotAsync(new CreateDBClusterSnapshotRequest { DBClusterIdentifier = source, DBClusterSnapshotIdentifier = identifier, Tags = RdsMapping.Tags(tags) }, cancellation), cancellation)).DBClusterSnapshot);

    /// <summary>A snapshot; null where there is none of that name.</summary>
    public async Task<RdsSnapshot?> FindSnapshotAsync(SnapshotKind kind, string identifier, CancellationToken cancellation)
    {
        if (kind == SnapshotKind.Cluster)
        {
            var clusters = await AskOrNullAsync("rds:DescribeDBClusterSnapshots", identifier, "DBClusterSnapshotNotFoundFault", () => client.DescribeDBClusterSnapshotsAsync(new DescribeDBClusterSnapshotsRequest { DBClusterSnapshotIdentifier = identifier }, cancellation), cancellation);
            return clusters?.DBClusterSnapshots is { Count: > 0 } found ? RdsMapping.Read(found[0]) : null;
        }

        var instances = await AskOrNullAsync("rds:DescribeDBSnapshots", identifier, "DBSnapshotNotFound", () => client.DescribeDBSnapshotsAsync(new DescribeDBSnapshotsRequest { DBSnapshotIdentifier = identifier }, cancellation), cancellation);
        return instances?.DBSnapshots is { Count: > 0 } snapshots ? RdsMapping.Read(snapshots[0]) : null;
    }

    /// <summary>Every snapshot, manual and automated, of an instance or cluster.</summary>
    public Task<IReadOnlyList<RdsSnapshot>> ListSnapshotsAsync(SnapshotKind kind, string source, CancellationToken cancellation) => PagesAsync(
        async marker =>
        {
            if (kind == SnapshotKind.Instance)
            {
                var page = await AskAsync("rds:DescribeDBSnapshots", source, () => client.DescribeDBSnapshotsAsync(new DescribeDBSnapshotsRequest { DBInstanceIdentifier = source, Marker = marker, MaxRecords = PageSize }, cancellation), cancellation);
                return (page.DBSnapshots?.Select(RdsMapping.Read), page.Marker);
            }

            var clusters = await AskAsync("rds:DescribeDBClusterSnapshots", source, () => client.DescribeDBClusterSnapshotsAsync(new DescribeDBClusterSnapshotsRequest { DBClusterIdentifier = source, Marker = marker, MaxRecords = PageSize }, cancellation), cancellation);
            return (clusters.DBClusterSnapshots?.Select(RdsMapping.Read), clusters.Marker);
        });

    /// <summary>Deletes a snapshot; it is not gone before RDS says so.</summary>
    public Task DeleteSnapshotAsync(RdsSnapshot snapshot, CancellationToken cancellation) => snapshot.Kind == SnapshotKind.Instance
        ? AskAsync("rds:DeleteDBSnapshot", snapshot.Identifier, () => client.DeleteDBSnapshotAsync(new DeleteDBSnapshotRequest { DBSnapshotIdentifier = snapshot.Identifier }, cancellation), cancellation)
        : AskAsync("rds:DeleteDBClusterSnapshot", snapshot.Identifier, () => client.DeleteDBClusterSnapshotAsync(new DeleteDBClusterSnapshotRequest { DBClusterSnapshotIdentifier = snapshot.Identifier }, cancellation), cancellation);

    /// <summary>Asks for a new instance with a snapshot's content, set up as the original as far as a restore takes that.</summary>
    public async Task<RdsInstance> RestoreAsync(RdsSnapshot snapshot, string identifier, RdsInstance original, IReadOnlyDictionary<string, string> tags, CancellationToken cancellation) =>
        RdsMapping.Read((await AskAsync("rds:RestoreDBInstanceFromDBSnapshot", identifier, () => client.RestoreDBInstanceFromDBSnapshotAsync(RdsMapping.Restore(snapshot, identifier, original, tags), cancellation), cancellation)).DBInstance);

    /// <summary>Asks for the settings in which an instance differs from those that are wanted.</summary>
    public Task ModifyAsync(RdsInstance instance, InstanceSettings wanted, CancellationToken cancellation) =>
        AskAsync("rds:ModifyDBInstance", instance.Identifier, () => client.ModifyDBInstanceAsync(RdsMapping.Modify(instance, wanted), cancellation), cancellation);

    /// <summary>Whether an instance differs from what is wanted in something that <see cref="ModifyAsync"/> would ask for.</summary>
    public static bool CanModify(RdsInstance instance, InstanceSettings wanted) => RdsMapping.AsksForSomething(RdsMapping.Modify(instance, wanted));

    /// <summary>Asks for another name; the endpoint gets another host name with it. It does not bear it before RDS says so.</summary>
    public Task RenameAsync(string identifier, string to, CancellationToken cancellation) =>
        AskAsync("rds:ModifyDBInstance", identifier, () => client.ModifyDBInstanceAsync(new ModifyDBInstanceRequest { DBInstanceIdentifier = identifier, NewDBInstanceIdentifier = to, ApplyImmediately = true }, cancellation), cancellation);

    /// <summary>Adds or replaces tags.</summary>
    public Task TagAsync(string arn, IReadOnlyDictionary<string, string> tags, CancellationToken cancellation) =>
        AskAsync("rds:AddTagsToResource", arn, () => client.AddTagsToResourceAsync(new AddTagsToResourceRequest { ResourceName = arn, Tags = RdsMapping.Tags(tags) }, cancellation), cancellation);

    /// <summary>How many manual snapshots there may be, and are; null where RDS does not say.</summary>
    public async Task<SnapshotQuota?> SnapshotQuotaAsync(SnapshotKind kind, CancellationToken cancellation)
    {
        var name = kind == SnapshotKind.Instance ? "ManualSnapshots" : "ManualClusterSnapshots";
        var quotas = await AskAsync("rds:DescribeAccountAttributes", "the account", () => client.DescribeAccountAttributesAsync(new DescribeAccountAttributesRequest(), cancellation), cancellation);
        return quotas.AccountQuotas?.FirstOrDefault(quota => quota.AccountQuotaName == name) is { Used: { } used, Max: { } most } ? new SnapshotQuota(used, most) : null;
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>The SDK reads AWS_REGION and the profile; the CLI and most CI hosts know AWS_DEFAULT_REGION as well.</summary>
    internal static AmazonRDSConfig Configuration(Func<string, string?> variable)
    {
        var configuration = new AmazonRDSConfig { RetryMode = RequestRetryMode.Standard, Timeout = TimeSpan.FromSeconds(30) };
        if (string.IsNullOrEmpty(variable("AWS_MAX_ATTEMPTS")))
        {
            configuration.MaxErrorRetry = 5;
        }

        if (string.IsNullOrEmpty(variable("AWS_REGION")) && variable("AWS_DEFAULT_REGION") is { Length: > 0 } region)
        {
            configuration.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(region);
            configuration.AuthenticationRegion = region;
        }

        return configuration;
    }

    /// <summary>The SDK looks for the region here, and for credentials with the first request.</summary>
    internal static IAmazonRDS Connect(AmazonRDSConfig configuration)
    {
        try
        {
            return new AmazonRDSClient(configuration);
        }
        catch (AmazonClientException nowhere)
        {
            throw RdsFailures.Explain(nowhere, "rds", "the account", "no region");
        }
    }

    private static async Task<IReadOnlyList<T>> PagesAsync<T>(Func<string?, Task<(IEnumerable<T>? Items, string? Marker)>> ask)
    {
        var all = new List<T>();
        string? marker = null;
        do
        {
            var (items, next) = await ask(marker);
            all.AddRange(items ?? []);
            marker = string.IsNullOrEmpty(next) || next == marker ? null : next;
        }
        while (marker is not null);
        return all;
    }

    private async Task<T> AskAsync<T>(string action, string resource, Func<Task<T>> ask, CancellationToken cancellation)
    {
        try
        {
            return await ask();
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested && RdsFailures.IsOurs(failure))
        {
            throw RdsFailures.Explain(failure, action, resource, Where);
        }
    }

    private async Task<T?> AskOrNullAsync<T>(string action, string resource, string absent, Func<Task<T>> ask, CancellationToken cancellation)
        where T : class
    {
        try
        {
            return await AskAsync(action, resource, ask, cancellation);
        }
        catch (Outcomes.RunbookException explained) when (explained.InnerException is AmazonServiceException { ErrorCode: { } code } && code == absent)
        {
            // Nothing of that name is an answer.
            return null;
        }
    }
}
