using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Digests;

/// <summary>How one table's digest is read.</summary>
/// <param name="Table">Its quoted name.</param>
/// <param name="Sql">The query; null where it has no rows of its own to read.</param>
/// <param name="Pages">Its size, for order.</param>
internal sealed record TableQuery(string Table, string? Sql, long Pages)
{
    public static async Task<IReadOnlyList<TableQuery>> BuildAsync(SnapshotSession snapshot, DigestMethod method, CancellationToken cancellation)
    {
        var session = snapshot.Session;
        var columns = (await session.QueryAsync(
            """
            SELECT a.attrelid, quote_ident(a.attname), CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' THEN t.typname::text END, coalesce(c.collisdeterministic, true)
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
            WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attrelid, a.attname COLLATE "C"
            """,
            row => (Table: row.GetFieldValue<uint>(0), Column: new DigestColumn(row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetBoolean(3))),
            cancellation,
            snapshot.Tables.Select(table => (long)table.Oid).ToArray())).ToLookup(item => item.Table, item => item.Column);
        var local = await LocalLeavesAsync(session, cancellation);
        var pages = await session.QueryAsync(
            "SELECT r.oid, (SELECT coalesce(sum(c.relpages), 0) FROM pg_partition_tree(r.oid) p JOIN pg_class c ON c.oid = p.relid)::bigint FROM pg_class r WHERE r.relkind = 'p' AND NOT r.relispartition",
            row => (Oid: row.GetFieldValue<uint>(0), Pages: row.GetInt64(1)),
            cancellation);
        var rootPages = pages.ToDictionary(root => root.Oid, root => root.Pages);
        return [.. snapshot.Tables.Where(table => table.IsDigested).Select(table =>
        {
            List<DigestColumn> ours = [.. columns[table.Oid]];
            var from = From(table, ours, local.GetValueOrDefault(table.Oid));
            var sql = from is null ? null : $"SELECT count(*), coalesce(sum({RowHash.Expression(ours, method)}), 0)::text FROM {from}";
            return new TableQuery(table.Name, sql, rootPages.GetValueOrDefault(table.Oid, table.Pages));
        })];
    }

    public async Task<RowsDigest> RunAsync(PostgresSession session, CancellationToken cancellation)
    {
        if (Sql is null)
        {
            return new RowsDigest(0, "0");
        }

        try
        {
            return (await session.QueryAsync(Sql, row => new RowsDigest(row.GetInt64(0), row.GetString(1)), cancellation))[0];
        }
        catch (PostgresException failure) when (failure.SqlState is not (PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown))
        {
            throw new FailedCleanException(
                $"Table {Table} could not be read to its end.",
                string.Create(CultureInfo.InvariantCulture, $"the server answered {failure.SqlState}: {failure.MessageText}"),
                "find the cause in the server's log; a backup of this table would fail as well",
                failure);
        }
    }

    private static string? From(SnapshotTable table, List<DigestColumn> columns, IReadOnlyList<string>? leaves)
    {
        if (table.Kind == SnapshotTableKind.Ordinary)
        {
            return $"ONLY {table.Name} {table.Condition}".TrimEnd();
        }

        if (leaves is null)
        {
            return table.Name;
        }

        var names = string.Join(", ", columns.Select(column => column.Name));
        return leaves.Count == 0 ? null : $"({string.Join(" UNION ALL ", leaves.Select(leaf => $"SELECT {names} FROM ONLY {leaf}"))}) AS local_partitions";
    }

    /// <summary>For roots with a foreign partition: their other partitions. A dump holds no row of another server, and we do not call one.</summary>
    private static async Task<IReadOnlyDictionary<uint, IReadOnlyList<string>>> LocalLeavesAsync(PostgresSession session, CancellationToken cancellation)
    {
        var rows = await session.QueryAsync(
            """
            SELECT pg_partition_root(f.oid)::oid, leaf.relid::text
            FROM pg_class f
            LEFT JOIN LATERAL (
                SELECT p.relid::regclass AS relid FROM pg_partition_tree(pg_partition_root(f.oid)) p JOIN pg_class c ON c.oid = p.relid AND c.relkind = 'r') leaf ON true
            WHERE f.relkind = 'f' AND f.relispartition
            GROUP BY 1, 2
            """,
            row => (Root: row.GetFieldValue<uint>(0), Leaf: row.IsDBNull(1) ? null : row.GetString(1)),
            cancellation);
        return rows.GroupBy(row => row.Root).ToDictionary(group => group.Key, group => (IReadOnlyList<string>)[.. group.Where(row => row.Leaf is not null).Select(row => row.Leaf!)]);
    }
}
