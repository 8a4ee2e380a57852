using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.LocalStack;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Servers;
using Npgsql;

namespace Aragora.Runbook.Flow;

/// <summary>Preflight, Status, History, NewMigration, LocalUp and LocalDown.</summary>
public sealed class InspectionFlow(
    RunContext run,
    RunbookOptions options,
    RunbookEnvironments environments,
    LoadedTree tree,
    VerificationFlow verification,
    StatusView statuses,
    NewMigration newMigration,
    EmbeddedStack stack,
    Func<DatabaseEnvironment, ApplicationControl> applications,
    ICommandRunner commands)
{
    private static readonly string[] NeedProduction = ["Backup", "VerifyBackup", "MigrateProduction"];
    private static readonly string[] NeedStaging = ["MigrateStaging", "MigrateProduction"];

    /// <summary>The version of this machine's server programs that a backup would be restored with; null where it is restored elsewhere. Default: elsewhere.</summary>
    public Func<int, CancellationToken, Task<Version?>> FindScratchServer { get; init; } = (_, _) => Task.FromResult<Version?>(null);

    /// <summary>What rollbacks by snapshot left. Default: nothing is asked.</summary>
    public SnapshotFlow? Snapshots { get; init; }

    /// <summary>Everything that can be known before anything is touched.</summary>
    public async Task<StepFact> PreflightAsync(CancellationToken cancellation)
    {
        var report = await new PreflightStep(run).RunAsync(
            await SubjectsAsync(cancellation),
            new PreflightOptions
            {
                LoadTree = tree.GetAsync,
                FindPgDump = FindPgDumpAsync,
                AskPgDump = (environment, client, notes, token) => new OptionProbe(commands).AskAsync(environment, client.Path, notes, token),
                FindScratchServer = FindScratchServer,
                BackupFolder = options.Backup.FolderBelow(run.Root),
                TargetRevision = options.Revision,
                Surroundings = [.. options.Surroundings, .. Snapshots?.Checks ?? []],
                Migrates = !options.Scheduled.Overlaps(NeedProduction) || options.Scheduled.Overlaps(NeedStaging),
            },
            cancellation);
        Show(report.ToTable());
        report.ThrowIfRefused();
        if (options.Scheduled.Contains("MigrateProduction"))
        {
            foreach (var box in new ProductionGate(run, options.Gate).Foresee(environments.IsLocalStack))
            {
                run.Log.Warning("[ ] As it stands, the gate to production will refuse: {Box}: {Finding:l}; {Next:l}", box.Box, box.Finding, box.Next);
            }
        }

        return new StepFact("checks", report.Fact);
    }

    /// <summary>Where everything stands. Starts nothing.</summary>
    public async Task<StepFact> StatusAsync(CancellationToken cancellation)
    {
        var found = await environments.FindAsync(cancellation);
        var asked = options.TargetEnvironment is { } only ? [.. found.Where(environment => environment.Name == only)] : found;
        if (asked.Count == 0)
        {
            run.Log.Information("No database is named, and there is no local stack");
            return new StepFact("status", "no database; ./build.sh LocalUp makes a local stack");
        }

        // First of all, and without the migrations tree: a closed database and a stopped application matter more than a revision file that does not load.
        var closed = await ShowRestoresAsync(asked, cancellation);
        if (Snapshots is not null && asked.Any(environment => environment.Name == TargetEnvironment.Production))
        {
            var torn = await Snapshots.ShowAsync(cancellation);
            closed = torn ?? closed;
        }

        foreach (var environment in asked)
        {
            var stopped = await new ApplicationStatus(run).ShowAsync(environment, applications, cancellation);
            closed ??= stopped;
        }

        var status = await StatusOfAsync(asked, closed, cancellation);
        Show(string.Join('\n', StatusView.Render(status)));
        var interrupted = InterruptedRuns.Find(Path.GetDirectoryName(run.Folder)!, run.RunId);
        foreach (var act in interrupted)
        {
            run.Log.Warning("Run {Run} was interrupted in the middle of \"{Act}\" ({At:u})", act.RunId, act.Act, act.At);
        }

        await ShowWorkAsync(asked, cancellation);
        if (closed is not null)
        {
            throw closed;
        }

        if (status.Environments.Any(environment => environment.Current is null))
        {
            throw new BadInputException("Not every database could be asked.", "the lines above say which, and why", "correct its URL, or start it; then ./build.sh Status");
        }

        var facts = status.Environments.Select(environment => $"{environment.Environment} {(environment.Current is null ? "unreachable" : environment.Current.Count == 0 ? "base" : string.Join(",", environment.Current))}");
        return new StepFact("status", string.Join("; ", facts) + (interrupted.Count > 0 ? $"; {interrupted.Count} interrupted" : ""));
    }

    private async Task<MigrationStatus> StatusOfAsync(IReadOnlyList<DatabaseEnvironment> asked, RunbookException? closed, CancellationToken cancellation)
    {
        try
        {
            return await statuses.ReadAsync(await tree.GetAsync(cancellation), asked, cancellation);
        }
        catch (RunbookException unreadable) when (closed is not null)
        {
            run.Log.Error("{Unreadable:l}", unreadable.Message);
            throw closed;
        }
    }

    /// <summary>What restores left, and whether a database lets nobody in.</summary>
    /// <returns>The first database's trouble; null where all of them let people in, or could not be asked.</returns>
    private async Task<RunbookException?> ShowRestoresAsync(IReadOnlyList<DatabaseEnvironment> asked, CancellationToken cancellation)
    {
        RunbookException? closed = null;
        foreach (var environment in asked)
        {
            try
            {
                var restores = await RestoreStatus.ReadAsync(environment, run.Clock.GetUtcNow(), verification.IsVerified, cancellation);
                foreach (var line in restores.Lines)
                {
                    run.Log.Information("{Environment}: {Line:l}", environment.DisplayName, line);
                }

                if (restores.Trouble is { } trouble)
                {
                    run.Log.Error("{Trouble:l}", trouble.Message);
                    closed ??= trouble;
                }
            }
            catch (Exception unreachable) when (unreachable is BadInputException or NpgsqlException)
            {
                run.Log.Warning("The server of {Environment} could not be asked for what restores left: {Why:l}", environment.DisplayName, LogText.SingleLine(unreachable.Message));
            }
        }

        return closed;
    }

    /// <summary>What is at work in each database now, and what was moved and never verified: the next person has to know both.</summary>
    private async Task ShowWorkAsync(IReadOnlyList<DatabaseEnvironment> asked, CancellationToken cancellation)
    {
        foreach (var environment in asked)
        {
            try
            {
                await using var session = await PostgresSession.OpenAsync(environment, "aragora-inspect", cancellation: cancellation);
                foreach (var working in await MigrationSessions.ListAsync(session, environment, cancellation))
                {
                    run.Log.Warning("At work in {Environment}: {Session:l}", environment.DisplayName, working.ToString());
                }

                var now = await DatabaseInspector.ReadAsync(session, environment, cancellation);
                if (now.Revisions.Count > 0 && !verification.IsVerified(now))
                {
                    run.Log.Warning("{Environment} has no green smoke tests and health check since it was moved last (as far as the records here know)", environment.DisplayName);
                }
            }
            catch (BadInputException unreachable)
            {
                run.Log.Debug(unreachable, "{Environment} could not be asked", environment.DisplayName);
            }
        }
    }

    /// <summary>The migrations, and where each environment stands.</summary>
    public async Task<StepFact> HistoryAsync(CancellationToken cancellation)
    {
        var loaded = await tree.GetAsync(cancellation);
        var status = await statuses.ReadAsync(loaded, await environments.FindAsync(cancellation), cancellation);
        Show(string.Join('\n', HistoryView.Render(loaded, status.Environments)));
        return new StepFact("history", $"{loaded.Revisions.Count} revisions");
    }

    /// <summary>A new migration file.</summary>
    public async Task<StepFact> NewMigrationAsync(CancellationToken cancellation)
    {
        var message = options.Message ?? throw new BadInputException("A new migration wants a message.", "it names the file, and is what people read in Status", "./build.sh NewMigration --message \"add user_preferences table\"");
        var compared = options.Autogenerate ? await environments.GetAsync(TargetEnvironment.Staging, cancellation) : null;
        var revision = await newMigration.CreateAsync(message, compared, cancellation);
        run.Log.Information("Wrote {File}", revision.File);
        return new StepFact("revision", $"{revision.Id} {revision.File}");
    }

    /// <summary>The local stack, up.</summary>
    public async Task<StepFact> LocalUpAsync(CancellationToken cancellation)
    {
        var local = await stack.UpAsync(cancellation);
        run.Log.Information("staging:    {Database}, {Health}", local.Staging.Database.ToString(), local.Staging.HealthUrl);
        run.Log.Information("production: {Database}, {Health}", local.Production.Database.ToString(), local.Production.HealthUrl);
        return new StepFact("local stack", local.Production.Database.Endpoint);
    }

    /// <summary>The local stack, gone.</summary>
    public async Task<StepFact> LocalDownAsync(CancellationToken cancellation) =>
        new("local stack", await stack.DownAsync(cancellation) ? "erased" : "there was none");

    private async Task<IReadOnlyList<DatabaseEnvironment>> SubjectsAsync(CancellationToken cancellation)
    {
        var needed = new List<TargetEnvironment>();
        if (options.Scheduled.Overlaps(NeedStaging) || environments.IsLocalStack)
        {
            needed.Add(TargetEnvironment.Staging);
        }

        if (options.Scheduled.Overlaps(NeedProduction) || environments.IsLocalStack)
        {
            needed.Add(TargetEnvironment.Production);
        }

        var subjects = new List<DatabaseEnvironment>();
        foreach (var name in needed)
        {
            subjects.Add(await environments.GetAsync(name, cancellation));
        }

        return subjects.Count > 0 ? subjects : await environments.FindAsync(cancellation);
    }

    private async Task<ClientProgram?> FindPgDumpAsync(int serverMajor, CancellationToken cancellation)
    {
        try
        {
            var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(commands, options.Backup.ClientFolders, cancellation), serverMajor, "the server");
            return new ClientProgram(client["pg_dump"], client.Release);
        }
        catch (RefusedException none)
        {
            run.Log.Debug(none, "No pg_dump fits");
            return null;
        }
    }

    private void Show(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            run.Log.Information("{Line:l}", line);
        }
    }
}
