using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Digests;

/// <summary>
/// Options that the catalogue keeps as arrays of <c>name=value</c>. Those that belong to the schema are compared by name. Beside them a server may keep
/// notes of its own, which no dump brings back: <c>pg_attver</c>, in every column from the minor versions of November 2026 on (15.20).
/// What is neither has a line of its own, and counts where pg_dump carries it (<see cref="ContentDigest.WithUnknownOptions"/>).
/// </summary>
internal static class CatalogueOptions
{
    /// <summary>The kind of the lines for options that this build does not know; each name begins with the option's.</summary>
    public const string UnknownKind = "unknown option";

    private const string ServersNote = "pg_attver";

    private const string ServersNotes = "{" + ServersNote + "}";

    private const string ColumnOptions = "{n_distinct,n_distinct_inherited}";

    /// <summary>Tables, views and materialized views of PostgreSQL 12 to 18 (reloptions.c).</summary>
    private const string RelationOptions =
        "{fillfactor,toast_tuple_target,parallel_workers,user_catalog_table,vacuum_index_cleanup,vacuum_truncate,vacuum_max_eager_freeze_failure_rate,"
        + "autovacuum_enabled,autovacuum_vacuum_threshold,autovacuum_vacuum_max_threshold,autovacuum_vacuum_scale_factor,"
        + "autovacuum_vacuum_insert_threshold,autovacuum_vacuum_insert_scale_factor,autovacuum_analyze_threshold,autovacuum_analyze_scale_factor,"
        + "autovacuum_vacuum_cost_delay,autovacuum_vacuum_cost_limit,autovacuum_freeze_min_age,autovacuum_freeze_max_age,autovacuum_freeze_table_age,"
        + "autovacuum_multixact_freeze_min_age,autovacuum_multixact_freeze_max_age,autovacuum_multixact_freeze_table_age,log_autovacuum_min_duration,"
        + "security_barrier,security_invoker,check_option}";

    private const string Name = "split_part(option, '=', 1)";

    /// <summary>SQL for the known options of a column, sorted; NULL for none.</summary>
    public static string OfColumn(string array) => Listed(array, ColumnOptions);

    /// <summary>SQL for the known options of a table or view, sorted; NULL for none.</summary>
    public static string OfRelation(string array) => Listed(array, RelationOptions);

    /// <summary>SQL for the lines of options that this build does not know, of the relations that <paramref name="relations"/> calls <c>rel</c>.</summary>
    public static string Unknown(string relations) =>
        $$"""
        {{relations}}
        SELECT '{{UnknownKind}}', {{Name}} || ' of column ' || r.name || '.' || quote_ident(a.attname), substr(option, strpos(option, '=') + 1)
        FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped CROSS JOIN unnest(a.attoptions) option
        WHERE r.relkind IN ('r', 'p', 'm', 'f') AND NOT {{Name}} = ANY ('{{ColumnOptions}}'::text[] || '{{ServersNotes}}'::text[])
        UNION ALL
        SELECT '{{UnknownKind}}', {{Name}} || ' of ' || r.name, substr(option, strpos(option, '=') + 1)
        FROM rel r CROSS JOIN unnest(r.reloptions) option
        WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT {{Name}} = ANY ('{{RelationOptions}}'::text[] || '{{ServersNotes}}'::text[])
        UNION ALL
        SELECT '{{UnknownKind}}', {{Name}} || ' of the toast table of ' || r.name, substr(option, strpos(option, '=') + 1)
        FROM rel r JOIN pg_class toast ON toast.oid = r.reltoastrelid CROSS JOIN unnest(toast.reloptions) option
        WHERE NOT {{Name}} = ANY ('{{RelationOptions}}'::text[] || '{{ServersNotes}}'::text[])
        """;

    private const string ServersNotesSql =
        $$"""
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.string_agg(DISTINCT pg_catalog.split_part(option, '=', 1), ' ')
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN pg_catalog.unnest(a.attoptions) option
        WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT a.attisdropped
          AND pg_catalog.split_part(option, '=', 1) <> ALL ('{{ColumnOptions}}')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
        GROUP BY 1 ORDER BY 1 LIMIT 1
        """;

    /// <summary>Finds them; null where there are none.</summary>
    public static async Task<ServersNotes?> FindServersNotesAsync(PostgresSession session, CancellationToken cancellation) =>
        await session.QueryAsync(ServersNotesSql, row => new ServersNotes(row.GetString(0), row.GetString(1).Split(' ')), cancellation) is [var notes] ? notes : null;

    /// <summary>Whether it is a note that newer servers keep for themselves.</summary>
    public static bool IsServersNote(string option) => option == ServersNote;

    /// <summary>The option that a line of <see cref="UnknownKind"/> is about.</summary>
    public static string NameOf(CatalogueLine line) => line.Name[..line.Name.IndexOf(' ', StringComparison.Ordinal)];

    private static string Listed(string array, string known) =>
        $"(SELECT string_agg(option, ', ' ORDER BY option COLLATE \"C\") FROM unnest({array}) option WHERE {Name} = ANY ('{known}'))";
}

/// <summary>Options in a table's columns that a server keeps for itself, or that this build does not know.</summary>
/// <param name="Table">One such table, quoted and qualified.</param>
/// <param name="Options">The options' names.</param>
public sealed record ServersNotes(string Table, IReadOnlyList<string> Options);
