using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Backups;

/// <summary>What the server's statistics have counted of a database's writes, at one moment: two such moments tell what was written in between. Part of a backup's manifest, read before its snapshot.</summary>
/// <remarks>
/// What a session wrote last may reach the statistics only seconds after its commit. Read before the snapshot, the first moment can only be too low, and the difference too high; the second one
/// is read when all other sessions have ended, which is when they hand in the rest.
/// </remarks>
public sealed record WriteCounters
{
    /// <summary>When the database's statistics were reset last; null for never.</summary>
    public DateTimeOffset? ResetAt { get; init; }

    /// <summary>When the server's own statistics began, by view: all of them begin anew where the server crashed and lost everything that it had counted.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset?> ServerResets { get; init; } = new Dictionary<string, DateTimeOffset?>(StringComparer.Ordinal);

    /// <summary>Whether the server counts at all (<c>track_counts</c>).</summary>
    public bool IsCounting { get; init; } = true;

    /// <summary>Each table, by OID.</summary>
    public required IReadOnlyDictionary<uint, TableWrites> Tables { get; init; }

    /// <summary>Reads it in a session of the database.</summary>
    public static async Task<WriteCounters> ReadAsync(PostgresSession session, CancellationToken cancellation)
    {
        await session.ExecuteAsync("SELECT pg_catalog.pg_stat_clear_snapshot()", cancellation);
        var reset = await session.QueryAsync("SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()", row => row.IsDBNull(0) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(0), cancellation);
        var server = await session.QueryAsync(
            "SELECT 'archiver', stats_reset FROM pg_catalog.pg_stat_archiver UNION ALL SELECT 'bgwriter', stats_reset FROM pg_catalog.pg_stat_bgwriter",
            row => (View: row.GetString(0), At: row.IsDBNull(1) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(1)),
            cancellation);
        var counting = await session.ScalarAsync<bool>("SELECT pg_catalog.current_setting('track_counts')::boolean", cancellation);
        var tables = await session.QueryAsync(
            """
            SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.pg_relation_filenode(c.oid), s.n_tup_ins + s.n_tup_upd + s.n_tup_del
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
            WHERE c.relkind = 'r' AND pg_catalog.pg_relation_filenode(c.oid) IS NOT NULL AND c.relpersistence <> 't' AND (c.oid = 'pg_catalog.pg_largeobject'::regclass OR (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'))
            """,
            row => (Oid: row.GetFieldValue<uint>(0), Table: new TableWrites(row.GetString(1), row.GetFieldValue<uint>(2), row.GetInt64(3))),
            cancellation);
        return new WriteCounters
        {
            ResetAt = reset.Count > 0 ? reset[0] : null,
            ServerResets = server.ToDictionary(view => view.View, view => view.At, StringComparer.Ordinal),
            IsCounting = counting,
            Tables = tables.ToDictionary(table => table.Oid, table => table.Table),
        };
    }
}

/// <summary>One table's writes.</summary>
/// <param name="Name">Quoted and qualified.</param>
/// <param name="FileNode">Its file: another one after a TRUNCATE or a rewrite.</param>
/// <param name="Rows">Rows inserted, updated and deleted since the statistics began, those of transactions that were rolled back included.</param>
public sealed record TableWrites(string Name, uint FileNode, long Rows);
