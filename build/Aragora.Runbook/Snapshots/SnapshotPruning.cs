using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>Deletes snapshots of ours that have expired, or only says which. Never one that is not tagged as ours and of this instance, never an automated one, never our newest, never one that is being restored.</summary>
/// <param name="run">The run.</param>
/// <param name="rds">RDS.</param>
/// <param name="options">Which instance, and whether in earnest.</param>
public sealed class SnapshotPruning(RunContext run, RdsApi rds, RdsOptions options)
{
    /// <summary>Which of them go, and why the others of ours stay.</summary>
    /// <param name="snapshots">All of the instance or cluster.</param>
    /// <param name="source">Its name.</param>
    /// <param name="restored">The snapshots that restored instances say they are of, as long as they are not in use.</param>
    /// <param name="now">The time.</param>
    public static IReadOnlyList<PruneDecision> Decide(IReadOnlyList<RdsSnapshot> snapshots, string source, IReadOnlySet<string> restored, DateTimeOffset now)
    {
        var ours = snapshots.Where(snapshot => SnapshotTags.IsOurs(snapshot, source)).OrderBy(snapshot => snapshot.TakenAt ?? now).ToList();
        var newest = ours.LastOrDefault(snapshot => snapshot.IsAvailable);
        return [.. ours.Select(snapshot => new PruneDecision(snapshot, Keeps(snapshot)))];

        string? Keeps(RdsSnapshot snapshot) => SnapshotTags.Expiry(snapshot) switch
        {
            _ when snapshot == newest => "it is the newest",
            null => $"its tag {SnapshotTags.ExpiresAt} does not say when it expires",
            { } expiry when expiry > now => $"it expires {Measures.Moment(expiry)}",
            _ when !snapshot.IsAvailable => $"it is {snapshot.Status}",
            _ when restored.Contains(snapshot.Identifier) => "it is being restored",
            _ => null,
        };
    }

    /// <summary>Prunes, or says what it would.</summary>
    /// <exception cref="RefusedException">AWS does not allow it; what was deleted is said.</exception>
    /// <exception cref="FailedCleanException">One did not go in time.</exception>
    public async Task<PruneResult> RunAsync(CancellationToken cancellation)
    {
        var subject = await SnapshotSubject.ReadAsync(rds, options.InstanceIdentifier, cancellation);
        var snapshots = await rds.ListSnapshotsAsync(subject.Kind, subject.Identifier, cancellation);
        var restored = (await rds.ListInstancesAsync(cancellation)).Select(RestoreTags.InProgressFrom).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var decisions = Decide(snapshots, subject.Identifier, restored, run.Clock.GetUtcNow());
        foreach (var kept in decisions.Where(decision => decision.Keeps is not null))
        {
            run.Log.Debug("Keeps {Snapshot:l}: {Why:l}", kept.Snapshot.Identifier, kept.Keeps);
        }

        List<RdsSnapshot> expired = [.. decisions.Where(decision => decision.Keeps is null).Select(decision => decision.Snapshot)];
        run.Log.Information("{Ours} of the {All} snapshots of {Source:l} are ours, {Expired} of them expired", decisions.Count, snapshots.Count, subject.Identifier, expired.Count);
        foreach (var snapshot in expired)
        {
            run.Log.Information(
                "{Would:l} {Snapshot:l}: taken {Taken:l}, at {Revision:l}, {Size} GiB, expired {Expiry:l}",
                options.DryRun ? "Would delete" : "Deleting", snapshot.Identifier, snapshot.TakenAt is { } taken ? Measures.Moment(taken) : "?", snapshot.Tags.GetValueOrDefault(SnapshotTags.Revision, "?"), snapshot.StorageGib, Measures.Moment(SnapshotTags.Expiry(snapshot)!.Value));
            if (!options.DryRun)
            {
                await DeleteAsync(snapshot, cancellation);
            }
        }

        if (options.DryRun && expired.Count > 0)
        {
            run.Log.Information("Nothing was deleted. In earnest: the same command with --no-dry-run");
        }

        return new PruneResult([.. expired.Select(snapshot => snapshot.Identifier)], decisions.Count, options.DryRun);
    }

    private Task<string> DeleteAsync(RdsSnapshot snapshot, CancellationToken cancellation) => run.Journal.ActAsync("delete an expired snapshot", new { snapshot.Identifier, snapshot.Arn, snapshot.TakenAt, snapshot.Tags }, async () =>
    {
        await rds.DeleteSnapshotAsync(snapshot, cancellation);
        return await new RdsWait(run, options).UntilAsync(
            $"deletion of {snapshot.Identifier}",
            async token => await rds.FindSnapshotAsync(snapshot.Kind, snapshot.Identifier, token) is { } left ? new Seen<string>(null, left.Status) : new Seen<string>("gone", "gone"),
            last => new FailedCleanException($"The snapshot {snapshot.Identifier} is not gone after {Measures.Duration(options.Deadline)}.", $"RDS says that it is {last}", "./build.sh PruneSnapshots   again, later"),
            cancellation);
    });
}

/// <summary>What becomes of a snapshot of ours.</summary>
/// <param name="Snapshot">It.</param>
/// <param name="Keeps">Why it stays; null where it goes.</param>
public sealed record PruneDecision(RdsSnapshot Snapshot, string? Keeps);

/// <summary>What pruning came to.</summary>
/// <param name="Expired">The expired ones; deleted, unless it was a dry run.</param>
/// <param name="Ours">How many of ours there were.</param>
/// <param name="DryRun">Whether nothing was deleted.</param>
public sealed record PruneResult(IReadOnlyList<string> Expired, int Ours, bool DryRun);
