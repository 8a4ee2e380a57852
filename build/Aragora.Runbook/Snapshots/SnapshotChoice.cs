using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>The snapshot that a rollback restores: the one that was named, never one that nobody chose.</summary>
/// <param name="run">Clock.</param>
/// <param name="rds">RDS.</param>
/// <param name="options">Which instance and snapshot.</param>
public sealed class SnapshotChoice(RunContext run, RdsApi rds, RdsOptions options)
{
    private const int Shown = 10;

    /// <summary>The snapshot.</summary>
    /// <exception cref="RefusedException">None was named; it is of another instance, of a cluster, or not whole.</exception>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public async Task<RdsSnapshot> ReadAsync(CancellationToken cancellation)
    {
        var name = options.InstanceIdentifier;
        var instance = await rds.FindInstanceAsync(name, cancellation);
        if (instance?.ClusterIdentifier is { } cluster)
        {
            throw Aurora(cluster);
        }

        if (instance?.ReplicaOf is { } primary)
        {
            throw new RefusedException($"{name} is a replica of {primary}.", "a rollback restores what is written to", $"name the primary with {RdsOptions.InstanceSwitch}");
        }

        if (options.SnapshotIdentifier is not { } wanted)
        {
            throw new RefusedException("A rollback by snapshot wants to know which one.", await ListedAsync(cancellation), $"{Command} --snapshot-identifier <one of these>");
        }

        var snapshot = await rds.FindSnapshotAsync(SnapshotKind.Instance, wanted, cancellation) ?? throw new BadInputException(
            $"There is no snapshot {wanted}.", $"asked was {rds.Where}; {await ListedAsync(cancellation)}", $"{Command} --snapshot-identifier <one of these>");
        if (snapshot.SourceIdentifier != name)
        {
            throw new RefusedException($"The snapshot {wanted} is of another instance.", $"it is of {snapshot.SourceIdentifier}, and production's is {name}", $"{Command}   lists those of {name}");
        }

        return snapshot.IsAvailable ? snapshot : throw new RefusedException($"The snapshot {wanted} is not whole.", $"it is {snapshot.Status}, {snapshot.Percent} %", "wait for it, or name another");
    }

    private string Command => $"./build.sh Rollback --target-environment Production --strategy Snapshot {RdsOptions.InstanceSwitch} {options.InstanceIdentifier}";

    private static RefusedException Aurora(string cluster) => new(
        $"A rollback by snapshot does not restore Aurora yet, and production is the Aurora cluster {cluster}.",
        "a cluster is restored in parts (cluster, then instances), and its endpoints are renamed in parts",
        $"--strategy Restore with a dump; or by hand: aws rds restore-db-cluster-from-snapshot, then create-db-instance with the same class in it, check it, and rename (docs/rds.md has the commands)");

    private async Task<string> ListedAsync(CancellationToken cancellation)
    {
        var all = await rds.ListSnapshotsAsync(SnapshotKind.Instance, options.InstanceIdentifier, cancellation);
        var now = run.Clock.GetUtcNow();
        return all.Count == 0 ? $"there is no snapshot of {options.InstanceIdentifier}" : "there are: " + string.Join(
            Environment.NewLine + "        ",
            all.OrderByDescending(snapshot => snapshot.TakenAt).Take(Shown).Select(snapshot =>
                $"{snapshot.Identifier}: {(snapshot.TakenAt is { } taken ? $"taken {ProgressSnapshot.Rough(now - taken)} ago" : snapshot.Status)}, {(snapshot.Tags.TryGetValue(SnapshotTags.Revision, out var revision) ? $"at {revision}" : $"{snapshot.Type}, at an unknown revision")}, {snapshot.Status}"));
    }
}
