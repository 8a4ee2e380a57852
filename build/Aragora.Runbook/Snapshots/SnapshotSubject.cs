using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Snapshots;

/// <summary>What a snapshot is made of: production's instance, or the Aurora cluster that it is part of.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="Identifier">Its name.</param>
/// <param name="Engine">Such as <c>postgres</c>.</param>
/// <param name="IsEncrypted">Whether its storage is encrypted.</param>
/// <param name="Instance">The instance that was named.</param>
/// <param name="Cluster">The cluster; null for an instance of its own.</param>
public sealed record SnapshotSubject(SnapshotKind Kind, string Identifier, string Engine, bool IsEncrypted, RdsInstance Instance, RdsCluster? Cluster)
{
    // A snapshot can be made in each of these; what is not here passes by itself, or is in Stuck.
    private static readonly HashSet<string> Ready = new(["available", "storage-optimization"], StringComparer.Ordinal);

    private static readonly HashSet<string> Stuck = new(
        ["stopped", "stopping", "failed", "deleting", "storage-full", "inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable", "incompatible-network", "incompatible-option-group", "incompatible-parameters", "incompatible-restore", "insufficient-capacity", "restore-error"],
        StringComparer.Ordinal);

    /// <summary>The status of what is snapshotted.</summary>
    public string Status => Cluster?.Status ?? Instance.Status;

    /// <summary>Whether a snapshot can be made now.</summary>
    public bool IsReady => Ready.Contains(Status);

    /// <summary>Whether waiting does not help.</summary>
    public bool IsStuck => Stuck.Contains(Status);

    /// <summary>host:port that leads to it; the writer's for a cluster.</summary>
    public IReadOnlyList<(string Host, int Port)> Endpoints =>
        [.. new[] { (Instance.Address, Instance.Port), (Cluster?.Address, Cluster?.Port) }.Where(endpoint => endpoint is { Item1: not null, Item2: not null }).Select(endpoint => (endpoint.Item1!, endpoint.Item2!.Value))];

    /// <summary>For people.</summary>
    public override string ToString() => $"{(Kind == SnapshotKind.Instance ? "instance" : "cluster")} {Identifier} ({Engine} {Instance.EngineVersion}, {Status})";

    /// <summary>Asks RDS.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    /// <exception cref="RefusedException">It is not PostgreSQL.</exception>
    public static async Task<SnapshotSubject> ReadAsync(RdsApi rds, string identifier, CancellationToken cancellation)
    {
        var instance = await rds.FindInstanceAsync(identifier, cancellation) ?? throw new BadInputException(
            $"There is no instance {identifier}.",
            $"asked was {rds.Where}: another region or account, or the name is another",
            "aws rds describe-db-instances --query 'DBInstances[].DBInstanceIdentifier'   lists them; ./build.sh Status   tells whether a rollback is renaming it");
        if (instance.Engine is not ("postgres" or "aurora-postgresql"))
        {
            throw new RefusedException($"{identifier} is no PostgreSQL.", $"RDS says that it is {instance.Engine}", $"name production's instance with {RdsOptions.InstanceSwitch}");
        }

        if (instance.ClusterIdentifier is not { } name)
        {
            return new SnapshotSubject(SnapshotKind.Instance, instance.Identifier, instance.Engine, instance.IsEncrypted, instance, null);
        }

        var cluster = await rds.FindClusterAsync(name, cancellation) ?? throw new BadInputException($"There is no cluster {name}.", $"{identifier} says that it is part of it", "./build.sh Status");
        return new SnapshotSubject(SnapshotKind.Cluster, cluster.Identifier, cluster.Engine, cluster.IsEncrypted, instance, cluster);
    }
}
