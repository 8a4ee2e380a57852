using System.Globalization;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Rollbacks;
using Npgsql;

namespace Aragora.Runbook.Snapshots;

/// <summary>
/// The rollback by an RDS snapshot: restored into a new instance beside production's, set up as that one, looked into; then its endpoint is printed, or the two exchange names. The original is
/// never deleted. What was begun is written on the instances, and the same command goes on with it from any machine.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="rds">RDS.</param>
/// <param name="options">Which instance and snapshot, and what becomes of it.</param>
/// <param name="dumps">The dumps at hand: the one that was made beside the snapshot tells what it should hold.</param>
public sealed class SnapshotRollback(RunContext run, RdsApi rds, RdsOptions options, BackupCatalog dumps)
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5);

    /// <summary>Refuses where the application does not work with the revisions that are about to come back. Default: nobody is asked.</summary>
    public Func<DatabaseEnvironment, IReadOnlyList<string>, CancellationToken, Task> Fit { get; init; } = (_, _, _) => Task.CompletedTask;

    /// <summary>Restores, checks, and exchanges names where that is wanted.</summary>
    /// <exception cref="RefusedException">No snapshot was named, or not one of this instance; writes would be lost that nobody accepted; AWS does not allow something.</exception>
    /// <exception cref="FailedCleanException">The restored instance is not what it should be. Nothing points at it.</exception>
    /// <exception cref="NeedsPersonException">The exchange of names did not come to its end, or something else answers at the URL afterwards.</exception>
    public async Task<SnapshotRollbackResult> RunAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        run.Secrets.Add(environment.Database.Password);
        var started = run.Clock.GetTimestamp();
        var snapshot = await new SnapshotChoice(run, rds, options).ReadAsync(cancellation);
        var situation = await RestoreSituation.ReadAsync(rds, options.InstanceIdentifier, snapshot.Identifier, cancellation);
        var manifest = DumpBeside(snapshot);
        run.Log.Information("The snapshot: {Snapshot:l}, {Engine:l}, taken {Taken:l}, at {Revision:l}", snapshot.Identifier, $"{snapshot.Engine} {snapshot.EngineVersion}", snapshot.TakenAt is { } taken ? Measures.Moment(taken) : "?", snapshot.Tags.GetValueOrDefault(SnapshotTags.Revision, "a revision that it does not tell"));
        if (situation.IsExchangeBegun)
        {
            return await FinishAsync(environment, snapshot, situation, manifest, started, cancellation);
        }

        var told = SnapshotTags.RevisionsOf(snapshot);
        if (told is not null)
        {
            await Fit(environment, told, cancellation);
        }

        var writes = new WritesSinceSnapshot(run, options, snapshot, manifest);
        var lost = options.Switch == SwitchMode.Rename ? await writes.RequireAcceptedAsync(environment, cancellation) : await writes.CountAsync(environment, cancellation);
        run.Log.Information("Since the snapshot: {Writes:l} so far", lost.Text);
        var (restored, seen, facts) = await RestoreAsync(environment, snapshot, situation, manifest, started, cancellation);
        if (told is null)
        {
            // Not one of ours: only the restored database says at which revision it is.
            await Fit(environment, seen.Facts.Revisions, cancellation);
        }

        if (options.Switch == SwitchMode.Print)
        {
            TellEndpoint(environment, restored, lost);
            return new SnapshotRollbackResult(facts, null);
        }

        await using var lease = await TryLockAsync(environment, cancellation);
        lost = await writes.RequireAcceptedAsync(environment, cancellation);
        writes.Accept(environment, lost);
        situation = await RestoreSituation.ReadAsync(rds, options.InstanceIdentifier, snapshot.Identifier, cancellation);
        return await SwitchAsync(environment, snapshot, situation, manifest, (seen, facts), lost, started, cancellation);
    }

    /// <summary>Names were being exchanged, or are: that comes to its end first, whatever is asked for now.</summary>
    private async Task<SnapshotRollbackResult> FinishAsync(DatabaseEnvironment environment, RdsSnapshot snapshot, RestoreSituation situation, BackupManifest? manifest, long started, CancellationToken cancellation)
    {
        var restored = situation.Restored!;
        if (options.Switch == SwitchMode.Print)
        {
            throw new RefusedException(
                situation.IsSwitched ? $"{options.InstanceIdentifier} is what was restored from {snapshot.Identifier} already." : $"Run {restored.Tags.GetValueOrDefault(SnapshotTags.RunId, "?")} died while it exchanged names: {restored.Identifier} is to become {options.InstanceIdentifier}.",
                "there is no endpoint to print where names are exchanged",
                $"{Command(snapshot)} --switch Rename   finishes and verifies it; to restore it once more: aws rds remove-tags-from-resource --resource-name {restored.Arn} --tag-keys {RestoreTags.RestoreOf}");
        }

        var by = restored.Tags.GetValueOrDefault(SnapshotTags.RunId, "?");
        if (situation.Step is RestoreStep.Switched)
        {
            run.Log.Warning("{Name:l} is what run {Run:l} restored from {Snapshot:l} already: it is looked into and read back again, and nothing is restored", options.InstanceIdentifier, by, snapshot.Identifier);
        }
        else
        {
            run.Log.Warning("Run {Run:l} died while it exchanged the names: that is finished now", by);
        }

        return await SwitchAsync(environment, snapshot, situation, manifest, null, LostWrites.Unknown("they were counted and accepted by the run that began"), started, cancellation);
    }

    private async Task<(RdsInstance Restored, RestoredDatabase Seen, SnapshotRestoreFacts Facts)> RestoreAsync(DatabaseEnvironment environment, RdsSnapshot snapshot, RestoreSituation situation, BackupManifest? manifest, long started, CancellationToken cancellation)
    {
        var restore = new InstanceRestore(run, rds, options);
        var (restored, differences) = await restore.RunAsync(situation, snapshot, cancellation);
        var seen = await run.Journal.ActAsync("look into the restored database", new { restored.Identifier, restored.Endpoint }, () => new RestoredDatabaseCheck(run, options).RunAsync(At(environment, restored), snapshot, manifest, cancellation));
        await restore.StepAsync(restored, RestoreStep.Checked, cancellation);
        var facts = Facts(snapshot, restored, seen, [.. differences.Select(difference => difference.ToString())]);
        await run.RecordAsync(EvidenceKinds.SnapshotRestore, environment, seen.Facts, facts, run.Clock.GetElapsedTime(started), treeHash: null, cancellation);
        run.Log.Information("Restored and looked into: {Instance:l} at {Endpoint:l}, at {Revision:l}, {Rows} rows in {Tables} tables", restored.Identifier, restored.Endpoint, seen.Facts.Revisions.Named(), facts.Rows, facts.Tables);
        return (restored, seen, facts);
    }

    private async Task<SnapshotRollbackResult> SwitchAsync(
        DatabaseEnvironment environment, RdsSnapshot snapshot, RestoreSituation situation, BackupManifest? manifest, (RestoredDatabase Database, SnapshotRestoreFacts Facts)? looked, LostWrites lost, long started, CancellationToken cancellation)
    {
        var before = await run.TryReadAsync(options.Live(environment), cancellation);
        var began = run.Clock.GetTimestamp();
        var (bearer, keptAs) = await new NameSwitch(run, rds, options).RunAsync(environment, situation, cancellation);
        var seen = looked?.Database ?? await LookAgainAsync(environment, bearer, snapshot, manifest, keptAs);
        var facts = looked?.Facts ?? Facts(snapshot, bearer, seen, []);
        var after = await new SwitchedDatabase(run, options).ReadBackAsync(environment, seen, keptAs);
        var switched = new SnapshotRollbackFacts(before?.Revisions, after.Revisions, snapshot.Identifier, snapshot.TakenAt, lost.Total, run.Clock.GetElapsedTime(began), keptAs);
        run.Log.Information("{Name:l} is the instance restored from {Snapshot:l}, at {Revision:l}; the URL leads to it; the old one is kept as {Kept:l}", bearer.Identifier, snapshot.Identifier, after.Revisions.Named(), keptAs);
        run.Log.Information("When nobody needs the old one any more, somebody deletes it: aws rds delete-db-instance --db-instance-identifier {Kept:l} --final-db-snapshot-identifier {Final:l}   (this build never does)", keptAs, keptAs + "-final");
        await run.RecordAsync(EvidenceKinds.Rollback, environment, after, switched, run.Clock.GetElapsedTime(started), treeHash: null, CancellationToken.None);
        return new SnapshotRollbackResult(facts with { Instance = bearer.Identifier, Endpoint = bearer.Endpoint }, switched);
    }

    /// <summary>The run that had looked into it is dead; nobody else knows the server that has to answer at the URL.</summary>
    private async Task<RestoredDatabase> LookAgainAsync(DatabaseEnvironment environment, RdsInstance bearer, RdsSnapshot snapshot, BackupManifest? manifest, string keptAs)
    {
        try
        {
            return await new RestoredDatabaseCheck(run, options).RunAsync(At(environment, bearer), snapshot, manifest, CancellationToken.None);
        }
        catch (FailedCleanException unlike)
        {
            throw new NeedsPersonException($"The names are exchanged, and {bearer.Identifier} is not as it should be: {unlike.What}", $"{unlike.Why}; the old instance is kept as {keptAs}", unlike.Next, unlike);
        }
    }

    /// <summary>The lock of the old database, where it can be had: a database that is gone cannot be locked, and that is when a snapshot is needed most.</summary>
    private async Task<SingleFlightLease?> TryLockAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        try
        {
            return await new SingleFlight(run) { MayBeClosed = true }.AcquireAsync(options.Live(environment), LockPatience, cancellation);
        }
        catch (Exception unreachable) when (unreachable is BadInputException or NpgsqlException)
        {
            run.Log.Warning("The old database cannot be locked against a migration: {Why:l}", LogText.SingleLine(unreachable.Message));
            return null;
        }
    }

    private void TellEndpoint(DatabaseEnvironment environment, RdsInstance restored, LostWrites lost)
    {
        var rename = $"{Command(options.SnapshotIdentifier!)} --switch Rename --accept-lost-writes {lost.Total?.ToString(CultureInfo.InvariantCulture) ?? AcceptedWrites.UnknownWord}";
        run.Log.Information("Nothing points at it yet. Either change the host in {Variable:l}, and wherever the application has it, to {Host:l} (port {Port})", environment.UrlVariable, restored.Address, restored.Port);
        run.Log.Information("or exchange the names, so that the endpoint stays: {Command:l}", rename);
        run.Log.Information("or, when nothing uses it, delete it, which costs as long as it stands: aws rds delete-db-instance --db-instance-identifier {Instance:l} --final-db-snapshot-identifier {Final:l}", restored.Identifier, restored.Identifier + "-final");
    }

    private BackupManifest? DumpBeside(RdsSnapshot snapshot) =>
        dumps.List().Backups.FirstOrDefault(backup => (snapshot.Tags.TryGetValue(SnapshotTags.Dump, out var name) && backup.Name == name) || (snapshot.Tags.TryGetValue(SnapshotTags.RunId, out var id) && backup.Manifest.RunId == id))?.Manifest;

    private DatabaseEnvironment At(DatabaseEnvironment environment, RdsInstance instance) => options.At(environment, instance.Address!, instance.Port ?? environment.Database.Port, "restored");

    private static SnapshotRestoreFacts Facts(RdsSnapshot snapshot, RdsInstance restored, RestoredDatabase seen, IReadOnlyList<string> differences) =>
        new(snapshot.Identifier, restored.Identifier, restored.Endpoint, seen.Facts.Revisions, seen.Tables.Count, seen.Tables.Values.Sum(table => table.Rows), differences);

    private string Command(RdsSnapshot snapshot) => Command(snapshot.Identifier);

    private string Command(string snapshot) => $"./build.sh Rollback --target-environment Production --strategy Snapshot {RdsOptions.InstanceSwitch} {options.InstanceIdentifier} --snapshot-identifier {snapshot}";
}
