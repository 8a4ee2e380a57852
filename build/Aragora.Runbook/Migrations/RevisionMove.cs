using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations;

/// <summary>Decides whether a database may be moved, by throwing or not.</summary>
/// <param name="database">The database as it is, while nobody else can change it.</param>
/// <param name="target">Where it is about to go.</param>
/// <param name="cancellation">Ends the asking.</param>
public delegate Task MigrationGate(DatabaseFacts database, RevisionTarget target, CancellationToken cancellation);

/// <summary>Moves a database from one revision to another, alone, and believes only what the database says afterwards. What migrations and downgrades share.</summary>
internal sealed class RevisionMove(RunContext run, IMigrationRunner runner, MigratorOptions options)
{
    /// <summary>Does it.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="tree">The tree.</param>
    /// <param name="act">For the journal and for messages, such as <c>migrate production</c>.</param>
    /// <param name="evidenceKind">Which evidence it makes.</param>
    /// <param name="plan">Resolves the target against the database as it is; called again once nobody else can change it.</param>
    /// <param name="gate">Asked when there is something to move and nobody else can change the database any more; refuses by throwing. Null where there is none.</param>
    /// <param name="cancellation">Ends the migration, cleanly where that is possible.</param>
    public async Task<MigrationResult> RunAsync(DatabaseEnvironment environment, MigrationsTree tree, string act, string evidenceKind, Func<DatabaseFacts, RevisionTarget> plan, MigrationGate? gate, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        var before = await DatabaseInspector.ReadAsync(environment, cancellation);
        var target = plan(before);
        if (target.Steps.Count == 0)
        {
            run.Log.Information("The {Environment} database is at {Revision} already: nothing to do", environment.DisplayName, before.Revisions.Named());
            return await RecordAsync(environment, tree, evidenceKind, target, before, before, started);
        }

        var running = await runner.FindRunningAsync(environment, cancellation);
        var guard = new SingleFlight(run) { Heartbeat = options.GuardHeartbeat, MayBeAtWork = running?.ApplicationName };
        await using var lease = await guard.AcquireAsync(environment, options.SingleFlightWait, cancellation);

        // The one that counts: whoever held the lock until now may have died behind a Job that has no session yet.
        running = await runner.FindRunningAsync(environment, cancellation);
        before = await DatabaseInspector.ReadAsync(environment, cancellation);
        target = plan(before);
        if (target.Steps.Count == 0)
        {
            run.Log.Information("Another run moved the {Environment} database to {Revision} in the meantime: nothing is left to do", environment.DisplayName, before.Revisions.Named());
            return await RecordAsync(environment, tree, evidenceKind, target, before, before, started);
        }

        if (running is not null)
        {
            // It was let through by the gate of the run that started it, and goes on whatever is said here.
            Require(running, environment, tree, target);
            run.Log.Warning("Run {Run} started this migration and did not see its end: following {Name:l}", running.RunId, running.Name);
        }
        else
        {
            if (gate is not null)
            {
                await gate(before, target, cancellation);
            }

            await runner.RequireReadyAsync(environment, before, tree, cancellation);
        }

        run.Log.Information("{Act:l}: from {From:l} to {To:l}, {Count} revisions", act, before.Revisions.Named(), target.Revision, target.Steps.Count);
        foreach (var step in target.Steps)
        {
            run.Log.Information("  {Direction:l} {Revision:l}  {Message:l}", target.Direction == MigrationDirection.Upgrade ? "upgrade" : "downgrade", step.Id, step.Message);
        }

        var intent = new
        {
            Environment = environment.DisplayName,
            Database = before.Identity.ToString(),
            From = before.Revisions,
            To = target.Revision,
            target.Direction,
            Steps = target.Steps.Select(step => step.Id).ToList(),
            Runner = runner.Name,
            Following = running?.Name,
            Tree = tree.Hash,
            options.Budget,
        };
        var after = await run.Journal.ActAsync(act, intent, () => MoveAsync(environment, tree, act, target, before, running, lease, arrived => RecordAsync(environment, tree, evidenceKind, target, before, arrived, started), cancellation));
        return await RecordAsync(environment, tree, evidenceKind, target, before, after, started);
    }

