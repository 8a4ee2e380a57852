using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Guards;

/// <summary>One migration of a database at a time, from wherever it is started.</summary>
/// <remarks>
/// A session-level advisory lock in the maintenance database, keyed by the target database's name, on an unpooled session outside of any transaction.
/// In the target database it would block a swap's RENAME; a wait inside a statement or an open snapshot would hang CREATE INDEX CONCURRENTLY, so the lock is tried, not awaited.
/// The server releases it when the session ends: a killed run leaves nothing behind.
/// </remarks>
public sealed class SingleFlight(RunContext run)
{
    /// <summary>What the names of the guarding sessions begin with; the run's id follows.</summary>
    public const string NamePrefix = "aragora-guard-";

    private const string Take = "SELECT pg_try_advisory_lock($1)";

    private const string Mine = """
        SELECT count(*)::int FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND ((classid::bigint << 32) | objid::bigint) = $1 AND pid = pg_backend_pid()
        """;

    // Of whatever database: two roles may have met in "postgres" and "template1".
    private const string Others = """
        SELECT a.pid, a.application_name, coalesce(a.usename, ''), coalesce(a.client_addr::text, 'local socket'), a.backend_start, coalesce(a.state, 'unknown'), ''
        FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND ((l.classid::bigint << 32) | l.objid::bigint) = $1 AND l.pid <> pg_backend_pid()
        ORDER BY a.backend_start
        """;

    /// <summary>How often the lock is tried while waiting. Default: 500 milliseconds.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often the guarding session is asked whether it still has the lock. Default: 2 seconds.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a migration's session that is just ending may take to vanish before it counts as at work. Default: 1 second.</summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether the target database may be closed to connections: it is not looked into then, and the caller asks about a pooler once it is open. Default: no.</summary>
    public bool MayBeClosed { get; init; }

    /// <summary>Sessions of this name may be at work: the caller follows them. Default: null, none may.</summary>
    public string? MayBeAtWork { get; init; }

    /// <summary>Takes the lock, or says who has it.</summary>
    /// <param name="environment">The database that is about to change.</param>
    /// <param name="wait">How long to wait for another run. Zero refuses at once.</param>
    /// <param name="cancellation">Cancels the waiting.</param>
    /// <exception cref="RefusedException">Another run has it, a migration is still at work, or a pooler is in the way.</exception>
    public async Task<SingleFlightLease> AcquireAsync(DatabaseEnvironment environment, TimeSpan wait, CancellationToken cancellation)
    {
        if (!MayBeClosed)
        {
            await PoolerProbe.RequireNoneAsync(environment, cancellation);
        }

        var key = KeyOf(environment.Database.Database);
        var session = await MaintenanceDatabase.OpenAsync(environment, NamePrefix + run.RunId, cancellation);
        try
        {
            await PoolerProbe.RequireNoneAsync(environment, session, session.Connection.Database, cancellation);
            await TakeAsync(session, environment, key, wait, cancellation);
            await RequireNobodyAtWorkAsync(session, environment, wait > Settling ? wait : Settling, cancellation);
            run.Log.Debug("Single flight: key {Key} is held by server process {ProcessId} for {Database}", key, session.ProcessId, environment.Database.Database);
            return new SingleFlightLease(session, key, Mine, Heartbeat, run.Clock, run.Log);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Who holds the lock now; nobody where no run of ours is changing the database.</summary>
    /// <param name="session">A session of the maintenance database.</param>
    /// <param name="environment">The database.</param>
    /// <param name="cancellation">Cancels.</param>
    public static Task<IReadOnlyList<SessionSeen>> HoldersAsync(PostgresSession session, DatabaseEnvironment environment, CancellationToken cancellation) =>
        session.QueryAsync(Others, SessionSeen.Read, cancellation, KeyOf(environment.Database.Database));

    /// <summary>The advisory lock's key for a database.</summary>
    internal static long KeyOf(string database) => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes("aragora-single-flight\0" + database)));

    private async Task TakeAsync(PostgresSession session, DatabaseEnvironment environment, long key, TimeSpan wait, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        var told = false;
        while (true)
        {
            var taken = await session.ScalarAsync<bool>(Take, cancellation, key);
            if (taken && await session.ScalarAsync<int>(Mine, cancellation, key) == 0)
            {
                throw PoolerProbe.Refusal(environment, "the lock was taken by one server process and the next question went to another", null);
            }

            var others = await session.QueryAsync(Others, SessionSeen.Read, cancellation, key);
            if (taken && others.Count == 0)
            {
                return;
            }

            if (taken)
            {
                await session.ExecuteAsync("SELECT pg_advisory_unlock($1)", cancellation, key);
            }

            if (run.Clock.GetElapsedTime(started) >= wait)
            {
                throw await RefusalAsync(session, environment, others, cancellation);
            }

            if (!told)
            {
                run.Log.Information("Waiting up to {Wait} for {Holder}", wait, string.Join(", ", others));
                told = true;
            }

            await Task.Delay(PollInterval, run.Clock, cancellation);
        }
    }

    private static async Task<RefusedException> RefusalAsync(PostgresSession session, DatabaseEnvironment environment, IReadOnlyList<SessionSeen> holders, CancellationToken cancellation)
    {
        var working = await MigrationSessions.ListAsync(session, environment, cancellation);
        var holder = holders.Count > 0 ? "it is held by " + string.Join(", ", holders) : "its holder has just ended";
        var doing = working.Count > 0 ? "; at work: " + string.Join(", ", working) : "; no migration's session is open at the moment";
        return new RefusedException(
            $"Another run is changing the {environment.DisplayName} database \"{environment.Database.Database}\" at {environment.Endpoint}.",
            holder + doing,
            holders.Count > 0 ? $"wait for it and repeat the command; if that run is dead: SELECT pg_terminate_backend({holders[0].ProcessId});" : "repeat the command");
    }

    private async Task RequireNobodyAtWorkAsync(PostgresSession session, DatabaseEnvironment environment, TimeSpan patience, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        while ((await MigrationSessions.ListAsync(session, environment, cancellation)).Where(working => working.ApplicationName != MayBeAtWork).ToList() is { Count: > 0 } working)
        {
            if (run.Clock.GetElapsedTime(started) >= patience)
            {
                throw new RefusedException(
                    $"A migration is still at work in the {environment.DisplayName} database \"{environment.Database.Database}\" at {environment.Endpoint}.",
                    $"{string.Join(", ", working)}; no run of ours guards it: it was started by hand, or its run was killed",
                    $"wait for it, or end it: SELECT pg_terminate_backend({working[0].ProcessId});");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), run.Clock, cancellation);
        }
    }
}
