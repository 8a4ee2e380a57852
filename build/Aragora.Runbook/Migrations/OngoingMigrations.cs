using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Migrations;

/// <summary>
/// Looks for a migration that goes on without its run, in a cluster or a container: it has the name of the database only, and would go on with whatever bears that name after a rollback. Where
/// that cannot be asked, a rollback goes on: it has to work when nothing else does.
/// </summary>
/// <param name="run">The log.</param>
/// <param name="running">Asks where the environment's migrations run; null where nobody can be asked.</param>
public sealed class OngoingMigrations(RunContext run, Func<DatabaseEnvironment, CancellationToken, Task<RunningMigration?>>? running)
{
    /// <summary>Refuses where there is one.</summary>
    /// <param name="environment">The database that is about to be replaced.</param>
    /// <param name="untouched">What has not been done yet, for people.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="RefusedException">There is one.</exception>
    public async Task RequireNoneAsync(DatabaseEnvironment environment, string untouched, CancellationToken cancellation)
    {
        if (await FindAsync(environment, cancellation) is { } migration)
        {
            throw new RefusedException($"{Named(environment, migration)}.", $"it would migrate the restored database again; {untouched}", "let it end, or delete it and wait until it is gone; then repeat the command");
        }
    }

    /// <summary>Warns where there is one: nothing is about to be moved.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task WarnAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        try
        {
            if (await FindAsync(environment, cancellation) is { } migration)
            {
                run.Log.Warning("{Migration:l}. It goes on with the database that {Variable:l} leads to; nothing is moved now, and it has to have ended before anything is", Named(environment, migration), environment.UrlVariable);
            }
        }
        catch (RefusedException unnamed)
        {
            run.Log.Warning("{Migration:l}", LogText.SingleLine(unnamed.Message, 400));
        }
    }

    private static string Named(DatabaseEnvironment environment, RunningMigration migration) => $"A migration of {environment.DisplayName} is still at work: {migration.Name}, started by run {migration.RunId}";

    /// <summary>A refusal of the one that is asked is an answer: something is at work, and does not say what it is.</summary>
    private async Task<RunningMigration?> FindAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        try
        {
            return running is null ? null : await running(environment, cancellation);
        }
        catch (Exception unasked) when (unasked is NpgsqlException or (RunbookException and not RefusedException) || DockerEngine.IsTrouble(unasked))
        {
            run.Log.Warning("Whether a migration of {Environment} still goes on without its run cannot be asked: {Why:l}", environment.DisplayName, LogText.SingleLine(unasked.Message, 400));
            return null;
        }
    }
}
