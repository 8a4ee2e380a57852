using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Npgsql;

namespace Aragora.Runbook.Tests.Backups.RandomDatabases;

/// <summary>One change to a database, of any kind that a comparison has to see.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Statement">The SQL that did it.</param>
/// <param name="Name">What has to be named.</param>
internal sealed record RandomDamage(string Kind, string Statement, string Name)
{
    private const string Tables =
        """
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname)) t (name)
        CROSS JOIN LATERAL (SELECT format('%I.%I', rn.nspname, rc.relname) FROM pg_class rc JOIN pg_namespace rn ON rn.oid = rc.relnamespace WHERE rc.oid = coalesce(pg_partition_root(c.oid), c.oid)) root (name)
        """;

    private const string Ours = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.objid = c.oid AND m.deptype = 'e')";

    private const string Columns = Tables + " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type y ON y.oid = a.atttypid WHERE " + Ours;

    private const string First = "ctid = (SELECT min(ctid) FROM ONLY %1$s WHERE %2$I IS NOT NULL)";

    /// <summary>Queries for every statement of a kind that may be possible, each with the name of what it hits.</summary>
    private static readonly (string Kind, string Sql)[] Kinds =
    [
        ("a value gone", $"SELECT format('UPDATE ONLY %1$s SET %2$I = NULL WHERE {First}', t.name, a.attname), root.name {Columns} AND c.relkind = 'r' AND NOT a.attnotnull AND a.attgenerated = '' AND a.attidentity = ''"),
        ("a value changed", $"""
            SELECT format('UPDATE ONLY %1$s SET %2$I = %3$s WHERE {First}', t.name, a.attname, format(CASE
                WHEN y.typname IN ('text', 'varchar') THEN '%1$I || ''!''' WHEN y.typname IN ('int2', 'int4', 'int8') THEN '%1$I # 1' WHEN y.typname = 'bool' THEN 'NOT %1$I' WHEN y.typname IN ('float4', 'float8') THEN 'CASE WHEN %1$I::text = ''-0'' THEN 0 ELSE ''-0'' END'
                WHEN y.typname = 'numeric' THEN '%1$I::text::numeric + 0.{new string('0', 20)}' WHEN y.typname = 'bytea' THEN '%1$I || ''\x00''' WHEN y.typname IN ('json', 'jsonb') THEN '''7.0''' WHEN y.typname LIKE 'timestamp%' THEN '''2001-01-01 00:00:00.001''' WHEN y.typname = 'uuid' THEN 'gen_random_uuid()'
                WHEN y.typname = 'interval' THEN 'CASE %1$I::text WHEN ''24:00:00'' THEN ''1 day''::interval ELSE ''24 hours'' END' ELSE 'NULL' END, a.attname)), root.name
            {Columns} AND c.relkind = 'r' AND a.attgenerated = '' AND a.attidentity = ''
            """),
        ("two values exchanged", $"""
            SELECT format('WITH pair AS (SELECT x.ctid AS one, y.ctid AS other, x.%2$I AS ones, y.%2$I AS others FROM ONLY %1$s x, ONLY %1$s y WHERE x.%2$I::text <> y.%2$I::text AND to_jsonb(x) - %2$L <> to_jsonb(y) - %2$L LIMIT 1)
                UPDATE ONLY %1$s u SET %2$I = CASE WHEN u.ctid = pair.one THEN pair.others ELSE pair.ones END FROM pair WHERE u.ctid IN (pair.one, pair.other)', t.name, a.attname), root.name
            {Columns} AND c.relkind = 'r' AND a.attgenerated = '' AND a.attidentity = ''
            """),
        ("a row deleted", $"SELECT format('DELETE FROM ONLY %1$s WHERE ctid = (SELECT max(ctid) FROM ONLY %1$s)', t.name), root.name {Tables} WHERE {Ours} AND c.relkind = 'r'"),
        ("a row twice", $"SELECT format('INSERT INTO %1$s OVERRIDING SYSTEM VALUE SELECT * FROM ONLY %1$s LIMIT 1', t.name), root.name {Tables} WHERE {Ours} AND c.relkind = 'r'"),
        ("a table dropped", $"SELECT format('DROP TABLE %s CASCADE', t.name), t.name {Tables} WHERE {Ours} AND c.relkind IN ('r', 'p')"),
        ("a table too many", "SELECT format('CREATE TABLE %I.stranger ()', n.nspname), '.stranger' FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"),
        ("a column renamed", $"SELECT format('ALTER TABLE %s RENAME COLUMN %I TO other_name', t.name, a.attname), t.name || '.' || quote_ident(a.attname) {Columns} AND c.relkind IN ('r', 'p')"),
        ("a default dropped", $"SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', t.name, a.attname), t.name || '.' || quote_ident(a.attname) {Columns} AND c.relkind IN ('r', 'p') AND a.atthasdef AND a.attgenerated = ''"),
        ("NOT NULL dropped", $"SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', t.name, a.attname), t.name || '.' || quote_ident(a.attname) {Columns} AND c.relkind IN ('r', 'p') AND a.attnotnull"),
        ("a column's type", $"SELECT format('ALTER TABLE %s ALTER COLUMN %I TYPE varchar(4000)', t.name, a.attname), t.name || '.' || quote_ident(a.attname) {Columns} AND c.relkind IN ('r', 'p') AND y.typname IN ('text', 'varchar')"),
        ("a column's statistics", $"SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 777', t.name, a.attname), t.name || '.' || quote_ident(a.attname) {Columns} AND c.relkind IN ('r', 'p')"),
        ("an index dropped", $"SELECT format('DROP INDEX %s', t.name), t.name {Tables} WHERE {Ours} AND c.relkind IN ('i', 'I') AND NOT c.relispartition AND EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = c.oid AND (i.indisvalid OR c.relkind = 'I'))"),
        ("a constraint dropped", $"SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', t.name, k.conname), quote_ident(k.conname) || ' on ' || t.name {Tables} JOIN pg_constraint k ON k.conrelid = c.oid WHERE {Ours} AND k.coninhcount = 0 AND k.contype <> 't'"),
        ("a domain's constraint dropped", "SELECT format('ALTER DOMAIN %s DROP CONSTRAINT %I', k.contypid::regtype, k.conname), quote_ident(k.conname) || ' on domain' FROM pg_constraint k WHERE k.contypid >= 16384"),
        ("a trigger dropped", $"SELECT format('DROP TRIGGER %I ON %s', g.tgname, t.name), quote_ident(g.tgname) || ' on ' || t.name {Tables} JOIN pg_trigger g ON g.tgrelid = c.oid WHERE {Ours} AND NOT g.tgisinternal AND g.tgparentid = 0"),
        ("a trigger disabled", $"SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', t.name, g.tgname), quote_ident(g.tgname) || ' on ' || t.name {Tables} JOIN pg_trigger g ON g.tgrelid = c.oid WHERE {Ours} AND NOT g.tgisinternal AND g.tgenabled <> 'D'"),
        ("a policy dropped", $"SELECT format('DROP POLICY %I ON %s', p.polname, t.name), quote_ident(p.polname) || ' on ' || t.name {Tables} JOIN pg_policy p ON p.polrelid = c.oid WHERE {Ours}"),
        ("a rule dropped", $"SELECT format('DROP RULE %I ON %s', r.rulename, t.name), quote_ident(r.rulename) || ' on ' || t.name {Tables} JOIN pg_rewrite r ON r.ev_class = c.oid WHERE {Ours} AND r.rulename <> '_RETURN'"),
        ("statistics dropped", "SELECT format('DROP STATISTICS %I.%I', n.nspname, s.stxname), format('%I.%I', n.nspname, s.stxname) FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace"),
        ("a view dropped", $"SELECT format('DROP %s %s CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, t.name), t.name {Tables} WHERE {Ours} AND c.relkind IN ('v', 'm')"),
        ("a materialized view emptied", $"SELECT format('REFRESH MATERIALIZED VIEW %s WITH NO DATA', t.name), t.name {Tables} WHERE {Ours} AND c.relkind = 'm' AND c.relispopulated AND NOT EXISTS (SELECT FROM pg_class m WHERE m.relkind = 'm' AND NOT m.relispopulated)"),
        ("row security", $"SELECT format('ALTER TABLE %s %s ROW LEVEL SECURITY', t.name, CASE WHEN c.relrowsecurity THEN 'DISABLE' ELSE 'ENABLE' END), t.name {Tables} WHERE {Ours} AND c.relkind IN ('r', 'p')"),
        ("logged or not", $"SELECT format('ALTER TABLE %s SET %s', t.name, CASE c.relpersistence WHEN 'p' THEN 'UNLOGGED' ELSE 'LOGGED' END), t.name {Tables} WHERE {Ours} AND c.relkind = 'r'"),
        ("a table's option", $"SELECT format('ALTER TABLE %s SET (fillfactor = 33)', t.name), t.name {Tables} WHERE {Ours} AND c.relkind = 'r'"),
        ("a partition detached", $"SELECT format('ALTER TABLE %s DETACH PARTITION %s', i.inhparent::regclass, t.name), t.name {Tables} JOIN pg_inherits i ON i.inhrelid = c.oid WHERE {Ours} AND c.relispartition AND c.relkind IN ('r', 'p')"),
        ("a right given", $"SELECT format('GRANT TRUNCATE ON %s TO PUBLIC', t.name), t.name {Tables} WHERE {Ours} AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee = 0 AND x.privilege_type = 'TRUNCATE')"),
        ("a right taken", $"SELECT format('REVOKE ALL ON %s FROM PUBLIC', t.name), t.name {Tables} WHERE {Ours} AND c.relkind IN ('r', 'p', 'v', 'm') AND EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee = 0)"),
        ("a comment lost", "SELECT format('SET allow_system_table_mods = on; DELETE FROM pg_description WHERE (classoid, objoid, objsubid) = (%s, %s, %s)', d.classoid, d.objoid, d.objsubid), CASE WHEN d.classoid = 'pg_largeobject'::regclass THEN 'rights and comments' ELSE o.identity END FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o WHERE d.objoid >= 16384"),
        ("a sequence moved", $"SELECT format('SELECT setval(%1$L, last_value, NOT is_called) FROM %1$s', t.name), t.name {Tables} WHERE {Ours} AND c.relkind = 'S'"),
        ("a sequence's cache", $"SELECT format('ALTER SEQUENCE %s CACHE 33', t.name), t.name {Tables} WHERE {Ours} AND c.relkind = 'S'"),
        ("an enum's order", "SELECT format('SET allow_system_table_mods = on; UPDATE pg_enum SET enumsortorder = -enumsortorder WHERE enumtypid = %s', t.oid), format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e'"),
        ("an enum's label", "SELECT format('ALTER TYPE %s RENAME VALUE %L TO %L', t.oid::regtype, 'sad', 'glad'), format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e'"),
        ("a function dropped", "SELECT format('DROP ROUTINE %s CASCADE', p.oid::regprocedure), format('%I.%I(', n.nspname, p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid >= 16384 AND p.prokind IN ('f', 'p') AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.objid = p.oid AND m.deptype IN ('e', 'i'))"),
        ("a function's body", "SELECT format('SET allow_system_table_mods = on; UPDATE pg_proc SET prosrc = prosrc || %L WHERE oid = %s', ' ', p.oid), format('%I.%I(', n.nspname, p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid >= 16384 AND p.prokind = 'f' AND p.prosqlbody IS NULL AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.objid = p.oid AND m.deptype IN ('e', 'i'))"),
        ("a publication dropped", "SELECT format('DROP PUBLICATION %I', pubname), quote_ident(pubname) FROM pg_publication"),
        ("a large object gone", "SELECT format('SELECT lo_unlink(%s)', oid), 'large objects' FROM pg_largeobject_metadata"),
        ("a large object longer", "SELECT format('SELECT lo_put(%s, 99999, ''\\x01'')', oid), 'large objects' FROM pg_largeobject_metadata"),
        ("a large object's right", "SELECT format('GRANT UPDATE ON LARGE OBJECT %s TO PUBLIC', oid), 'rights and comments' FROM pg_largeobject_metadata WHERE NOT EXISTS (SELECT FROM aclexplode(lomacl) x WHERE x.grantee = 0 AND x.privilege_type = 'UPDATE')"),
        ("a schema's comment", "SELECT format('COMMENT ON SCHEMA %I IS ''another''', n.nspname), quote_ident(n.nspname) FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"),
    ];

    /// <summary>All kinds, for a test that wants to have seen each.</summary>
    public static IReadOnlyList<string> AllKinds { get; } = [.. Kinds.Select(kind => kind.Kind)];

    /// <summary>Does one change, of the first kind (from a random one on) that is possible here. Each is possible or not by the database's content: the server says.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="dice">Which one.</param>
    /// <param name="done">What was done to it before: the same once more would change nothing.</param>
    public static async Task<RandomDamage> DoAsync(DatabaseEnvironment environment, Dice dice, IReadOnlyList<RandomDamage> done)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        await session.ExecuteAsync("SET default_transaction_read_only = off; SET default_transaction_isolation = 'read committed'; SET standard_conforming_strings = on; SET quote_all_identifiers = off; SET search_path = pg_catalog; SET session_replication_role = replica; SET lc_monetary = 'C'", CancellationToken.None);
        var start = dice.Between(0, Kinds.Length - 1);
        foreach (var (kind, sql) in Kinds.Skip(start).Concat(Kinds.Take(start)))
        {
            var possible = (await session.QueryAsync(sql, row => new RandomDamage(kind, row.GetString(0), row.GetString(1)), CancellationToken.None)).Except(done).OrderBy(damage => damage.Statement, StringComparer.Ordinal).ToList();
            var first = possible.Count == 0 ? 0 : dice.Between(0, possible.Count - 1);
            foreach (var damage in possible.Skip(first).Take(4))
            {
                if (await TryAsync(session, damage))
                {
                    return damage;
                }
            }
        }

        throw new InvalidOperationException("nothing in this database can be damaged");
    }

    private static async Task<bool> TryAsync(PostgresSession session, RandomDamage damage)
    {
        try
        {
            // Of what is not about rows, the count is -1.
            return await session.ExecuteAsync(damage.Statement, CancellationToken.None) != 0;
        }
        catch (PostgresException)
        {
            // Something hangs on it, or forbids it.
            return false;
        }
    }
}
