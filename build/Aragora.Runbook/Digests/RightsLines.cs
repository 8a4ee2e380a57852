namespace Aragora.Runbook.Digests;

/// <summary>The catalogue's lines about rights, comments, labels, and about the database itself (which no dump of its content holds).</summary>
internal static class RightsLines
{
    /// <summary>An ACL's entries, sorted: after a restore they lie in another order, and the default is spelled out or not.</summary>
    /// <param name="acl">The ACL.</param>
    /// <param name="nameless">The role that is an owner and no name; null for none.</param>
    private static string Entries(string acl, string nameless = "NULL::oid") =>
        $"""
        (SELECT string_agg(entry, ', ' ORDER BY entry COLLATE "C") FROM (
            SELECT format('%s=%s%s/%s', CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE {Role("x.grantee", nameless)} END, x.privilege_type, CASE WHEN x.is_grantable THEN '*' ELSE '' END, {Role("x.grantor", nameless)}) AS entry
            FROM aclexplode({acl}) x) entries)
        """;

    private static string Role(string role, string nameless) => $"CASE WHEN {role} = {nameless} THEN '(owner)' ELSE quote_ident(pg_get_userbyid({role})) END";

    private static string Source(string catalogue, string acl, string type, string owner, string? where = null) =>
        $"SELECT '{catalogue}'::regclass::oid AS class, oid, 0 AS sub, {acl} AS acl, acldefault({type}, {owner}) AS default_acl, {owner} AS owner FROM {catalogue} WHERE {acl} IS NOT NULL{(where is null ? "" : $" AND {where}")}";

    /// <summary>
    /// What differs from the default, or, for what initdb and extensions made, from what they set. Those belong to whoever is a superuser there, which no dump says:
    /// the owner of such an object has no name here, for on another server it is another role.
    /// </summary>
    public static string Grants { get; } =
        $"""
        SELECT 'grant', o.type || ' ' || o.identity, coalesce(granted.now, 'nobody')
        FROM (
            {Source("pg_class", "relacl", "CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\"", "relowner", "relkind IN ('r', 'p', 'v', 'm', 'f', 'S')")}
            UNION ALL SELECT 'pg_class'::regclass::oid, a.attrelid, a.attnum, a.attacl, acldefault('c', c.relowner), c.relowner FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
            UNION ALL {Source("pg_namespace", "nspacl", "'n'", "nspowner", "nspname !~ '^pg_(toast|temp)'")}
            UNION ALL {Source("pg_proc", "proacl", "'f'", "proowner")}
            UNION ALL {Source("pg_type", "typacl", "'T'", "typowner")}
            UNION ALL {Source("pg_language", "lanacl", "'l'", "lanowner")}
            UNION ALL {Source("pg_foreign_data_wrapper", "fdwacl", "'F'", "fdwowner")}
            UNION ALL {Source("pg_foreign_server", "srvacl", "'S'", "srvowner")}
        ) g
        LEFT JOIN pg_init_privs i ON i.classoid = g.class AND i.objoid = g.oid AND i.objsubid = g.sub
        CROSS JOIN LATERAL (
            SELECT CASE WHEN g.oid < 16384 OR EXISTS (SELECT FROM pg_depend m WHERE m.classid = g.class AND m.objid = g.oid AND m.deptype = 'e') THEN g.owner END AS role) nameless
        CROSS JOIN LATERAL (SELECT {Entries("g.acl", "nameless.role")} AS now, {Entries("coalesce(i.initprivs, g.default_acl)", "nameless.role")} AS initially) granted
        CROSS JOIN LATERAL pg_identify_object(g.class, g.oid, g.sub) o
        WHERE granted.now IS DISTINCT FROM granted.initially AND coalesce(o.schema, '') !~ '^pg_(toast|temp)'
        UNION ALL
        SELECT 'default privileges', format('of %I%s on %s', pg_get_userbyid(d.defaclrole), coalesce(' in ' || quote_ident(n.nspname), ''), d.defaclobjtype), coalesce({Entries("d.defaclacl")}, 'nobody')
        FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
        """;

    /// <summary>Not of extensions' members, nor of what a dump leaves out (plpgsql, invalid indexes) or makes anew (a partition's copy of a foreign key).</summary>
    public const string Comments =
        """
        SELECT 'comment', o.type || ' ' || o.identity, d.description
        FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o
        WHERE (d.objoid >= 16384 OR (d.classoid = 'pg_namespace'::regclass AND o.identity = 'public'))
          AND d.classoid <> 'pg_largeobject'::regclass AND coalesce(o.schema, '') !~ '^pg_(toast|temp)'
          AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.classid = d.classoid AND m.objid = d.objoid AND m.deptype = 'e')
          AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE d.classoid = 'pg_class'::regclass AND i.indexrelid = d.objoid AND NOT i.indisvalid AND c.relkind = 'i')
          AND NOT EXISTS (SELECT FROM pg_constraint c WHERE d.classoid = 'pg_constraint'::regclass AND c.oid = d.objoid AND c.contype = 'f' AND c.conparentid <> 0)
        UNION ALL
        SELECT 'security label', o.type || ' ' || o.identity || ' by ' || l.provider, l.label
        FROM pg_seclabel l CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) o
        WHERE l.classoid <> 'pg_largeobject'::regclass
          AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.classid = l.classoid AND m.objid = l.objoid AND m.deptype = 'e')
        """;

    /// <summary>Owners, rights and comments of all large objects in one line: there may be millions.</summary>
    public static string LargeObjects { get; } =
        $"""
        SELECT 'large objects', 'owners, rights and comments', coalesce(sum(hashtextextended(ROW(m.oid, pg_get_userbyid(m.lomowner), {Entries("coalesce(m.lomacl, acldefault('L', m.lomowner))")}, d.description)::text, 0)), 0)::text
        FROM pg_largeobject_metadata m LEFT JOIN pg_description d ON d.classoid = 'pg_largeobject'::regclass AND d.objoid = m.oid
        """;

    /// <summary>Encoding and locale decide what the content means; the other lines are of the database, and a restore into another one does not bring them.</summary>
    public static string Database { get; } =
        $$"""
        WITH db AS (SELECT * FROM pg_database WHERE datname = current_database())
        SELECT 'locale', 'of the database', concat_ws(' ', pg_encoding_to_char(db.encoding), db.datcollate, db.datctype, to_jsonb(db) ->> 'datlocprovider', coalesce(to_jsonb(db) ->> 'datlocale', to_jsonb(db) ->> 'daticulocale')) FROM db
        UNION ALL
        SELECT 'database owner', '', quote_ident(pg_get_userbyid(db.datdba)) FROM db
        UNION ALL
        SELECT 'database limit', 'connections', db.datconnlimit::text FROM db
        UNION ALL
        SELECT 'database grant', '', coalesce({{Entries("coalesce(db.datacl, acldefault('d', db.datdba))")}}, 'nobody') FROM db
        UNION ALL
        SELECT 'database comment', '', d.description FROM pg_shdescription d, db WHERE d.classoid = 'pg_database'::regclass AND d.objoid = db.oid
        UNION ALL
        SELECT 'database setting', CASE WHEN s.setrole = 0 THEN 'of all' ELSE 'of ' || quote_ident(pg_get_userbyid(s.setrole)) END || ': ' || split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
        FROM pg_db_role_setting s JOIN db ON db.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) c
        """;
}
