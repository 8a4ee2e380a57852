using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Backups;

/// <summary>Watches a dump from the server's side, once a second: who it waits for, who waits for it, how many rows it has copied.</summary>
/// <param name="run">Logs each session that is in the way, once.</param>
/// <param name="environment">The database.</param>
/// <param name="applicationName">pg_dump's name in <c>pg_stat_activity</c>.</param>
/// <param name="progress">Receives the rows copied.</param>
public sealed class DumpMonitor(RunContext run, DatabaseEnvironment environment, string applicationName, DumpProgress progress)
{
    /// <summary>The watching session's own name.</summary>
    public const string ApplicationName = "aragora-backup-watch";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly Dictionary<(int Pid, bool WaitsForDump), SessionInTheWay> seen = [];

    /// <summary>Every session that was in the way so far.</summary>
    public IReadOnlyList<SessionInTheWay> Seen
    {
        get
        {
            lock (seen)
            {
                return [.. seen.Values];
            }
        }
    }

    /// <summary>Watches until cancelled. That the watching fails is no failure of the dump: it is logged, and that is all.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            await using var session = await PostgresSession.OpenAsync(environment, ApplicationName, cancellation: cancellation);
            using var timer = new PeriodicTimer(Interval, run.Clock);
            do
            {
                await LookAsync(session, cancellation);
            }
            while (await timer.WaitForNextTickAsync(cancellation));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The dump is over.
        }
        catch (Exception failure) when (failure is NpgsqlException or BadInputException or IOException)
        {
            run.Log.Debug(failure, "The dump is no longer watched from the server's side");
        }
    }

    /// <summary>After a failure on a lock: sessions that hold a lock which excludes readers, or wait for one.</summary>
    public async Task<IReadOnlyList<SessionInTheWay>> ExclusiveLocksAsync(CancellationToken cancellation)
    {
        try
        {
            await using var session = await PostgresSession.OpenAsync(environment, ApplicationName, cancellation: cancellation);
            return await session.QueryAsync(
                $"""
                SELECT DISTINCT ON (a.pid) a.pid, {Described("a")}
                FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation >= 16384 AND a.datname = current_database() AND a.pid <> pg_backend_pid()
                """,
                row => Read(row, waitsForDump: false),
                cancellation);
        }
        catch (Exception failure) when (failure is NpgsqlException or BadInputException or IOException)
        {
            run.Log.Debug(failure, "The locks could not be read");
            return [];
        }
    }

    private async Task LookAsync(PostgresSession session, CancellationToken cancellation)
    {
        var inTheWay = await session.QueryAsync(
            $"""
            SELECT coalesce(b.pid, 0), {Described("b")}, false, false
            FROM pg_stat_activity ours CROSS JOIN LATERAL unnest(pg_blocking_pids(ours.pid)) AS blocker (pid) LEFT JOIN pg_stat_activity b ON b.pid = blocker.pid
            WHERE ours.application_name = $1 AND ours.datname = current_database() AND b.application_name IS DISTINCT FROM $1
            UNION ALL
            SELECT w.pid, {Described("w")}, true, w.wait_event = 'virtualxid'
            FROM pg_stat_activity w
            WHERE w.application_name <> $1 AND w.datname = current_database() AND w.wait_event_type = 'Lock'
              AND EXISTS (SELECT FROM pg_stat_activity ours WHERE ours.application_name = $1 AND ours.pid = ANY (pg_blocking_pids(w.pid)))
            """,
            row => (Session: Read(row, row.GetBoolean(6)), ForSnapshot: row.GetBoolean(7)),
            cancellation,
            applicationName);
        foreach (var (one, forSnapshot) in inTheWay)
        {
            bool isNew;
            lock (seen)
            {
                isNew = seen.TryAdd((one.Pid, one.WaitsForDump), one);
            }

            if (isNew && forSnapshot)
            {
                run.Log.Warning("{Session:l} waits for the end of the backup's snapshot; who reads or writes does not wait behind it", run.Secrets.Apply(one.ToString()));
            }
            else if (isNew && one.WaitsForDump)
            {
                run.Log.Warning("{Session} waits for a lock behind the backup, and whoever reads that table waits behind it", run.Secrets.Apply(one.ToString()));
            }
            else if (isNew)
            {
                run.Log.Warning("The backup waits for a lock of {Session}", run.Secrets.Apply(one.ToString()));
            }
        }

        if (session.ServerVersion.Major >= 14)
        {
            var rows = await session.QueryAsync(
                """
                SELECT n.nspname || '.' || c.relname, p.tuples_processed
                FROM pg_stat_progress_copy p JOIN pg_stat_activity a ON a.pid = p.pid JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE p.datname = current_database() AND a.application_name = $1
                """,
                row => (Table: row.GetString(0), Rows: row.GetInt64(1)),
                cancellation,
                applicationName);
            progress.OnCopied(rows.GroupBy(row => row.Table, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Max(row => row.Rows), StringComparer.Ordinal));
        }
    }

    private static string Described(string activity) =>
        $"coalesce({activity}.usename, '?'), coalesce({activity}.application_name, ''), coalesce({activity}.state, ''), coalesce(left({activity}.query, 160), ''), coalesce(extract(epoch FROM clock_timestamp() - {activity}.xact_start), 0)::float8";

    private static SessionInTheWay Read(System.Data.Common.DbDataReader row, bool waitsForDump) =>
        new(row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetString(3), ActivityChecks.QueryText(row.GetString(4)), TimeSpan.FromSeconds(row.GetDouble(5)), waitsForDump);
}

/// <summary>A session that keeps a dump waiting, or that the dump keeps waiting.</summary>
/// <param name="Pid">Its server process; 0 for a prepared transaction.</param>
/// <param name="User">Its role.</param>
/// <param name="Application">What it calls itself.</param>
/// <param name="State">Such as <c>idle in transaction</c>; empty where our role may not see it.</param>
/// <param name="Query">The beginning of its last statement, its literals taken out.</param>
/// <param name="TransactionAge">How long its transaction has been open.</param>
/// <param name="WaitsForDump">True where it waits behind the dump.</param>
public sealed record SessionInTheWay(int Pid, string User, string Application, string State, string Query, TimeSpan TransactionAge, bool WaitsForDump)
{
    /// <inheritdoc/>
    public override string ToString() => Pid == 0
        ? "a prepared transaction (SELECT * FROM pg_prepared_xacts)"
        : string.Create(CultureInfo.InvariantCulture, $"session {Pid} (role {User}, application \"{Application}\", {(State.Length > 0 ? State : "state hidden")}, transaction open for {ProgressSnapshot.Rough(TransactionAge)}: {Query.ReplaceLineEndings(" ")})");
}
