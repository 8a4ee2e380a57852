namespace Aragora.Runbook.Preflight;

/// <summary>The role's rights for what follows, each told before it is missed half-way.</summary>
public static class RightsChecks
{
    private const string OrdinaryTables =
        """
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        """;

    /// <summary>ALTER TABLE wants the owner; CREATE TABLE wants CREATE on the schema.</summary>
    public static PreflightCheck Migrate { get; } = new("rights-migrate", "Rights to migrate", async (subject, cancellation) =>
    {
        var schema = await subject.Session.ScalarAsync<string>("SELECT current_schema()::text", cancellation);
        if (schema is null)
        {
            return new Finding.Refusal("the role's search_path names no schema that exists: migrations have nowhere to create tables", $"ALTER ROLE {subject.Role} SET search_path = public");
        }

        if (!await subject.Session.ScalarAsync<bool>("SELECT has_schema_privilege($1, 'CREATE')", cancellation, schema))
        {
            return new Finding.Refusal($"{subject.Role} may not create tables in schema {SqlText.Identifier(schema)}", $"GRANT USAGE, CREATE ON SCHEMA {SqlText.Identifier(schema)} TO {subject.Role}");
        }

        var foreign = await subject.Session.QueryAsync(
            $"SELECT format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner)::text {OrdinaryTables} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1",
            row => (Name: row.GetString(0), Owner: row.GetString(1)),
            cancellation);
        return foreign.Count == 0
            ? new Finding.Ok($"{subject.Role} owns every table, and may create in {SqlText.Identifier(schema)}")
            : new Finding.Refusal(
                $"{subject.Role} does not own {SqlText.Some([.. foreign.Select(table => table.Name)])}: ALTER TABLE will fail",
                string.Join("; ", foreign.Select(table => table.Owner).Distinct(StringComparer.Ordinal).Select(owner => $"GRANT {SqlText.Identifier(owner)} TO {subject.Role}")));
    })
    { IsEssential = true, OnlyForMigration = true };

    /// <summary>A dump reads every table and sequence, and wants no row hidden.</summary>
    public static PreflightCheck Dump { get; } = new("rights-dump", "Rights to dump", async (subject, cancellation) =>
    {
        var unreadable = await subject.Session.QueryAsync(
            $"""
            SELECT format('%I.%I', n.nspname, c.relname), format('%I', n.nspname) {OrdinaryTables} AND c.relkind IN ('r', 'p', 'm', 'S', 'v')
              AND NOT (has_schema_privilege(n.oid, 'USAGE') AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') ELSE has_table_privilege(c.oid, 'SELECT') END) ORDER BY 1
            """,
            row => (Name: row.GetString(0), Schema: row.GetString(1)),
            cancellation);
        if (unreadable.Count > 0)
        {
            var schemas = unreadable.Select(table => table.Schema).Distinct(StringComparer.Ordinal);
            return new Finding.Refusal(
                $"{subject.Role} may not read {SqlText.Some([.. unreadable.Select(table => table.Name)])}: pg_dump will fail",
                string.Join("; ", schemas.Select(schema => $"GRANT USAGE ON SCHEMA {schema} TO {subject.Role}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {subject.Role}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {subject.Role}")));
        }

        var hidden = await subject.Session.QueryAsync(
            $"SELECT format('%I.%I', n.nspname, c.relname) {OrdinaryTables} AND c.relrowsecurity AND row_security_active(c.oid) ORDER BY 1",
            row => row.GetString(0),
            cancellation);
        return hidden.Count == 0
            ? new Finding.Ok("every table can be read")
            : new Finding.Refusal($"row-level security hides rows of {SqlText.Some(hidden)} from {subject.Role}: pg_dump will refuse", $"ALTER ROLE {subject.Role} BYPASSRLS   (or dump as the owner)");
    })
    { IsEssential = true, OnlyForBackup = true };

    /// <summary>Ending a session that blocks a migration.</summary>
    public static PreflightCheck Signal { get; } = new("rights-signal", "Right to end sessions", async (subject, cancellation) =>
        await IsMemberAsync(subject, "pg_signal_backend", cancellation)
            ? new Finding.Ok("may end sessions that block")
            : new Finding.Warning($"{subject.Role} may not end other roles' sessions, should one block the migration", $"GRANT pg_signal_backend TO {subject.Role}"));

    /// <summary>Seeing what other roles' sessions do.</summary>
    public static PreflightCheck Monitor { get; } = new("rights-monitor", "Right to see sessions", async (subject, cancellation) =>
        await IsMemberAsync(subject, "pg_read_all_stats", cancellation)
            ? new Finding.Ok("sees every session")
            : new Finding.Warning($"{subject.Role} does not see what other roles' sessions do: long transactions and blockers may be hidden", $"GRANT pg_monitor TO {subject.Role}"));

    /// <summary>A restore beside the database makes a new one.</summary>
    public static PreflightCheck CreateDatabase { get; } = new("rights-createdb", "Right to restore beside", async (subject, cancellation) =>
        await subject.Session.ScalarAsync<bool>("SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user", cancellation)
            ? new Finding.Ok("may create a database to restore into")
            : new Finding.Warning($"{subject.Role} may not create databases: a restore beside this one will need another role", $"ALTER ROLE {subject.Role} CREATEDB"))
    { OnlyForBackup = true };

    /// <summary>What names a database by what it is.</summary>
    public static PreflightCheck Identify { get; } = new("rights-identify", "Right to read the identity", async (subject, cancellation) =>
    {
        var denied = await subject.Session.QueryAsync(
            "SELECT f FROM unnest(ARRAY['pg_control_system()', 'pg_control_checkpoint()']) f WHERE NOT has_function_privilege('pg_catalog.' || f, 'EXECUTE')",
            row => row.GetString(0),
            cancellation);
        return denied.Count == 0
            ? new Finding.Ok("may read the server's identity")
            : new Finding.Refusal(
                $"{subject.Role} may not call {string.Join(" and ", denied)}: no evidence can say which database it is about",
                string.Join("; ", denied.Select(function => $"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO {subject.Role}")));
    })
    { IsEssential = true };

    private static async Task<bool> IsMemberAsync(PreflightSubject subject, string role, CancellationToken cancellation) =>
        await subject.Session.ScalarAsync<bool>("SELECT pg_has_role($1, 'USAGE')", cancellation, role);
}
