using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Migrations;

/// <summary>What the catalogue lists, by name: compared before and after a migration that failed, it shows what was done outside of a transaction.</summary>
/// <remarks><c>alembic_version</c>, extensions' own objects and temporary tables are left out.</remarks>
public sealed record CatalogSnapshot(IReadOnlySet<CatalogEntry> Entries)
{
    private const string Sql = """
        WITH spaces AS (
            SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
        ), relations AS (
            SELECT c.oid, c.relkind, c.relname, format('%I.%I', n.nspname, c.relname) AS name
            FROM pg_class c JOIN spaces n ON n.oid = c.relnamespace
            WHERE c.relname NOT IN ('alembic_version', 'alembic_version_pkc')
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        )
        SELECT CASE r.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'type' END, r.name, '', r.oid
        FROM relations r WHERE r.relkind NOT IN ('i', 'I')
        UNION ALL
        SELECT 'index', r.name, CASE WHEN i.indisvalid THEN '' ELSE 'INVALID' END, r.oid
        FROM relations r JOIN pg_index i ON i.indexrelid = r.oid
        UNION ALL
        SELECT 'column', r.name || '.' || quote_ident(a.attname), format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, r.oid
        FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'constraint', quote_ident(c.conname) || ' on ' || r.name, CASE WHEN c.convalidated THEN '' ELSE 'NOT VALID' END, c.oid
        FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid
        UNION ALL
        SELECT 'trigger', quote_ident(t.tgname) || ' on ' || r.name, t.tgenabled::text, t.oid
        FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
        UNION ALL
        SELECT 'function', format('%I.%I', n.nspname, p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')', md5(p.prosrc), p.oid
        FROM pg_proc p JOIN spaces n ON n.oid = p.pronamespace
        WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        UNION ALL
        SELECT 'enum label', format('%I.%I', n.nspname, t.typname) || ' ' || quote_literal(e.enumlabel), '', e.oid
        FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN spaces n ON n.oid = t.typnamespace
        """;

    /// <summary>Reads the catalogue of the session's database.</summary>
    public static async Task<CatalogSnapshot> TakeAsync(PostgresSession session, CancellationToken cancellation) =>
        new((await session.QueryAsync(Sql, row => new CatalogEntry(row.GetString(0), row.GetString(1), row.GetString(2), row.GetFieldValue<uint>(3)), cancellation)).ToHashSet());

    /// <summary>What is different now, in words.</summary>
    public CatalogChanges ChangesUntil(CatalogSnapshot later)
    {
        var added = later.Entries.Except(Entries).ToList();
        var removed = Entries.Except(later.Entries).ToList();
        return new CatalogChanges(
            [.. added.Where(entry => entry is { Kind: "index", Detail: "INVALID" }).Select(entry => entry.Name).Order(StringComparer.Ordinal)],
            [.. added.Where(entry => entry is { Kind: "constraint", Detail: "NOT VALID" }).Select(entry => entry.Name).Order(StringComparer.Ordinal)],
            [.. added.Where(entry => !IsPartOf(entry, added)).Select(entry => entry.ToString()).Order(StringComparer.Ordinal)],
            [.. removed.Where(entry => !IsPartOf(entry, removed)).Select(entry => entry.ToString()).Order(StringComparer.Ordinal)]);
    }

    /// <summary>A new table's columns are no news beside the table.</summary>
    private static bool IsPartOf(CatalogEntry entry, List<CatalogEntry> others) =>
        entry.Kind == "column" && others.Any(other => other.Oid == entry.Oid && other.Kind != "column");
}

/// <summary>One object of the catalogue.</summary>
/// <param name="Kind">table, index, column, constraint …</param>
/// <param name="Name">Its name, quoted where SQL wants it.</param>
/// <param name="Detail">INVALID, NOT VALID, a column's type.</param>
/// <param name="Oid">Its OID, or its table's: an object that was dropped and made again is another one.</param>
public sealed record CatalogEntry(string Kind, string Name, string Detail, uint Oid)
{
    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        "index" or "constraint" when Detail.Length > 0 => $"{Detail} {Kind} {Name}",
        "column" => $"{Kind} {Name} {Detail}",
        _ => $"{Kind} {Name}",
    };
}

/// <summary>The difference of two snapshots.</summary>
/// <param name="InvalidIndexes">Indexes that are INVALID and were not there, or not invalid, before.</param>
/// <param name="NotValidConstraints">Constraints that are NOT VALID and were not before.</param>
/// <param name="Added">Everything that is new, those included.</param>
/// <param name="Removed">Everything that is gone.</param>
public sealed record CatalogChanges(IReadOnlyList<string> InvalidIndexes, IReadOnlyList<string> NotValidConstraints, IReadOnlyList<string> Added, IReadOnlyList<string> Removed)
{
    /// <summary>Whether nothing changed.</summary>
    public bool None => Added.Count == 0 && Removed.Count == 0;
}
