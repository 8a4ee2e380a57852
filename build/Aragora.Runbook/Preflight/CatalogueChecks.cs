using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Preflight;

/// <summary>What earlier migrations and the years left behind.</summary>
public static class CatalogueChecks
{
    /// <summary>An index build that failed leaves an index that costs writes and serves nobody, and the next build of that name fails.</summary>
    public static PreflightCheck InvalidIndexes { get; } = new("invalid-indexes", "INVALID indexes", async (subject, cancellation) =>
    {
        var found = await subject.Session.QueryAsync(
            """
            SELECT format('%I.%I', n.nspname, c.relname), t.relname::text, c.relkind = 'I'
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class t ON t.oid = i.indrelid
            WHERE NOT i.indisvalid AND n.nspname !~ '^pg_toast'
              AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
            ORDER BY 1
            """,
            row => (Index: row.GetString(0), Table: row.GetString(1), Partitioned: row.GetBoolean(2)),
            cancellation);
        return found.Count == 0
            ? new Finding.Ok("none")
            : new Finding.Warning(
                $"{SqlText.Some([.. found.Select(index => $"{index.Index} on {SqlText.Identifier(index.Table)}")])}: left behind by a build that failed",
                string.Join("; ", found.Select(index => index.Partitioned ? $"attach an index of each partition to {index.Index}" : $"DROP INDEX CONCURRENTLY {index.Index}")));
    });

    /// <summary>Transaction ids: near their end, an autovacuum that does not give way holds up DDL; at the end, the server stops.</summary>
    public static PreflightCheck Wraparound { get; } = new("wraparound", "Transaction id age", async (subject, cancellation) =>
    {
        var (age, freeze) = (await subject.Session.QueryAsync(
            "SELECT age(datfrozenxid)::bigint, current_setting('autovacuum_freeze_max_age')::bigint FROM pg_database WHERE datname = current_database()",
            row => (row.GetInt64(0), row.GetInt64(1)),
            cancellation))[0];
        var running = await subject.Session.QueryAsync(
            "SELECT left(query, 200) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'autovacuum worker' AND query LIKE '%(to prevent wraparound)'",
            row => LogText.SingleLine(row.GetString(0), 120),
            cancellation);
        return Judge(age, freeze, running, subject.Options);
    });

    /// <summary>The rule, apart from the server that it is about: an age of billions cannot be made in a test.</summary>
    internal static Finding Judge(long age, long freezeMaxAge, IReadOnlyList<string> running, PreflightOptions options)
    {
        var text = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{age / 1e6:0.0} million of 2,147");
        return age > options.FreezeRefusalAge ? new Finding.Refusal($"{text}: the server will soon stop accepting writes", "VACUUM (FREEZE) the oldest tables before anything else")
            : running.Count > 0 ? new Finding.Warning($"an autovacuum to prevent wraparound is at work and does not give way to DDL: {string.Join("; ", running)}", "wait for it: lock_timeout will end a migration of that table")
            : age > freezeMaxAge * options.FreezeShare ? new Finding.Warning($"{text}: an autovacuum to prevent wraparound is near, and does not give way to DDL", "VACUUM (FREEZE) the large tables first, at a quiet hour")
            : new Finding.Ok(text);
    }
}
