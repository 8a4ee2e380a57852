using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>Makes a snapshot of production's instance beside its dump, waits for it, and believes it only as RDS describes it.</summary>
/// <param name="run">The run.</param>
/// <param name="rds">RDS.</param>
/// <param name="options">Which instance, and how long.</param>
public sealed class SnapshotStep(RunContext run, RdsApi rds, RdsOptions options)
{
    // RDS describes a snapshot a moment after it has taken the request.
    private static readonly TimeSpan Appearing = TimeSpan.FromMinutes(2);
    private readonly RdsWait wait = new(run, options);

    /// <summary>Finds the snapshot of the database as it is now, or makes it.</summary>
    /// <param name="environment">Production.</param>
    /// <param name="now">The database as it is now, read live.</param>
    /// <param name="dump">The dump beside it; null for none.</param>
    /// <param name="treeHash">The migrations tree; null where it is not known.</param>
    /// <param name="anew">Whether a whole snapshot that is there already does not count; one that is being made always does.</param>
    /// <param name="cancellation">Ends the waiting: RDS goes on, and the next run finds what it made.</param>
    /// <exception cref="RefusedException">The instance cannot be snapshotted, or AWS does not allow it.</exception>
    /// <exception cref="FailedCleanException">It did not come, not in time, or is not what it should be.</exception>
    public async Task<SnapshotFacts> RunAsync(DatabaseEnvironment environment, DatabaseFacts now, BackupReference? dump, string? treeHash, bool anew, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        var subject = await ReadyAsync(cancellation);
        if (await EndpointMatch.DifferenceAsync(environment.Database, subject, cancellation) is { } differs)
        {
            run.Log.Warning("Whether the snapshot is of the database that was dumped cannot be told: {Difference:l} (a name of its own, a proxy or a tunnel is no harm)", differs);
        }

        var found = await FindAsync(subject, now, anew, cancellation);
        var name = found?.Identifier ?? RdsNames.Snapshot(subject.Identifier, run.RunId);
        var expiry = found is null ? run.Clock.GetUtcNow() + options.Retention : SnapshotTags.Expiry(found);
        if (found is null)
        {
            run.Log.Information("Snapshotting the {Subject:l} as {Snapshot:l}", subject.ToString(), name);
        }
        else
        {
            run.Log.Information("Run {Run:l} {Did:l} the snapshot {Snapshot:l} of this database at this revision: it is taken, and no second one made", found.Tags[SnapshotTags.RunId], found.IsAvailable ? "made" : "began", name);
        }

        var facts = await run.Journal.ActAsync($"snapshot {subject.Identifier}", new { subject.Kind, subject.Identifier, Snapshot = name, now.Revisions, Found = found is not null, rds.Where }, async () =>
        {
            if (found is null)
            {
                await rds.CreateSnapshotAsync(subject.Kind, subject.Identifier, name, SnapshotTags.Of(run.RunId, environment, subject.Identifier, now, treeHash, dump?.Name, expiry!.Value), cancellation);
            }

            return await BegunWork.GuardAsync($"RDS goes on with the snapshot {name}, and the next run finds it", async () =>
            {
                var made = await AwaitAsync(subject, name, cancellation);
                Verify(subject, made);
                await RequireUnmovedAsync(environment, made, now, cancellation);
                return new SnapshotFacts(made.Identifier, made.Arn, made.SourceIdentifier, $"{made.Engine} {made.EngineVersion}", made.StorageGib, made.IsEncrypted, made.TakenAt, expiry, found is not null);
            });
        });
        await run.RecordAsync(EvidenceKinds.Snapshot, environment, now, facts, run.Clock.GetElapsedTime(started), treeHash, cancellation);
        run.Log.Information("Snapshot {Snapshot:l} is available: {Engine:l}, {Size} GiB, {Encrypted:l}, kept until {Expiry:l}", facts.Snapshot, facts.Engine, facts.StorageGib, facts.IsEncrypted ? "encrypted" : "not encrypted", facts.ExpiresAt is { } until ? Measures.Moment(until) : "somebody deletes it");
        return facts;
    }

    /// <summary>The instance, when a snapshot of it can be made: a backup or a modification of RDS's own passes.</summary>
    private Task<SnapshotSubject> ReadyAsync(CancellationToken cancellation) => wait.UntilAsync(
        $"instance {options.InstanceIdentifier}",
        async token =>
        {
            var subject = await SnapshotSubject.ReadAsync(rds, options.InstanceIdentifier, token);
            return subject.IsStuck
                ? throw new RefusedException($"There can be no snapshot of the {subject}.", "it is not available, and does not become so by itself", "aws rds start-db-instance, or what its status asks for; then repeat the command")
                : new Seen<SnapshotSubject>(subject.IsReady ? subject : null, subject.Status);
        },
        last => new FailedCleanException($"{options.InstanceIdentifier} did not become available in {Measures.Duration(options.Deadline)}.", $"its status is {last}; there is no snapshot", "./build.sh Backup   again, or a longer --snapshot-deadline"),
        cancellation);

