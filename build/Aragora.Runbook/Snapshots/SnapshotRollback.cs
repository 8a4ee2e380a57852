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

    /// <summary>A migration that goes on without its run: it would go on with the restored database once that bears the name. Default: null, nobody is asked.</summary>
    public Func<DatabaseEnvironment, CancellationToken, Task<RunningMigration?>>? Running { get; init; }

    /// <summary>Restores, checks, and exchanges names where that is wanted.</summary>
    /// <exception cref="RefusedException">No snapshot was named, or not one of this instance; writes would be lost that nobody accepted; a migration is at work; what an earlier run restored was written to since; AWS does not allow something.</exception>
    /// <exception cref="FailedCleanException">The restored instance is not what it should be. Production was not touched.</exception>
    /// <exception cref="NeedsPersonException">The exchange of names did not come to its end, or something else answers at the URL afterwards.</exception>
    public async Task<SnapshotRollbackResult> RunAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        run.Secrets.Add(environment.Database.Password);
        var started = run.Clock.GetTimestamp();
        var snapshot = await new SnapshotChoice(run, rds, options).ReadAsync(cancellation);
        var situation = await RestoreSituation.ReadAsync(rds, options.InstanceIdentifier, snapshot.Identifier, cancellation);
        var work = new Work(environment, snapshot, DumpBeside(snapshot), started);
        run.Log.Information("The snapshot: {Snapshot:l}, {Engine:l}, taken {Taken:l}, at {Revision:l}", snapshot.Identifier, $"{snapshot.Engine} {snapshot.EngineVersion}", snapshot.TakenAt is { } taken ? Measures.Moment(taken) : "at a time that RDS does not tell", SnapshotTags.RevisionsOf(snapshot)?.Named() ?? "a revision that it does not tell");
        if (situation.IsExchangeBegun)
        {
            return await FinishAsync(work, situation, null, cancellation);
        }

        var told = SnapshotTags.RevisionsOf(snapshot);
        if (told is not null)
        {
            await Fit(environment, told, cancellation);
        }

        await LookForMigrationsAsync(environment, "nothing was restored", cancellation);
        var writes = new WritesSinceSnapshot(run, options, snapshot, work.Manifest);
        var lost = options.Switch == SwitchMode.Rename ? await writes.RequireAcceptedAsync(environment, cancellation) : await writes.CountAsync(environment, cancellation);
        run.Log.Information("Written to production since the snapshot, so far: {Writes:l}", lost.Text);
        var (restored, watch, looked) = await RestoreAsync(work, situation, cancellation);
        if (told is null)
        {
            // Not one of ours, or of a moment in a migration: only the restored database says at which revision it is.
            await Fit(environment, looked.Database.Facts.Revisions, cancellation);
        }

        await using var lease = options.Switch == SwitchMode.Rename ? await TryLockAsync(environment, cancellation) : null;
        situation = await RestoreSituation.ReadAsync(rds, options.InstanceIdentifier, snapshot.Identifier, cancellation);
        if (situation.IsExchangeBegun)
        {
            // Another run was faster. What is behind the URL by now is not what writes could be counted in.
            return await FinishAsync(work, situation, looked, cancellation);
        }

        if (options.Switch == SwitchMode.Print)
        {
            TellEndpoint(environment, restored, lost);
            return new SnapshotRollbackResult(looked.Facts, null);
        }

        if (situation.Restored is not { } now || !RestoreTags.IsSame(now, restored))
        {
            throw new RefusedException(
                $"{restored.Identifier}, which was looked into, is not the one that would take the name {options.InstanceIdentifier}.",
                $"{(situation.Restored is { } another ? $"{another.Identifier} was restored from {snapshot.Identifier} meanwhile" : $"it was deleted meanwhile, or its tag {RestoreTags.RestoreOf} was taken away")}; nothing was renamed",
                "./build.sh Status, then repeat the command");
        }

        lost = await writes.RequireAcceptedAsync(environment, cancellation);
        writes.Accept(environment, lost);
        return await SwitchAsync(work, situation, looked, lost, token => LastLookAsync(environment, restored, watch, lease, token), cancellation);
    }

    /// <summary>Names were being exchanged, or are: that comes to its end first, whatever is asked for now.</summary>
    private async Task<SnapshotRollbackResult> FinishAsync(Work work, RestoreSituation situation, Looked? looked, CancellationToken cancellation)
    {
        var (restored, name, snapshot) = (situation.Restored!, options.InstanceIdentifier, work.Snapshot);
        var by = restored.Tags.GetValueOrDefault(SnapshotTags.RunId, "?");
        if (options.Switch == SwitchMode.Print)
        {
            var finish = $"{Command(snapshot)} --switch Rename   ";
            throw situation.IsSwitched
                ? new RefusedException(
                    $"{name} is what run {by} restored from {snapshot.Identifier} already.",
                    "it bears production's name, so there is no other endpoint to print",
                    $"{finish}verifies it again; to restore the snapshot once more: {Again(restored)}")
                : new RefusedException(
                    $"The names of {name} and {restored.Identifier} are being exchanged: run {by} restored the latter, and a run is at it, or died.",
                    "it is to bear production's name, so there is no other endpoint to print",
                    $"{finish}finishes and verifies it");
        }

        if (situation.IsSwitched)
        {
            run.Log.Warning("{Name:l} is what run {Run:l} restored from {Snapshot:l} already: it is looked into and read back again, and nothing is restored. To restore the snapshot once more: {Again:l}", name, by, snapshot.Identifier, Again(restored));
        }
        else
        {
            run.Log.Warning("The names of {Name:l} and {Restored:l} are being exchanged by another run, or by one that died: that is finished now", name, restored.Identifier);
        }

        return await SwitchAsync(work, situation, looked, LostWrites.Unknown("they were counted and accepted by the run that began"), null, cancellation);
    }

    private async Task<(RdsInstance Restored, RestoredWatch Watch, Looked Looked)> RestoreAsync(Work work, RestoreSituation situation, CancellationToken cancellation)
    {
        var restore = new InstanceRestore(run, rds, options);
        var (restored, differences) = await restore.RunAsync(situation, work.Snapshot, cancellation);
        var watch = new RestoredWatch(run, restored);
        var check = new RestoredDatabaseCheck(run, options) { Instance = restored.Identifier, First = watch.BeginAsync };
        var seen = await run.Journal.ActAsync("look into the restored database", new { restored.Identifier, restored.Endpoint }, () => check.RunAsync(At(work.Environment, restored), work.Snapshot, work.Manifest, cancellation));
        if (watch.Taken is { } baseline)
        {
            watch.Since(await restore.OfferAsync(restored, baseline, cancellation));
        }

        var facts = Facts(work.Snapshot, restored, seen, [.. differences.Select(difference => difference.ToString())]);
        await run.RecordAsync(EvidenceKinds.SnapshotRestore, work.Environment, seen.Facts, facts, run.Clock.GetElapsedTime(work.Started), treeHash: null, cancellation);
        run.Log.Information("Restored and looked into: {Instance:l} at {Endpoint:l}, at {Revision:l}, {Rows} rows in {Tables} tables", restored.Identifier, restored.Endpoint, seen.Facts.Revisions.Named(), facts.Rows, facts.Tables);
        return (restored, watch, new Looked(seen, facts));
    }

    /// <summary>Right before the first rename: what held before hours of restoring has to hold still.</summary>
    private async Task LastLookAsync(DatabaseEnvironment environment, RdsInstance restored, RestoredWatch watch, SingleFlightLease? lease, CancellationToken cancellation)
    {
        await LookForMigrationsAsync(environment, "nothing was renamed", cancellation);
        await new RestoredDatabaseCheck(run, options) { Instance = restored.Identifier, First = watch.RequireUntouchedAsync }.AskFirstAsync(At(environment, restored), cancellation);
        if (lease?.Lost.IsCancellationRequested == true)
        {
            throw new FailedCleanException("The lock on the old database was lost; nothing was renamed.", "the session that guards it is gone", "./build.sh Status, then repeat the command");
        }
    }

    private Task LookForMigrationsAsync(DatabaseEnvironment environment, string untouched, CancellationToken cancellation)
    {
        var migrations = new OngoingMigrations(run, Running);
        return options.Switch == SwitchMode.Rename ? migrations.RequireNoneAsync(options.Live(environment), untouched, cancellation) : migrations.WarnAsync(options.Live(environment), cancellation);
    }

    private async Task<SnapshotRollbackResult> SwitchAsync(Work work, RestoreSituation situation, Looked? looked, LostWrites lost, Func<CancellationToken, Task>? lastLook, CancellationToken cancellation)
    {
        var (environment, snapshot) = (work.Environment, work.Snapshot);
        var before = situation.IsSwitched ? null : await run.TryReadAsync(options.Live(environment), cancellation);
        var (bearer, keptAs, began) = await new NameSwitch(run, rds, options) { LastLook = lastLook ?? (_ => Task.CompletedTask) }.RunAsync(environment, situation, cancellation);
        var seen = looked?.Database ?? await LookAgainAsync(work, bearer, keptAs);
        var facts = looked?.Facts ?? Facts(snapshot, bearer, seen, []);
        var after = await new SwitchedDatabase(run, options).ReadBackAsync(environment, seen, keptAs);
        TimeSpan? unavailable = began is { } asked ? run.Clock.GetElapsedTime(asked) : null;
        var switched = new SnapshotRollbackFacts(before?.Revisions, after.Revisions, snapshot.Identifier, snapshot.TakenAt, lost.Total, unavailable, keptAs) { WasOver = situation.Step is RestoreStep.Switched };
        run.Log.Information("{Name:l} is the instance restored from {Snapshot:l}, at {Revision:l}; the URL leads to it; the old one is kept as {Kept:l}", bearer.Identifier, snapshot.Identifier, after.Revisions.Named(), keptAs);
        run.Log.Information("When nobody needs the old one any more, somebody deletes it: {Command:l}   (this build never does)", InstanceDeletion.Command(keptAs, situation.Original?.Settings.DeletionProtection ?? false));
        await run.RecordAsync(EvidenceKinds.Rollback, environment, after, switched, run.Clock.GetElapsedTime(work.Started), treeHash: null, CancellationToken.None);
        return new SnapshotRollbackResult(facts with { Instance = bearer.Identifier, Endpoint = bearer.Endpoint }, switched);
    }

    /// <summary>The run that had looked into it is another one; only who looks knows the server that has to answer at the URL.</summary>
    private async Task<RestoredDatabase> LookAgainAsync(Work work, RdsInstance bearer, string keptAs)
    {
        try
        {
            var check = new RestoredDatabaseCheck(run, options) { Instance = bearer.Identifier, Standing = $"it bears the name {bearer.Identifier}, and the old instance is kept as {keptAs}" };
            return await check.RunAsync(At(work.Environment, bearer), work.Snapshot, work.Manifest, CancellationToken.None);
        }
        catch (FailedCleanException unlike)
        {
            throw new NeedsPersonException($"The names are exchanged, and {bearer.Identifier} is not as it should be.", $"{unlike.What} {unlike.Why}", unlike.Next, unlike);
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
        run.Log.Information("Nothing was moved. Either change the host in {Variable:l}, and wherever the application has it, to {Host:l} (port {Port})", environment.UrlVariable, restored.Address, restored.Port);
        run.Log.Information("or exchange the names, so that the endpoint stays: {Command:l}   (as long as nobody has written to the restored one)", rename);
        run.Log.Information("or, when nothing uses it, delete it, which costs as long as it stands: {Command:l}", InstanceDeletion.Command(restored));
    }

    private BackupManifest? DumpBeside(RdsSnapshot snapshot) =>
        dumps.List().Backups.FirstOrDefault(backup => (snapshot.Tags.TryGetValue(SnapshotTags.Dump, out var name) && backup.Name == name) || (snapshot.Tags.TryGetValue(SnapshotTags.RunId, out var id) && backup.Manifest.RunId == id))?.Manifest;

    private DatabaseEnvironment At(DatabaseEnvironment environment, RdsInstance instance) => options.At(environment, instance.Address!, instance.Port ?? environment.Database.Port, "restored");

    private static SnapshotRestoreFacts Facts(RdsSnapshot snapshot, RdsInstance restored, RestoredDatabase seen, IReadOnlyList<string> differences) =>
        new(snapshot.Identifier, restored.Identifier, restored.Endpoint, seen.Facts.Revisions, seen.Tables.Count, seen.Tables.Values.Sum(table => table.Rows), differences);

    private static string Again(RdsInstance restored) => $"aws rds remove-tags-from-resource --resource-name {restored.Arn} --tag-keys {RestoreTags.RestoreOf}   then repeat the command";

    private string Command(RdsSnapshot snapshot) => Command(snapshot.Identifier);

    private string Command(string snapshot) => $"./build.sh Rollback --target-environment Production --strategy Snapshot {RdsOptions.InstanceSwitch} {options.InstanceIdentifier} --snapshot-identifier {snapshot}";

    /// <summary>What is rolled back, to what.</summary>
    private sealed record Work(DatabaseEnvironment Environment, RdsSnapshot Snapshot, BackupManifest? Manifest, long Started);

    /// <summary>What was seen in the restored database.</summary>
    private sealed record Looked(RestoredDatabase Database, SnapshotRestoreFacts Facts);
}
