using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Migrations;

/// <summary>What was tried, and how the runner ended.</summary>
internal sealed record MoveStory(
    DatabaseEnvironment Environment,
    MigrationsTree Tree,
    string Act,
    RevisionTarget Target,
    DatabaseFacts Before,
    RunnerRequest Request,
    AlembicOutput Output,
    RunnerResult? Result,
    Exception? Ended,
    bool LeaseLost,
    bool Cancelled);

/// <summary>Where the database stands afterwards.</summary>
/// <param name="After">Read from the database.</param>
/// <param name="Done">The steps that are committed.</param>
/// <param name="Reached">Whether it stands at the target.</param>
/// <param name="Changes">How the catalogue differs from before.</param>
/// <param name="AtWork">Migration sessions that are still there.</param>
/// <param name="Blockers">Who the migration waited for last, and is still there.</param>
/// <param name="BlockersSeen">Who the migration waited for last.</param>
internal sealed record MoveState(
    DatabaseFacts After,
    IReadOnlyList<Revision> Done,
    bool Reached,
    CatalogChanges Changes,
    IReadOnlyList<SessionSeen> AtWork,
    IReadOnlyList<SessionSeen> Blockers,
    IReadOnlyList<SessionSeen> BlockersSeen);

/// <summary>Reads the state after a move, whatever became of it.</summary>
internal sealed class MoveJudge(TimeProvider clock)
{
    /// <summary>How long a session that is ending may take to vanish, and a server to answer.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Reads it. Not cancelled with the run: after Ctrl-C this is what people need to know.</summary>
    /// <exception cref="NeedsPersonException">The database cannot be read any more.</exception>
    public async Task<MoveState> JudgeAsync(MoveStory story, CatalogSnapshot catalog, LockWatcher watcher)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            return await ReadAsync(story, catalog, watcher, patience.Token);
        }
        catch (Exception unreadable) when (unreadable is BadInputException or NpgsqlException or OperationCanceledException)
        {
            throw new NeedsPersonException(
                $"{story.Act} ended, and the {story.Environment.DisplayName} database cannot be asked where it stands.",
                $"{(unreadable as RunbookException)?.Why ?? unreadable.Message}. Before, it was at {story.Before.Revisions.Named()}; the target was {story.Target.Revision}; {Ending(story)}",
                "./build.sh Status   once it can be reached; then repeat the command, which goes on from where it stands",
                unreadable);
        }
    }

    private static string Ending(MoveStory story) => story.Result is { } result ? $"Alembic ended with {result.ExitCode}: {story.Output.Failure().Line}" : $"Alembic was ended: {story.Ended?.Message}";

    private async Task<MoveState> ReadAsync(MoveStory story, CatalogSnapshot catalog, LockWatcher watcher, CancellationToken cancellation)
    {
        var atWork = await SettledAsync(story, cancellation);
        await using var session = await PostgresSession.OpenAsync(story.Environment, "aragora-inspect", cancellation: cancellation);
        var after = await DatabaseInspector.ReadAsync(session, story.Environment, cancellation);
        var changes = catalog.ChangesUntil(await CatalogSnapshot.TakeAsync(session, cancellation));
        var applied = story.Tree.Ancestors(after.Revisions);
        var done = story.Target.Steps.Where(step => applied.Contains(step.Id) == (story.Target.Direction == MigrationDirection.Upgrade)).ToList();
        var reached = applied.SetEquals(story.Target.Applied) && after.Revisions.All(revision => story.Tree.Find(revision) is not null);
        return new MoveState(after, done, reached, changes, atWork, await watcher.StillThereAsync(story.Environment, cancellation), watcher.LastBlockers);
    }

    private async Task<IReadOnlyList<SessionSeen>> SettledAsync(MoveStory story, CancellationToken cancellation)
    {
        await using var session = await MaintenanceDatabase.OpenAsync(story.Environment, "aragora-guard", cancellation);
        var started = clock.GetTimestamp();
        while (true)
        {
            var atWork = await MigrationSessions.ListAsync(session, story.Environment, cancellation);
            if (atWork.Count == 0 || clock.GetElapsedTime(started) > Settling)
            {
                return atWork;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25), clock, cancellation);
        }
    }
}
