using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Migrations;

/// <summary>Tells the ways apart in which it can be unclear where a database stands.</summary>
public static class VersionTable
{
    // One statement, and so one moment: a migration at work makes table and tables at once.
    private const string Relations = """
        SELECT coalesce(bool_or(v.is_version AND pg_table_is_visible(c.oid)), false),
               coalesce(array_agg(format('%I.%I', n.nspname, c.relname) ORDER BY n.nspname) FILTER (WHERE v.is_version), '{}'),
               count(*) FILTER (WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
                 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))::int
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL (SELECT c.relname = 'alembic_version' AND c.relkind IN ('r', 'p') AS is_version) v
        """;

    /// <summary>Refuses a database that has tables but no <c>alembic_version</c>: to Alembic it looks empty, and every migration would run on it.</summary>
    /// <exception cref="RefusedException">There are tables, or the version table lies in another schema.</exception>
    public static async Task RequireAsync(DatabaseEnvironment environment, DatabaseFacts facts, CancellationToken cancellation)
    {
        if (facts.RevisionStamp is not null)
        {
            return;
        }

        await using var session = await PostgresSession.OpenAsync(environment, "aragora-inspect", cancellation: cancellation);
        var (isThere, elsewhere, tables) = (await session.QueryAsync(Relations, row => (row.GetBoolean(0), row.GetFieldValue<string[]>(1), row.GetInt32(2)), cancellation))[0];
        if (isThere)
        {
            // It came after the facts were read: the first migration is at work, and RevisionMove follows it, or waits.
            return;
        }

        if (elsewhere.Length > 0)
        {
            throw new RefusedException(
                $"The {environment.DisplayName} database keeps its revision in {string.Join(", ", elsewhere)}, which is not on the search_path of role \"{environment.Database.User}\".",
                "the database would look as if no migration had run",
                "add that schema with ?options=-c%20search_path%3D… to the database's URL, or ALTER ROLE … SET search_path");
        }

        if (tables > 0)
        {
            throw new RefusedException(
                $"The {environment.DisplayName} database has {Measures.Count(tables, "table")} but no alembic_version.",
                "it was not made by these migrations, or alembic_version was dropped; every migration from the first would run on it",
                "find out at which revision it stands, then: alembic stamp <revision>; an empty database needs nothing");
        }
    }
}
