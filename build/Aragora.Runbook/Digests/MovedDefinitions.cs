using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Digests;

/// <summary>
/// What was changed or dropped since a snapshot was taken, of those things whose definition a server spells from its newest catalogue, whatever the snapshot: a dump and a
/// digest of one snapshot may then hold two definitions of it. What comes after the snapshot is in neither.
/// </summary>
public static class MovedDefinitions
{
    /// <summary>
    /// Read raw, these rows follow the snapshot. Of each, only what is spelled from the newest catalogue: a function (pg_get_functiondef; pg_dump takes the body from the
    /// snapshot), a trigger (pg_get_triggerdef; whether it is enabled comes from the snapshot), an index's settings (pg_get_indexdef), and the names in every other definition.
    /// Rules and constraints are spelled from the snapshot, and locked tables keep their columns. A role that is gone owned nothing here.
    /// </summary>
    private const string Sql =
        """
        WITH rel AS (
            SELECT c.oid, c.relkind, c.reloptions, format('%I.%I', n.nspname, c.relname) AS name
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
        SELECT 'function', p.oid, format('%I.%I', n.nspname, p.proname), hashtextextended((to_jsonb(p) - '{proowner,proacl}'::text[])::text, 0)::text
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        UNION ALL
        SELECT 'trigger', t.oid, quote_ident(t.tgname) || ' on ' || r.name, hashtextextended((to_jsonb(t) - 'tgenabled'::text)::text, 0)::text FROM pg_catalog.pg_trigger t JOIN rel r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
        UNION ALL
        SELECT CASE r.relkind WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'composite type' ELSE 'table' END,
            r.oid, r.name, CASE WHEN r.relkind IN ('i', 'I') THEN coalesce(array_to_string(r.reloptions, ','), '') ELSE '' END FROM rel r
        UNION ALL
        SELECT 'columns of', r.oid, r.name, string_agg(quote_ident(a.attname), ',' ORDER BY a.attnum)
        FROM rel r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 WHERE r.relkind IN ('v', 'm', 'c', 'f') GROUP BY r.oid, r.name
        UNION ALL
        SELECT 'type', t.oid, format('%I.%I', n.nspname, t.typname), ''
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.typisdefined AND t.typrelid = 0 AND t.typcategory <> 'A'
        UNION ALL
        SELECT 'statistics', s.oid, format('%I.%I', n.nspname, s.stxname), '' FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
        UNION ALL
        SELECT 'operator', o.oid, format('%I.%s', n.nspname, o.oprname), '' FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid >= 16384
        UNION ALL
        SELECT 'operator class', o.oid, format('%I.%I', n.nspname, o.opcname), '' FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace WHERE o.oid >= 16384
        UNION ALL
        SELECT 'collation', c.oid, format('%I.%I', n.nspname, c.collname), '' FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.oid >= 16384
        UNION ALL
        SELECT 'role', r.oid, quote_ident(r.rolname), '' FROM pg_catalog.pg_roles r
        """;

    /// <summary>Reads what the snapshot shows and what is there now, and names what differs; none where a dump and a digest of the snapshot can be compared.</summary>
    /// <param name="snapshot">The snapshot, after whoever read in it has ended.</param>
    /// <param name="environment">Its database.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task<IReadOnlyList<string>> FindAsync(SnapshotSession snapshot, DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var then = await ReadAsync(snapshot.Session, cancellation);
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-backup-check", settings: StableSettings.AtConnect, cancellation: cancellation);
        await StableSettings.ApplyAsync(session, TimeSpan.FromSeconds(2), cancellation);
        var now = await ReadAsync(session, cancellation);
        return [.. then
            .Select(was => now.TryGetValue(was.Key, out var later) ? Change(was.Key.Kind, was.Value, later) : was.Key.Kind is "role" or "columns of" ? null : $"{was.Key.Kind} {was.Value.Name} was dropped")
            .OfType<string>().Order(StringComparer.Ordinal)];
    }

    private static string? Change(string kind, Definition was, Definition now) =>
        was.Name != now.Name ? $"{kind} {was.Name} is called {now.Name} now"
        : was.Content != now.Content ? $"{kind} {was.Name} {(kind == "columns of" ? "were" : "was")} changed"
        : null;

    private static async Task<Dictionary<(string Kind, uint Oid), Definition>> ReadAsync(PostgresSession session, CancellationToken cancellation) =>
        (await session.QueryAsync(Sql, row => (Kind: row.GetString(0), Oid: row.GetFieldValue<uint>(1), Definition: new Definition(row.GetString(2), row.GetString(3))), cancellation))
        .ToDictionary(row => (row.Kind, row.Oid), row => row.Definition);

    private sealed record Definition(string Name, string Content);
}
