namespace Aragora.Runbook.Digests;

/// <summary>A table with rows of its own, or the root of a partitioned one.</summary>
/// <param name="Oid">Its OID on this server.</param>
/// <param name="Name">schema.table, quoted where SQL wants it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="IsPartition">Whether its rows are counted at the root above it.</param>
/// <param name="Pages">Its pages, as the last ANALYZE saw them; for order only.</param>
/// <param name="RowSecurity">Whether row security would hide rows of it from this role.</param>
/// <param name="Condition">The <c>WHERE</c> that an extension gave for the rows of its table that are dumped; null for ordinary tables.</param>
public sealed record SnapshotTable(uint Oid, string Name, SnapshotTableKind Kind, bool IsPartition, long Pages, bool RowSecurity, string? Condition)
{
    internal const string Sql =
        """
        SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind = 'p', c.relispartition, c.relpages::bigint,
               c.relrowsecurity AND row_security_active(c.oid), config.condition
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_depend member ON member.classid = 'pg_class'::regclass AND member.objid = c.oid AND member.deptype = 'e'
        LEFT JOIN LATERAL (
            SELECT coalesce(e.extcondition[position], '') AS condition
            FROM pg_extension e, generate_subscripts(e.extconfig, 1) AS position
            WHERE e.extconfig[position] = c.oid) config ON true
        WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND (member.objid IS NULL OR config.condition IS NOT NULL)
        ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
        """;

    /// <summary>Whether it has a digest of its own.</summary>
    public bool IsDigested => !IsPartition;
}

/// <summary>Kinds of tables that hold rows.</summary>
public enum SnapshotTableKind
{
    /// <summary>An ordinary table; its inheritance children are separate.</summary>
    Ordinary,

    /// <summary>The root of a partitioned table, or a partition that is partitioned itself.</summary>
    Partitioned,
}
