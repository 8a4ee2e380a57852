using System.Data.Common;
using System.Text.RegularExpressions;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Preflight;

/// <summary>Who is at work in the database, and would stand in the way of a migration.</summary>
public static partial class ActivityChecks
{
    /// <summary>A long transaction holds locks, keeps CREATE INDEX CONCURRENTLY waiting, and makes every DDL behind it queue.</summary>
    public static PreflightCheck LongTransactions { get; } = new("long-transactions", "Long transactions", async (subject, cancellation) =>
    {
        var limit = subject.Options.LongTransaction;
        var found = await subject.Session.QueryAsync(
            """
            SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::float8, coalesce(usename, '?')::text, coalesce(application_name, ''), coalesce(state, '?'), coalesce(query, '')
            FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start < clock_timestamp() - $1
            ORDER BY xact_start
            """,
            Describe,
            cancellation,
            limit);
        var hidden = await subject.Session.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = '<insufficient privilege>'", cancellation);
        var unseen = hidden > 0 ? $"; {Measures.Count(hidden, "session")} of other roles cannot be seen" : "";
        return (found.Count, hidden) switch
        {
            (0, 0) => new Finding.Ok($"none over {Measures.Duration(limit)}"),
            (0, _) => new Finding.Warning($"none over {Measures.Duration(limit)} among those visible{unseen}", $"GRANT pg_monitor TO {subject.Role}"),
            _ => new Finding.Warning(
                $"{Measures.Count(found.Count, "transaction")} over {Measures.Duration(limit)}{unseen}:\n" + string.Join('\n', found.Take(10).Select(one => one.Text)),
                $"wait for them, or ask their owners, then ./build.sh Preflight; the last resort is SELECT pg_terminate_backend({found[0].Pid})"),
        };
    });

    /// <summary>A prepared transaction that nobody ends holds its locks for ever, over restarts.</summary>
    public static PreflightCheck Prepared { get; } = new("prepared-transactions", "Prepared transactions", async (subject, cancellation) =>
    {
        var found = await subject.Session.QueryAsync(
            "SELECT gid, extract(epoch FROM clock_timestamp() - prepared)::float8, owner::text FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared",
            row => (Gid: row.GetString(0), Age: TimeSpan.FromSeconds(row.GetDouble(1)), Owner: row.GetString(2)),
            cancellation);
        if (found.Count == 0)
        {
            return new Finding.Ok("none");
        }

        var text = $"{Measures.Count(found.Count, "prepared transaction")}: " + SqlText.Some([.. found.Select(one => $"'{LogText.SingleLine(one.Gid, 60)}' of {one.Owner}, {Measures.Duration(one.Age)} old")]);
        var next = $"ask their owner's transaction manager; else COMMIT PREPARED or ROLLBACK PREPARED '{LogText.SingleLine(found[0].Gid, 200).Replace("'", "''", StringComparison.Ordinal)}'";
        return found[0].Age > subject.Options.LongTransaction ? new Finding.Refusal(text + ": their locks stay until somebody ends them", next) : new Finding.Warning(text, next);
    })
    { IsEssential = true };

    /// <summary>Locks that shut everybody out of a table, and queues that have formed.</summary>
    public static PreflightCheck Blockers { get; } = new("blockers", "Blockers on tables", async (subject, cancellation) =>
    {
        var exclusive = await subject.Session.QueryAsync(
            """
            SELECT coalesce(l.pid, 0), format('%I.%I', n.nspname, c.relname), coalesce(a.usename, '?')::text, coalesce(a.application_name, ''), coalesce(left(a.query, 500), '')
            FROM pg_locks l
            JOIN pg_class c ON c.oid = l.relation
            JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            ORDER BY 2
            """,
            row => (Pid: row.GetInt32(0), Table: row.GetString(1), Who: $"{Holder(row.GetInt32(0), row.GetString(2), row.GetString(3))}: {QueryText(row.GetString(4))}"),
            cancellation);
        var waiting = await subject.Session.QueryAsync(
            """
            SELECT l.pid, format('%I.%I', n.nspname, c.relname), l.mode, array_to_string(pg_blocking_pids(l.pid), ', ')
            FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE l.locktype = 'relation' AND NOT l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            ORDER BY 1
            """,
            row => $"session {row.GetInt32(0)} waits for {row.GetString(1)} ({row.GetString(2)}) behind {row.GetString(3)}",
            cancellation);
        return exclusive.Count > 0
            ? new Finding.Refusal(
                "nobody can read " + SqlText.Some([.. exclusive.Select(one => $"{one.Table}: locked by {one.Who}")]) + (waiting.Count > 0 ? "; " + SqlText.Some(waiting) : ""),
                exclusive[0].Pid == 0 ? "end the prepared transaction" : $"wait for it, then ./build.sh Preflight; or end it: SELECT pg_terminate_backend({exclusive[0].Pid})")
            : waiting.Count > 0 ? new Finding.Warning("sessions queue for locks: " + SqlText.Some(waiting), "wait until the queue is gone, then ./build.sh Preflight")
            : new Finding.Ok("no table is locked, nobody waits");
    });

    /// <summary>A query in one short line, its literals taken out: they are somebody's data, or a password.</summary>
    internal static string QueryText(string query) => LogText.SingleLine(Literal().Replace(query, "'…'"), 80);

    private static (int Pid, string Text) Describe(DbDataReader row)
    {
        var age = Measures.Duration(TimeSpan.FromSeconds(row.GetDouble(1)));
        return (row.GetInt32(0), $"{Holder(row.GetInt32(0), row.GetString(2), row.GetString(3))}, {age}, {row.GetString(4)}: {QueryText(row.GetString(5))}");
    }

    private static string Holder(int pid, string user, string application) =>
        pid == 0 ? "a prepared transaction" : $"session {pid} ({LogText.SingleLine(user, 63)}{(application.Length > 0 ? ", " + LogText.SingleLine(application, 63) : "")})";

    [GeneratedRegex(@"'(?:[^']|'')*('|$)|\$(?<tag>\w*)\$.*?(\$\k<tag>\$|$)", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Literal();
}
