using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Restores;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>
/// The rollback that brings back a backup: restored beside the live database, compared with the manifest, and put in its place by name. The live database is never
/// overwritten: it is kept, closed, under a dated name.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="commands">Starts pg_restore.</param>
/// <param name="options">How.</param>
/// <param name="progress">Shows how far it is; null chooses by where the output goes.</param>
public sealed class RestoreRollback(RunContext run, ICommandRunner commands, RestoreOptions options, IProgressView? progress = null)
{
    private static readonly TimeSpan CleaningPatience = TimeSpan.FromSeconds(60);
    private readonly SteadyJournal journal = new(run);
    private readonly OngoingMigrations migrations = new(run, options.Running);
    private readonly IProgressView view = progress ?? ProgressViews.For(run.Log, run.Clock);

    /// <summary>Goes back to a backup.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="backup">The backup; of this database, or of one whose place it took.</param>
    /// <param name="cancellation">Ends it: up to the exchange everything is put back as it was.</param>
    /// <exception cref="RefusedException">It is another database's backup; something stands in the way; too many writes would be lost; another run is at work.</exception>
    /// <exception cref="FailedCleanException">The backup could not be restored, or is not what its manifest says; the database is as it was.</exception>
    /// <exception cref="NeedsPersonException">The database could not be opened again, or is not what it should be after the exchange.</exception>
    public async Task<RestoreResult> RunAsync(DatabaseEnvironment environment, BackupReference backup, CancellationToken cancellation)
    {
        run.Secrets.Add(environment.Database.Password);
        var started = run.Clock.GetTimestamp();
        new ManifestTrust(run.Evidence).Require(backup);
        var application = options.Application?.Invoke(environment) ?? new ApplicationControl(run, environment, [], new ApplicationOptions());
        await application.RequireStoppableAsync(cancellation);
        var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(commands, options.Backup.ClientFolders, cancellation), backup.Manifest.ClientMajor(), "the pg_dump that wrote this backup");
        await RequireWholeAsync(backup, client, cancellation);
        await using var lease = await new SingleFlight(run) { Heartbeat = options.GuardHeartbeat, MayBeClosed = true }.AcquireAsync(environment, options.SingleFlightWait, cancellation);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lease.Lost);
        try
        {
            return await AroundAsync(environment, backup, client, lease.ProcessId, application, started, linked.Token);
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new FailedCleanException($"The restore of {environment.DisplayName} was ended: its lock was lost.", "the session that guards it is gone; the database is as it was", "./build.sh Status, then repeat the command");
        }
        catch (NpgsqlException broken)
        {
            throw new FailedCleanException($"The restore of {environment.DisplayName} failed on the way; the database is as it was.", broken.Message, "./build.sh Status, then repeat the command", broken);
        }
    }

    /// <summary>Before pg_restore reads any of it: it does what is in there, on the live server.</summary>
    private async Task RequireWholeAsync(BackupReference backup, PostgresClient client, CancellationToken cancellation)
    {
        if (await new BackupFilesCheck(new BackupFiles(run, view), client, commands).DifferencesAsync(backup, cancellation) is { Count: > 0 } differences)
        {
            throw new RefusedException(
                $"{backup.Folder} is not the backup that was made.",
                string.Join(Environment.NewLine + "        ", differences.Select(run.Secrets.Apply)),
                "name another one with --backup; the database was not touched");
        }
    }

    /// <summary>The application comes back, whatever becomes of the restore; but not onto a database of which nobody knows what it is.</summary>
    private async Task<RestoreResult> AroundAsync(DatabaseEnvironment environment, BackupReference backup, PostgresClient client, int guard, ApplicationControl application, long started, CancellationToken cancellation)
    {
        try
        {
            var aftermath = new RestoreAftermath(run);
            var facts = await GuardedAsync(environment, backup, client, guard, application, cancellation);
            var after = await aftermath.ReadBackAsync(environment, backup, facts);
            facts = facts with { Application = await application.StartAsync() };
            aftermath.Tell(environment, facts);
            var evidence = await run.RecordAsync(EvidenceKinds.Rollback, environment, after, facts, run.Clock.GetElapsedTime(started), treeHash: null, CancellationToken.None);
            return facts.Application is { Failure: not null } away ? throw application.NotBack(away, null) : new RestoreResult(facts, after, evidence);
        }
        catch (NeedsPersonException person) when (application.IsStopped)
        {
            throw await application.LeaveStoppedAsync(person);
        }
        catch (Exception failure) when (application.IsStopped)
        {
            if (await application.ReturnAsync() is { Failure: not null } away)
            {
                throw application.NotBack(away, failure);
            }

            throw;
        }
    }

    private async Task<RestoreFacts> GuardedAsync(DatabaseEnvironment environment, BackupReference backup, PostgresClient client, int guard, ApplicationControl application, CancellationToken cancellation)
    {
        await using var maintenance = await MaintenanceDatabase.OpenAsync(environment, "aragora-swap-" + run.RunId, cancellation);
        await StableSettings.ApplyAsync(maintenance, TimeSpan.FromSeconds(30), cancellation);
        var name = environment.Database.Database;
        await (await RestoreLeftovers.FindAsync(maintenance, name, cancellation)).ClearAsync(run, environment, maintenance, cancellation);
        if ((await application.PutBackAsync(isAsked: false, waits: false, cancellation)).Done.Count > 0)
        {
            // What the dead run had suspended is at work again.
            await application.RequireStoppableAsync(cancellation);
        }

        await PoolerProbe.RequireNoneAsync(environment, cancellation);
        var live = await ServerDatabase.FindAsync(maintenance, name, cancellation) ?? throw new BadInputException($"There is no database {name}.", "it vanished", "./build.sh Status");
        var now = await DatabaseInspector.ReadAsync(environment, cancellation);
        await migrations.RequireNoneAsync(environment, "the live one was not touched", cancellation);
        BackupLineage.Require(environment, backup, now.Identity, live.Mark);
        await RestoreObstacles.RequireUnboundAsync(maintenance, name, cancellation);
        await CopyPreparation.RequireAsync(run, maintenance, backup, cancellation);
        run.Log.Information("Disk: {Finding:l}", await RestoreObstacles.RequireRoomAsync(maintenance, environment, backup.Manifest.DatabaseBytes + (backup.Manifest.DatabaseBytes / 10), options.FreeBytes, cancellation));
        var count = Counting(environment, backup, live, now);
        await using (var inside = await PostgresSession.OpenAsync(environment, "aragora-swap-" + run.RunId, cancellation: cancellation))
        {
            // Known before hours are spent on it; what counts is counted again behind the fence.
            run.Log.Information("Since the backup: {Writes:l} so far", (await count(inside, cancellation)).Text);
        }

        var intent = new { Environment = environment.DisplayName, Database = now.Identity.ToString(), From = now.Revisions, To = backup.Manifest.Revisions, backup.Folder, backup.ManifestSha256, Accepted = options.Accepted.ToString() };
        return await journal.ActAsync($"roll back {environment.DisplayName} to a backup", intent, () => RestoreAsync(environment, backup, client, guard, application, maintenance, live, now, count, cancellation));
    }

    private async Task<RestoreFacts> RestoreAsync(
        DatabaseEnvironment environment, BackupReference backup, PostgresClient client, int guard, ApplicationControl application, PostgresSession maintenance, ServerDatabase live, DatabaseFacts now, Func<PostgresSession, CancellationToken, Task<LostWrites>> count, CancellationToken cancellation)
    {
        var settings = await DatabaseSettings.ReadAsync(maintenance, live, cancellation);
        try
        {
            var copy = await journal.ActAsync("make a copy beside the live database", new { Name = DatabaseNames.Copy(live.Name, run.RunId) }, () => new RestoreCopy(run, maintenance).CreateAsync(live, backup.Name, cancellation));
            var beside = environment with { Database = environment.Database with { Database = copy.Name } };
            await settings.ApplyAsync(maintenance, copy, keeps: false, cancellation);
            run.Log.Information("Restoring {Backup} into {Copy}, beside {Live}", backup.Name, copy.Name, live.Name);
            var took = await new RestoredCopyCheck(run, options.Backup.Jobs).FillAsync(backup, beside, new ArchiveRestore(run, client, commands, view), cancellation);
            await journal.ActAsync("carry over what belongs to the database", settings, async () =>
            {
                await settings.ApplyAsync(maintenance, copy, keeps: true, cancellation);
                return copy.Name;
            });
            await RestoredCopyCheck.RequireRevisionAsync(backup, beside, cancellation);
            uint[] lineage = [.. (live.Mark?.Lineage ?? []).Append(live.Oid).Append(backup.Manifest.Database.DatabaseOid).Distinct()];
            var exchange = new DatabaseExchange(run, environment, count) { LastLook = token => LastLookAsync(environment, maintenance, guard, live, copy, settings, token) };
            await exchange.CloseCopyAsync(maintenance, copy, cancellation);
            await migrations.RequireNoneAsync(environment, "the live one was not touched", cancellation);
            await application.StopAsync(maintenance, live.Oid, cancellation);
            var exchanged = await ExchangeAsync(environment, () => exchange.RunAsync(maintenance, live, copy, backup.Name, lineage, cancellation));
            Accept(environment, backup, exchanged.Lost);
            return new RestoreFacts(now.Revisions, backup.Manifest.Revisions, BackupLocation.Relative(backup.Folder, run.Root), backup.ManifestSha256, backup.Manifest.MadeAt, took, exchanged.Unavailable, exchanged.Lost.Total, exchanged.Kept);
        }
        catch
        {
            await DropCopyAsync(environment, live);
            throw;
        }
    }

    private async Task<Exchanged> ExchangeAsync(DatabaseEnvironment environment, Func<Task<Exchanged>> exchange)
    {
        try
        {
            var exchanged = await exchange();
            options.Moved?.Invoke(environment);
            return exchanged;
        }
        catch (NeedsPersonException)
        {
            // Nobody knows which of the two bears the name.
            options.Moved?.Invoke(environment);
            throw;
        }
    }

    /// <summary>Behind the fence: the lock is still this run's, and what belongs to the database is what the copy was given hours ago, or is given now.</summary>
    private async Task LastLookAsync(DatabaseEnvironment environment, PostgresSession maintenance, int guard, ServerDatabase live, ServerDatabase copy, DatabaseSettings carried, CancellationToken cancellation)
    {
        if ((await SingleFlight.HoldersAsync(maintenance, environment, cancellation)).All(holder => holder.ProcessId != guard))
        {
            throw new FailedCleanException($"The restore of {environment.DisplayName} was ended: its lock was lost.", "the session that guards it is gone; the database is as it was", "./build.sh Status, then repeat the command");
        }

        var fenced = await ServerDatabase.FindAsync(maintenance, live.Oid, cancellation) ?? throw new FailedCleanException($"{live.Name} is gone.", "somebody dropped it meanwhile", "./build.sh Status");
        var now = await DatabaseSettings.ReadAsync(maintenance, fenced, cancellation);
        if (now.Owner != carried.Owner)
        {
            throw new RefusedException($"{live.Name} was given to another owner while its copy was restored.", $"it was {carried.Owner}'s, and is {now.Owner}'s", "repeat the command");
        }

        if (now.IsOtherThan(carried))
        {
            run.Log.Warning("Grants or settings of {Database} were changed while its copy was restored: the copy is given them anew", live.Name);
            await journal.ActAsync("carry over what belongs to the database", now, async () =>
            {
                await now.ApplyAsync(maintenance, copy, keeps: true, cancellation, carried);
                return copy.Name;
            });
        }
    }

    /// <summary>Counts, shows, and refuses where it is more than was accepted.</summary>
    private Func<PostgresSession, CancellationToken, Task<LostWrites>> Counting(DatabaseEnvironment environment, BackupReference backup, ServerDatabase live, DatabaseFacts now) => async (inside, cancellation) =>
    {
        var lost = await new WritesSinceBackup(backup.Manifest, live, now).CountAsync(inside, cancellation);
        if (options.Accepted.Covers(lost.Total))
        {
            return lost;
        }

        Show(lost);
        var accepting = lost.Total?.ToString(CultureInfo.InvariantCulture) ?? AcceptedWrites.UnknownWord;
        throw new RefusedException(
            lost.Total is { } known ? $"A restore of {backup.Name} would lose {Measures.Count(known, "write")}, and {options.Accepted} {(options.Accepted.Most == 1 ? "is" : "are")} accepted." : $"A restore of {backup.Name} would lose an unknown number of writes.",
            $"{lost.WhyUnknown ?? "the lines above say where"}; the backup was made {Measures.Moment(backup.Manifest.MadeAt)}, and a migration's own writes count as well, and so does what is written until the exchange (stop the application first, or accept more). {live.Name} is as it was",
            $"./build.sh Rollback --target-environment {environment.Name} --strategy Restore --backup {backup.Name} --accept-lost-writes {accepting}");
    };

    /// <summary>What was accepted is remembered: how much was lost, where, and who wanted it.</summary>
    private void Accept(DatabaseEnvironment environment, BackupReference backup, LostWrites lost)
    {
        if (lost.Total != 0)
        {
            run.Log.Warning("Accepted: {Lost:l} since {Backup} are lost here, and kept in the old database", lost.Text, backup.Name);
            Show(lost);
            journal.Note("override: accept lost writes", new { Environment = environment.DisplayName, Backup = backup.Name, Accepted = options.Accepted.ToString(), lost.Total, lost.Tables, run.Who });
        }
    }

    private void Show(LostWrites lost)
    {
        foreach (var line in lost.ToTable().Split('\n').Where(line => line.Length > 0))
        {
            run.Log.Information("  {Line:l}", line);
        }
    }

    /// <summary>Not cancelled with the run. What cannot be dropped now is dropped by the next rollback.</summary>
    private async Task DropCopyAsync(DatabaseEnvironment environment, ServerDatabase live)
    {
        var name = DatabaseNames.Copy(live.Name, run.RunId);
        using var patience = new CancellationTokenSource(CleaningPatience, run.Clock);
        try
        {
            await using var session = await MaintenanceDatabase.OpenAsync(environment, "aragora-swap-" + run.RunId, patience.Token);
            if (await ServerDatabase.FindAsync(session, name, patience.Token) is not null)
            {
                await RestoreCopy.DropAsync(session, name, patience.Token);
                await journal.RememberAsync("drop the copy beside the live database", new { name });
            }
        }
        catch (Exception stays) when (stays is RunbookException or NpgsqlException or OperationCanceledException or IOException or InvalidOperationException)
        {
            run.Log.Error(stays, "{Copy} could not be dropped; the next Rollback --strategy Restore drops it, or: {Sql:l}", name, RestoreCopy.DroppingSql(name) + ";");
        }
    }
}

/// <summary>A restore that was done.</summary>
/// <param name="Facts">Also in the evidence.</param>
/// <param name="After">The database after, as it was read back.</param>
/// <param name="Evidence">The record that was written.</param>
public sealed record RestoreResult(RestoreFacts Facts, DatabaseFacts After, Evidence Evidence);
