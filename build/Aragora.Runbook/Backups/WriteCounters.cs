using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Backups;

/// <summary>What the server's statistics have counted of a database's writes, at one moment: two such moments tell what was written in between. Part of a backup's manifest, read before its snapshot.</summary>
public sealed record WriteCounters
{
    /// <summary>When the database's statistics were reset last; null for never.</summary>
    public DateTimeOffset? ResetAt { get; init; }

    /// <summary>Each table, by OID.</summary>
    public required IReadOnlyDictionary<uint, TableWrites> Tables { get; init; }

    /// <summary>Reads it in a session of the database.</summary>
    public static async Task<WriteCounters> ReadAsync(PostgresSession session, CancellationToken cancellation)
    {
        var reset = await session.QueryAsync("SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()", row => row.IsDBNull(0) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(0), cancellation);
        var tables = await session.QueryAsync(
            """
            SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.pg_relation_filenode(c.oid), s.n_tup_ins + s.n_tup_upd + s.n_tup_del
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
            WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND (c.oid = 'pg_catalog.pg_largeobject'::regclass OR (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'))
            """,
            row => (Oid: row.GetFieldValue<uint>(0), Table: new TableWrites(row.GetString(1), row.GetFieldValue<uint>(2), row.GetInt64(3))),
            cancellation);
        return new WriteCounters { ResetAt = reset.Count > 0 ? reset[0] : null, Tables = tables.ToDictionary(table => table.Oid, table => table.Table) };
    }
}

/// <summary>One table's writes.</summary>
/// <param name="Name">Quoted and qualified.</param>
/// <param name="FileNode">Its file: another one after a TRUNCATE or a rewrite.</param>
/// <param name="Rows">Rows inserted, updated and deleted since the statistics began, those of transactions that were rolled back included.</param>
public sealed record TableWrites(string Name, uint FileNode, long Rows);
