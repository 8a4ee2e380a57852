using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Restores;

/// <summary>Reads a <see cref="SourceShape"/> from the catalogue: without a lock on any table, and by any role.</summary>
internal sealed class SourceShapeReader(PostgresSession session)
{
    /// <summary>Columns that came with newer versions are read through JSON, so that one query serves all.</summary>
    private const string Database =
        """
        SELECT pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
               CASE j.row ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
               coalesce(j.row ->> 'datlocale', j.row ->> 'daticulocale'), j.row ->> 'daticurules', j.row ->> 'datcollversion',
               (SELECT system_identifier::text FROM pg_control_system()),
               CASE WHEN EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid >= 16384 AND 'money'::regtype IN (t.oid, t.typelem, t.typbasetype)) THEN current_setting('lc_monetary') END
        FROM pg_database d CROSS JOIN LATERAL (SELECT to_jsonb(d) AS row) j
        WHERE d.datname = current_database()
        """;

    /// <summary>What is the cluster's is told by its schema: a collation that was imported after initdb has an OID like the database's own, and no dump has it either.</summary>
    private const string Collations =
        """
        SELECT c.collname::text, c.collnamespace = 'pg_catalog'::regnamespace, CASE c.collprovider WHEN 'i' THEN 'icu' ELSE 'libc' END, j.row ->> 'collcollate', j.row ->> 'collctype', coalesce(j.row ->> 'colllocale', j.row ->> 'colliculocale')
        FROM pg_collation c CROSS JOIN LATERAL (SELECT to_jsonb(c) AS row) j
        WHERE c.collprovider IN ('c', 'i') AND c.collname NOT IN ('C', 'POSIX')
          AND CASE WHEN c.collnamespace <> 'pg_catalog'::regnamespace THEN c.collprovider = 'c'
              ELSE EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = c.oid AND d.objid >= 16384) END
        ORDER BY c.collname COLLATE "C", 2
        """;

    private const string Extensions =
        """
        SELECT e.extname::text, e.extversion, n.nspname::text, n.oid, pg_get_userbyid(n.nspowner)::text
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY e.oid
        """;

    /// <summary>
    /// <c>pg_shdepend</c> has every owner, grantee, grantor and member of a policy, of default privileges and of a user mapping, but for what is pinned (the first superuser, and
    /// PostgreSQL's own roles) and for what is the cluster's (subscriptions). A column of type regrole may name any role there is.
    /// </summary>
    private const string Roles =
        """
        WITH RECURSIVE db AS (SELECT oid FROM pg_database WHERE datname = current_database()),
        role_types AS (
            SELECT t.oid FROM pg_type t WHERE t.oid IN ('regrole'::regtype, 'regrole[]'::regtype)
            UNION
            SELECT t.oid FROM role_types r JOIN pg_type t ON t.typbasetype = r.oid OR t.typelem = r.oid),
        named AS (
            SELECT s.refobjid AS oid FROM pg_shdepend s, db WHERE s.dbid = db.oid AND s.refclassid = 'pg_authid'::regclass
            UNION SELECT s.subowner FROM pg_subscription s, db WHERE s.subdbid = db.oid),
        owners AS (
            SELECT s.refobjid AS oid FROM pg_shdepend s, db
            WHERE s.dbid = db.oid AND s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o' AND s.classid <> 'pg_extension'::regclass
              AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.classid = s.classid AND m.objid = s.objid AND m.deptype = 'e')),
        perhaps AS (
            SELECT 10::oid AS oid
            UNION SELECT r.oid FROM pg_roles r WHERE EXISTS (SELECT FROM pg_attribute a JOIN role_types t ON t.oid = a.atttypid WHERE a.attrelid >= 16384)),
        closed AS (
            SELECT first.oid FROM (SELECT oid FROM named UNION SELECT oid FROM perhaps) first
            UNION
            SELECT m.roleid FROM closed c JOIN pg_auth_members m ON m.member = c.oid)
        SELECT r.rolname::text, r.rolsuper, r.rolbypassrls, ARRAY(
            SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
            WHERE m.member = r.oid AND coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) ORDER BY 1),
            r.oid IN (SELECT oid FROM named), r.oid IN (SELECT oid FROM owners)
        FROM closed JOIN pg_roles r ON r.oid = closed.oid
        WHERE r.rolname !~ '^pg_'
        ORDER BY r.rolname COLLATE "C"
        """;

    private const string ReachesOut =
        """
        SELECT 'foreign server ' || quote_ident(s.srvname) FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE w.fdwname <> 'file_fdw'
        UNION ALL SELECT 'subscription ' || quote_ident(s.subname) FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT 'extension ' || quote_ident(e.extname) FROM pg_extension e WHERE e.extname IN ('dblink', 'http', 'pg_net', 'aws_s3', 'aws_lambda', 'pg_cron', 'pglogical', 'bdr', 'citus', 'plproxy', 'wrappers', 'azure_storage', 'google_ml_integration')
        UNION ALL SELECT 'language ' || quote_ident(l.lanname) FROM pg_language l WHERE l.oid >= 16384 AND NOT l.lanpltrusted
        ORDER BY 1
        """;

    private const string ViewsOfForeignTables =
        """
        WITH RECURSIVE reads AS (
            SELECT w.ev_class AS reader, d.refobjid AS read
            FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class
            UNION ALL
            SELECT i.inhparent, i.inhrelid FROM pg_inherits i),
        foreign_readers AS (
            SELECT f.ftrelid AS oid FROM pg_foreign_table f
            UNION
            SELECT reads.reader FROM foreign_readers f JOIN reads ON reads.read = f.oid)
        SELECT c.oid, format('%I.%I', n.nspname, c.relname)
        FROM foreign_readers f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'm' AND c.relispopulated
        ORDER BY 2
        """;

    public async Task<SourceShape> ReadAsync(CancellationToken cancellation)
    {
        var shape = (await session.QueryAsync(
            Database,
            row => new SourceShape
            {
                ServerMajor = session.ServerVersion.Major,
                Encoding = row.GetString(0),
                Collate = row.GetString(1),
                Ctype = row.GetString(2),
                LocaleProvider = row.GetString(3),
                Locale = row.IsDBNull(4) ? null : row.GetString(4),
                IcuRules = row.IsDBNull(5) ? null : row.GetString(5),
                CollationVersion = row.IsDBNull(6) ? null : row.GetString(6),
                SystemIdentifier = row.GetString(7),
                Monetary = row.IsDBNull(8) ? null : row.GetString(8),
            },
            cancellation))[0];
        return shape with
        {
            Collations = await session.QueryAsync(
                Collations,
                row => new SourceCollation(row.GetString(0), row.GetBoolean(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4), row.IsDBNull(5) ? null : row.GetString(5)),
                cancellation),
            Extensions = await session.QueryAsync(Extensions, row => new SourceExtension(row.GetString(0), row.GetString(1), row.GetString(2), row.GetFieldValue<uint>(3), row.GetString(4)), cancellation),
            Roles = await session.QueryAsync(Roles, row => new SourceRole(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2), row.GetFieldValue<string[]>(3)) { IsNamed = row.GetBoolean(4), Owns = row.GetBoolean(5) }, cancellation),
            ReachesOut = await session.QueryAsync(ReachesOut, row => row.GetString(0), cancellation),
            ViewsOfForeignTables = await session.QueryAsync(ViewsOfForeignTables, row => new SourceView(row.GetFieldValue<uint>(0), row.GetString(1)), cancellation),
        };
    }
}