    /// <summary>A snapshot of ours of this very database since its last migration: one that is being made, or, unless a new one is wanted, one that is whole and young enough to be believed.</summary>
    private async Task<RdsSnapshot?> FindAsync(SnapshotSubject subject, DatabaseFacts now, bool anew, CancellationToken cancellation)
    {
        var stamp = SnapshotTags.StampOf(now);
        var revision = SnapshotTags.RevisionOf(now.Revisions);
        var at = run.Clock.GetUtcNow();
        var fitting = (await rds.ListSnapshotsAsync(subject.Kind, subject.Identifier, cancellation)).Where(snapshot =>
            SnapshotTags.IsOurs(snapshot, subject.Identifier)
            && (snapshot.SourceResourceId is null || snapshot.SourceResourceId == (subject.Cluster?.ResourceId ?? subject.Instance.ResourceId))
            && snapshot.Tags.TryGetValue(SnapshotTags.RevisionStamp, out var hasStamp) && hasStamp == stamp
            && snapshot.Tags.TryGetValue(SnapshotTags.Revision, out var hasRevision) && hasRevision == revision).ToList();
        return fitting.FirstOrDefault(snapshot => snapshot.IsCreating)
            ?? fitting.Where(snapshot => !anew && snapshot.IsAvailable && snapshot.TakenAt > at - run.EvidenceLifetime && SnapshotTags.Expiry(snapshot) > at).MaxBy(snapshot => snapshot.TakenAt);
    }

    private Task<RdsSnapshot> AwaitAsync(SnapshotSubject subject, string name, CancellationToken cancellation)
    {
        var began = run.Clock.GetTimestamp();
        return wait.UntilAsync(
            $"snapshot {name}",
            async token =>
            {
                var snapshot = await rds.FindSnapshotAsync(subject.Kind, name, token);
                return snapshot switch
                {
                    null when run.Clock.GetElapsedTime(began) > Appearing => throw Failed(name, "RDS took the request, and describes no snapshot of that name"),
                    null => new Seen<RdsSnapshot>(null, "asked for"),
                    { IsAvailable: true } => new Seen<RdsSnapshot>(snapshot, "available"),
                    { IsCreating: false } => throw Failed(name, $"RDS says that it is {snapshot.Status}"),
                    _ => new Seen<RdsSnapshot>(null, $"{snapshot.Status}, {snapshot.Percent} %"),
                };
            },
            last => new FailedCleanException($"The snapshot {name} did not come in {Measures.Duration(options.Deadline)}.", $"it is {last}; RDS goes on with it", "./build.sh Backup   finds it and waits on; a longer --snapshot-deadline waits longer"),
            cancellation);
    }

    private static void Verify(SnapshotSubject subject, RdsSnapshot made)
    {
        (string Name, string Wanted, string Found)[] described =
        [
            ("of", subject.Identifier, made.SourceIdentifier),
            ("resource", subject.Cluster?.ResourceId ?? subject.Instance.ResourceId, made.SourceResourceId ?? subject.Cluster?.ResourceId ?? subject.Instance.ResourceId),
            ("engine", subject.Engine, made.Engine),
            ("encrypted", subject.IsEncrypted.ToString(), made.IsEncrypted.ToString()),
            ("storage (GiB)", subject.Kind == SnapshotKind.Instance ? Number(subject.Instance.StorageGib) : Number(made.StorageGib), Number(made.StorageGib)),
        ];
        var wrong = described.Where(one => one.Wanted != one.Found).Select(one => $"{one.Name}: {one.Found} instead of {one.Wanted}").ToList();
        if (wrong.Count > 0)
        {
            throw Failed(made.Identifier, string.Join("; ", wrong));
        }

        static string Number(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Its tags tell the revision only if nothing moved from before it to after it.</summary>
    private async Task RequireUnmovedAsync(DatabaseEnvironment environment, RdsSnapshot made, DatabaseFacts before, CancellationToken cancellation)
    {
        var after = await DatabaseInspector.ReadAsync(options.Live(environment), cancellation);
        if (after.RevisionStamp != before.RevisionStamp)
        {
            await rds.TagAsync(made.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [SnapshotTags.Revision] = SnapshotTags.Unknown, [SnapshotTags.RevisionStamp] = "moved" }, cancellation);
            throw new FailedCleanException("The database was migrated while it was snapshotted.", $"nobody can tell which revision {made.Identifier} holds; its tag says so", "./build.sh Status, and when the migration is over: ./build.sh Backup");
        }
    }

    private static FailedCleanException Failed(string name, string why) => new($"The snapshot {name} cannot be relied on.", why, "./build.sh Backup --fresh   makes a new one");
}