    /// <summary>What is followed has to be what was asked for.</summary>
    private static void Require(RunningMigration running, DatabaseEnvironment environment, MigrationsTree tree, RevisionTarget target)
    {
        if (running.Direction == target.Direction && running.Revision == target.Revision && running.TreeHash == tree.Hash)
        {
            return;
        }

        var other = running.TreeHash == tree.Hash ? $"it goes to {running.Revision}, and {target.Revision} is asked for" : $"it runs another migrations tree ({running.TreeHash[..Math.Min(12, running.TreeHash.Length)]}…)";
        throw new RefusedException(
            $"Another migration of {environment.DisplayName} is still at work: {running.Name}, started by run {running.RunId}.",
            other,
            "wait until it has ended, or end it, and repeat the command: ./build.sh Status");
    }

    private async Task<DatabaseFacts> MoveAsync(DatabaseEnvironment environment, MigrationsTree tree, string act, RevisionTarget target, DatabaseFacts before, RunningMigration? running, SingleFlightLease lease, Func<DatabaseFacts, Task> record, CancellationToken cancellation)
    {
        var request = new RunnerRequest(environment, target.Direction, target.Revision, options.Budget, running?.ApplicationName ?? MigrationSessions.NamePrefix + run.RunId)
        {
            RunId = run.RunId,
            TreeHash = tree.Hash,
            Following = running,
        };
        CatalogSnapshot catalog;
        await using (var session = await PostgresSession.OpenAsync(environment, "aragora-inspect", cancellation: cancellation))
        {
            catalog = await CatalogSnapshot.TakeAsync(session, cancellation);
        }

        var files = new TreeGuard(run, tree, options.CurrentTreeHash);
        var output = new AlembicOutput();
        await using var watcher = await LockWatcher.StartAsync(run, environment, request.ApplicationName, interval: null, cancellation);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lease.Lost);
        await files.RequireUnchangedAsync(cancellation);
        RunnerResult? result = null;
        Exception? ended = null;
        try
        {
            result = await runner.RunAsync(request, line => Take(line, output), linked.Token);
        }
        catch (Exception failure) when (failure is OperationCanceledException or RunbookException)
        {
            ended = failure;
        }

        var story = new MoveStory(environment, tree, act, target, before, request, output, result, ended, lease.Lost.IsCancellationRequested, cancellation.IsCancellationRequested);
        var state = await JudgeAsync(story, catalog, watcher);
        var succeeded = result is { ExitCode: 0 } && state.Reached;
        if (succeeded || !MoveFailure.IsUnchanged(story, state))
        {
            options.Moved?.Invoke(environment);
        }

        var changedFiles = result is null ? null : await files.ChangeAsync();
        if (succeeded)
        {
            foreach (var index in state.Changes.InvalidIndexes)
            {
                run.Log.Warning("The migration left an INVALID index: {Index}", index);
            }

            return changedFiles is null ? state.After : throw TreeGuard.Unclear(story, state, changedFiles);
        }

        // Cancelled too late: the database says that this tree brought it to the target, and the next run can go on from there.
        if (state.Reached && ended is OperationCanceledException && await files.ChangeAsync() is null)
        {
            await record(state.After);
        }

        var exception = MoveFailure.Explain(story, state);
        if (exception is OperationCanceledException)
        {
            run.Log.Error("{State:l}", exception.Message);
        }

        throw exception;
    }

    private async Task<MoveState> JudgeAsync(MoveStory story, CatalogSnapshot catalog, LockWatcher watcher)
    {
        try
        {
            return await new MoveJudge(run.Clock).JudgeAsync(story, catalog, watcher);
        }
        catch (NeedsPersonException)
        {
            // It cannot be asked: it may have moved.
            options.Moved?.Invoke(story.Environment);
            throw;
        }
    }

    private void Take(string line, AlembicOutput output)
    {
        output.Add(line);
        run.Log.Information("{Line:l}", line);
    }

    private async Task<MigrationResult> RecordAsync(DatabaseEnvironment environment, MigrationsTree tree, string evidenceKind, RevisionTarget target, DatabaseFacts before, DatabaseFacts after, long started)
    {
        var facts = new MigrationFacts(target.Direction, before.Revisions, after.Revisions, [.. target.Steps.Select(step => step.Id)], runner.Name, target.Steps.Count > 0);

        // What has happened is written down, also when somebody has just pressed Ctrl-C.
        var evidence = await run.RecordAsync(evidenceKind, environment, after, facts, run.Clock.GetElapsedTime(started), tree.Hash, CancellationToken.None);
        return new MigrationResult(facts, before, after, evidence);
    }
}
