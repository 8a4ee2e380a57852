using System.Collections.Concurrent;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Guards;

/// <summary>Looks on while a migration runs, and remembers who made it wait: after a lock timeout the server no longer knows.</summary>
public sealed class LockWatcher : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<int, SessionSeen> seen = new();
    private readonly Task watching;
    private IReadOnlyList<SessionSeen> last = [];

    private LockWatcher(RunContext run, PostgresSession session, DatabaseEnvironment environment, string applicationName, TimeSpan interval) =>
        watching = WatchAsync(run, session, environment, applicationName, interval);

    /// <summary>The sessions that the migration waited for when it was last seen waiting.</summary>
    public IReadOnlyList<SessionSeen> LastBlockers => Volatile.Read(ref last);

    /// <summary>Starts watching.</summary>
    /// <param name="run">Logs each blocker once.</param>
    /// <param name="environment">The database that is migrated.</param>
    /// <param name="applicationName">The migration's session.</param>
    /// <param name="interval">How often to look; must be well below the lock timeout. Default: 200 milliseconds.</param>
    /// <param name="cancellation">Cancels the connecting.</param>
    public static async Task<LockWatcher> StartAsync(RunContext run, DatabaseEnvironment environment, string applicationName, TimeSpan? interval, CancellationToken cancellation) =>
        new(run, await MaintenanceDatabase.OpenAsync(environment, "aragora-watch-" + run.RunId, cancellation), environment, applicationName, interval ?? TimeSpan.FromMilliseconds(200));

    /// <summary>Which of the last blockers are still there.</summary>
    public async Task<IReadOnlyList<SessionSeen>> StillThereAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        if (LastBlockers.Count == 0)
        {
            return [];
        }

        await using var session = await MaintenanceDatabase.OpenAsync(environment, "aragora-guard", cancellation);
        var alive = await session.QueryAsync("SELECT pid FROM pg_stat_activity WHERE pid = ANY ($1)", row => row.GetInt32(0), cancellation, LastBlockers.Select(blocker => blocker.ProcessId).ToArray());
        return [.. LastBlockers.Where(blocker => alive.Contains(blocker.ProcessId))];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await watching;
        stopping.Dispose();
    }

    private async Task WatchAsync(RunContext run, PostgresSession session, DatabaseEnvironment environment, string applicationName, TimeSpan interval)
    {
        try
        {
            await using var owned = session;
            using var timer = new PeriodicTimer(interval, run.Clock);
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                var blockers = await MigrationSessions.BlockersAsync(session, environment, applicationName, stopping.Token);
                if (blockers.Count > 0)
                {
                    Volatile.Write(ref last, blockers);
                }

                foreach (var blocker in blockers.Where(blocker => seen.TryAdd(blocker.ProcessId, blocker)))
                {
                    run.Log.Warning("The migration waits for a lock that is held by {Blocker}", blocker.ToString());
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The migration is over.
        }
        catch (Exception gone)
        {
            // A spectator, whatever happens to it: the migration goes on without it, and its outcome stands.
            run.Log.Warning(gone, "Who blocks the migration can no longer be seen");
        }
    }
}
