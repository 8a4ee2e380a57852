using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;

namespace Aragora.Runbook.Backups;

/// <summary>What has to be known of a database before it is dumped. Read without a lock on any table.</summary>
/// <param name="Facts">Identity and revisions.</param>
/// <param name="ServerMajor">The server's major version.</param>
/// <param name="ServerVersion">The server's version, such as 15.18.</param>
/// <param name="DatabaseBytes"><c>pg_database_size</c>, bytes.</param>
/// <param name="WalPosition">The server's WAL position; on a standby, the one replayed.</param>
/// <param name="Tables">Tables whose rows pg_dump will read, by <c>schema.table</c>.</param>
/// <param name="TablePages">Pages of the tables' own files, as the last ANALYZE saw them.</param>
/// <param name="ToastPages">Pages of what is stored out of line.</param>
/// <param name="AllPages">Pages of everything, indexes and system tables included.</param>
/// <param name="Shape">What a server has to have for a restore.</param>
/// <param name="Writes">What the server has counted of writes.</param>
public sealed record BackupSource(
    DatabaseFacts Facts,
    int ServerMajor,
    string ServerVersion,
    long DatabaseBytes,
    string? WalPosition,
    IReadOnlyDictionary<string, SourceTable> Tables,
    long TablePages,
    long ToastPages,
    long AllPages,
    SourceShape Shape,
    WriteCounters Writes)
{
    private const long Reserve = 16L << 20;

    private const string Dumped =
        """
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        """;

    /// <summary>Reads it.</summary>
    public static async Task<BackupSource> ReadAsync(PostgresSession session, DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var facts = await DatabaseInspector.ReadAsync(session, environment, cancellation);
        var size = await session.ScalarAsync<long>("SELECT pg_database_size(current_database())", cancellation);
        var version = await session.ScalarAsync<string>("SELECT current_setting('server_version')", cancellation) ?? "";
        var wal = await session.ScalarAsync<string>("SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text", cancellation);
        var tables = await session.QueryAsync(
            $"SELECT n.nspname || '.' || c.relname, c.reltuples::float8, c.relpages::bigint {Dumped} AND c.relkind = 'r'",
            row => (Name: row.GetString(0), Table: new SourceTable(row.GetDouble(1), row.GetInt64(2))),
            cancellation);
        var pages = (await session.QueryAsync(
            """
            SELECT coalesce(sum(relpages) FILTER (WHERE relkind IN ('r', 'm')), 0)::bigint, coalesce(sum(relpages) FILTER (WHERE relkind = 't'), 0)::bigint, coalesce(sum(relpages), 0)::bigint
            FROM pg_class
            """,
            row => (Tables: row.GetInt64(0), Toast: row.GetInt64(1), All: row.GetInt64(2)),
            cancellation))[0];
        return new BackupSource(
            facts,
            session.ServerVersion.Major,
            version.Split(' ')[0],
            size,
            wal,
            // Unquoted, as pg_dump says them: two tables can share a name.
            tables.GroupBy(table => table.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => SourceTable.Together([.. group.Select(table => table.Table)]), StringComparer.Ordinal),
            pages.Tables,
            pages.Toast,
            pages.All,
            await SourceShape.ReadAsync(session, cancellation),
            await WriteCounters.ReadAsync(session, cancellation));
    }

    /// <summary>
    /// Bytes that the backup may need: on the safe side. The database's size times the share of its tables (indexes are not dumped), compressed to 60 % at worst (text without
    /// compression: 150 %); what is stored out of line is compressed already, and grows by its text form. A table that nobody analysed yet makes the share unknown: then it is all.
    /// </summary>
    public long EstimateBackupBytes(int compressionLevel)
    {
        var isKnown = AllPages > 0 && Tables.Values.All(table => table.Rows >= 0);
        var tableShare = isKnown ? (double)TablePages / AllPages : 1;
        var toastShare = isKnown ? (double)ToastPages / AllPages : 0;
        var (table, toast) = compressionLevel > 0 ? (0.6, 1.2) : (1.5, 2.2);
        return Reserve + (long)(DatabaseBytes * ((tableShare * table) + (toastShare * toast)));
    }

    /// <summary>Refuses where the role may not read everything: pg_dump would find out only on the way.</summary>
    /// <exception cref="RefusedException">Tables, sequences or schemas are closed to the role, or row security would hide rows from it.</exception>
    public static async Task CheckReadableAsync(PostgresSession session, DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var closed = await session.QueryAsync(
            $"""
            SELECT format('%I.%I', n.nspname, c.relname), c.relkind = 'S', NOT has_schema_privilege(n.oid, 'USAGE'), quote_ident(n.nspname)
            {Dumped} AND c.relkind IN ('r', 'p', 'S') AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
            ORDER BY 1
            """,
            row => (Name: row.GetString(0), IsSequence: row.GetBoolean(1), SchemaClosed: row.GetBoolean(2), Schema: row.GetString(3)),
            cancellation);
        var role = Quoted(environment.Database.User);
        if (closed.Count > 0)
        {
            var grants = closed.Where(item => item.SchemaClosed).Select(item => $"GRANT USAGE ON SCHEMA {item.Schema} TO {role};").Distinct(StringComparer.Ordinal)
                .Concat(closed.Select(item => $"GRANT SELECT ON {(item.IsSequence ? "SEQUENCE" : "TABLE")} {item.Name} TO {role};"));
            throw new RefusedException(
                $"Role {role} may not read all of the {environment.DisplayName} database: {Listed(closed.Select(item => item.Name))}.",
                "a backup without them would not be one",
                $"{string.Join(' ', grants.Take(3))}{(closed.Count > 3 ? " …" : "")}   (or, from PostgreSQL 14 on, all at once: GRANT pg_read_all_data TO {role};)");
        }

        var hidden = await session.QueryAsync($"SELECT format('%I.%I', n.nspname, c.relname) {Dumped} AND c.relkind IN ('r', 'p') AND c.relrowsecurity AND row_security_active(c.oid) ORDER BY 1", row => row.GetString(0), cancellation);
        if (hidden.Count > 0)
        {
            throw new RefusedException(
                $"Row security would hide rows of {Listed(hidden)} from role {role}.",
                "a backup without them would not be one",
                $"ALTER ROLE {role} BYPASSRLS;   (or let the tables' owner make the backup)");
        }
    }

    private static string Quoted(string identifier) => "\"" + identifier.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    private static string Listed(IEnumerable<string> names)
    {
        var all = names.ToList();
        return string.Join(", ", all.Take(10)) + (all.Count > 10 ? string.Create(CultureInfo.InvariantCulture, $" and {all.Count - 10} more") : "");
    }
}

/// <summary>A table that is going to be dumped.</summary>
/// <param name="Rows"><c>pg_class.reltuples</c>: an estimate; below 0 where the table was never analysed.</param>
/// <param name="Pages"><c>pg_class.relpages</c>.</param>
public sealed record SourceTable(double Rows, long Pages)
{
    /// <summary>Several as one; never analysed where one was not.</summary>
    internal static SourceTable Together(IReadOnlyList<SourceTable> tables) => new(tables.Any(table => table.Rows < 0) ? -1 : tables.Sum(table => table.Rows), tables.Sum(table => table.Pages));
}
