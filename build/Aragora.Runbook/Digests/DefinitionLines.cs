namespace Aragora.Runbook.Digests;

/// <summary>The catalogue's lines about types, routines and everything else that is neither a relation nor a right.</summary>
internal static class DefinitionLines
{
    private static string NoMember(string catalogue, string oid) =>
        $"NOT EXISTS (SELECT FROM pg_depend m WHERE m.classid = '{catalogue}'::regclass AND m.objid = {oid} AND m.deptype = 'e')";

    private const string UserSchema = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

    private static string Owner(string oid) => $"'owner ' || quote_ident(pg_get_userbyid({oid}))";

    private static string Options(string array) => $"(SELECT string_agg(option, ', ' ORDER BY option COLLATE \"C\") FROM unnest({array}) option)";

    public static string Types { get; } =
        $"""
        SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' ELSE 'base type' END, format('%I.%I', n.nspname, t.typname), concat_ws('; ', {Owner("t.typowner")},
            CASE t.typtype
            WHEN 'e' THEN 'labels ' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
            WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typcollation <> b.typcollation THEN 'collate ' || t.typcollation::regcollation END,
                CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault))
            WHEN 'r' THEN (SELECT concat_ws(' ', 'of', format_type(r.rngsubtype, NULL), 'class', o.opcname, 'collate ' || nullif(r.rngcollation, 0)::regcollation, 'canonical', r.rngcanonical::text, 'difference', r.rngsubdiff::text,
                'multirange', (to_jsonb(r) ->> 'rngmultitypid')::oid::regtype::text) FROM pg_range r LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc WHERE r.rngtypid = t.oid)
            ELSE concat_ws(' ', t.typinput::text, t.typoutput::text, t.typreceive::text, t.typsend::text, t.typmodin::text, t.typmodout::text, t.typlen, t.typbyval, t.typalign::text, t.typstorage::text, t.typcategory::text, t.typdelim::text, t.typdefault)
            END)
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type b ON b.oid = t.typbasetype
        WHERE {UserSchema} AND t.typtype IN ('e', 'd', 'r', 'b') AND t.typisdefined AND {NoMember("pg_type", "t.oid")}
          AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)
        UNION ALL
        SELECT 'constraint', quote_ident(c.conname) || ' on domain ' || format('%I.%I', n.nspname, t.typname), pg_get_constraintdef(c.oid)
        FROM pg_constraint c JOIN pg_type t ON t.oid = c.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE {UserSchema} AND {NoMember("pg_type", "t.oid")}
        """;

    public static string Routines { get; } =
        $"""
        SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
            format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
            concat_ws('; ', {Owner("p.proowner")}, CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE (
                SELECT concat_ws(' ', a.aggkind::text, a.aggnumdirectargs, 'step', a.aggtransfn::text, 'of', format_type(a.aggtranstype, NULL), 'final', a.aggfinalfn::text, a.aggfinalmodify::text, a.aggfinalextra,
                    'combine', a.aggcombinefn::text, a.aggserialfn::text, a.aggdeserialfn::text, 'moving', a.aggmtransfn::text, a.aggminvtransfn::text, a.aggmfinalfn::text, format_type(nullif(a.aggmtranstype, 0), NULL),
                    'sort', a.aggsortop::regoperator::text, 'initial', a.agginitval, a.aggminitval, 'parallel', p.proparallel::text)
                FROM pg_aggregate a WHERE a.aggfnoid = p.oid) END)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE {UserSchema} AND {NoMember("pg_proc", "p.oid")}
          AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i' AND i.refclassid = 'pg_type'::regclass)
        """;

    /// <summary>Before PostgreSQL 15 the schema public belongs to the server's first superuser (OID 10), whatever its name: no dump says so.</summary>
    public static string Others(Version server) =>
        $"""
        SELECT 'schema', quote_ident(n.nspname), {(server.Major >= 15 ? Owner("n.nspowner") : $"CASE WHEN n.nspname = 'public' AND n.nspowner = 10 THEN 'owner (first superuser)' ELSE {Owner("n.nspowner")} END")} FROM pg_namespace n WHERE {UserSchema} AND {NoMember("pg_namespace", "n.oid")}
        UNION ALL
        SELECT 'extension', quote_ident(e.extname), 'version ' || e.extversion || ' in ' || quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        UNION ALL
        SELECT 'event trigger', quote_ident(t.evtname), concat_ws('; ', {Owner("t.evtowner")}, 'on ' || t.evtevent, 'tags ' || {Options("t.evttags")}, 'execute ' || t.evtfoid::regprocedure, 'enabled ' || t.evtenabled::text)
        FROM pg_event_trigger t WHERE {NoMember("pg_event_trigger", "t.oid")}
        UNION ALL
        SELECT 'cast', format('(%s as %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)), concat_ws(' ', c.castmethod::text, c.castcontext::text, nullif(c.castfunc, 0)::regprocedure::text)
        FROM pg_cast c WHERE c.oid >= 16384 AND {NoMember("pg_cast", "c.oid")}
        UNION ALL
        SELECT 'operator', o.oid::regoperator::text, concat_ws('; ', {Owner("o.oprowner")}, o.oprcode::text, 'commutator ' || nullif(o.oprcom, 0)::regoperator, 'negator ' || nullif(o.oprnegate, 0)::regoperator, 'restrict ' || o.oprrest, 'join ' || o.oprjoin,
            CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END)
        FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE {UserSchema} AND {NoMember("pg_operator", "o.oid")}
        UNION ALL
        SELECT 'operator class', format('%I.%I using %I', n.nspname, c.opcname, a.amname), concat_ws('; ', {Owner("c.opcowner")}, 'for ' || format_type(c.opcintype, NULL), CASE WHEN c.opcdefault THEN 'default' END, 'family ' || quote_ident(f.opfname), 'storage ' || format_type(nullif(c.opckeytype, 0), NULL))
        FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am a ON a.oid = c.opcmethod JOIN pg_opfamily f ON f.oid = c.opcfamily WHERE {UserSchema} AND {NoMember("pg_opclass", "c.oid")}
        UNION ALL
        SELECT 'operator family', format('%I.%I using %I', n.nspname, f.opfname, a.amname), concat_ws('; ', {Owner("f.opfowner")},
            (SELECT string_agg(item, ', ' ORDER BY item COLLATE "C") FROM (
                SELECT format('%s %s %s', o.amopstrategy, o.amopopr::regoperator, o.amoppurpose) AS item FROM pg_amop o WHERE o.amopfamily = f.oid
                UNION ALL SELECT format('function %s %s', p.amprocnum, p.amproc::regprocedure) FROM pg_amproc p WHERE p.amprocfamily = f.oid) items))
        FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am a ON a.oid = f.opfmethod WHERE {UserSchema} AND {NoMember("pg_opfamily", "f.oid")}
        UNION ALL
        SELECT 'collation', format('%I.%I', n.nspname, c.collname), {Owner("c.collowner")} || '; ' || (to_jsonb(c) - '{JsonKeys("oid", "collname", "collnamespace", "collowner", "collversion")}'::text[])
        FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE {UserSchema} AND {NoMember("pg_collation", "c.oid")}
        UNION ALL
        SELECT 'conversion', format('%I.%I', n.nspname, c.conname), concat_ws(' ', {Owner("c.conowner")}, pg_encoding_to_char(c.conforencoding), 'to', pg_encoding_to_char(c.contoencoding), c.conproc::text, c.condefault)
        FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE {UserSchema} AND {NoMember("pg_conversion", "c.oid")}
        UNION ALL
        SELECT 'text search configuration', format('%I.%I', n.nspname, c.cfgname), concat_ws('; ', {Owner("c.cfgowner")}, 'parser ' || quote_ident(p.prsname),
            (SELECT string_agg(format('%s %s %s', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ', ' ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = c.oid))
        FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser WHERE {UserSchema} AND {NoMember("pg_ts_config", "c.oid")}
        UNION ALL
        SELECT 'text search dictionary', format('%I.%I', n.nspname, d.dictname), concat_ws('; ', {Owner("d.dictowner")}, 'template ' || quote_ident(t.tmplname), d.dictinitoption)
        FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate WHERE {UserSchema} AND {NoMember("pg_ts_dict", "d.oid")}
        UNION ALL
        SELECT 'language', quote_ident(l.lanname), concat_ws(' ', {Owner("l.lanowner")}, l.lanpltrusted, nullif(l.lanplcallfoid, 0)::regproc::text) FROM pg_language l WHERE l.oid >= 16384 AND {NoMember("pg_language", "l.oid")}
        UNION ALL
        SELECT 'foreign data wrapper', quote_ident(w.fdwname), concat_ws('; ', {Owner("w.fdwowner")}, 'handler ' || nullif(w.fdwhandler, 0)::regproc, 'validator ' || nullif(w.fdwvalidator, 0)::regproc, 'options ' || {Options("w.fdwoptions")})
        FROM pg_foreign_data_wrapper w WHERE {NoMember("pg_foreign_data_wrapper", "w.oid")}
        UNION ALL
        SELECT 'server', quote_ident(s.srvname), concat_ws('; ', {Owner("s.srvowner")}, 'wrapper ' || quote_ident(w.fdwname), 'type ' || s.srvtype, 'version ' || s.srvversion, 'options ' || {Options("s.srvoptions")})
        FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE {NoMember("pg_foreign_server", "s.oid")}
        UNION ALL
        SELECT 'user mapping', format('%s on %I', CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(u.usename) END, u.srvname), 'options not read: they may hold a password' FROM pg_user_mappings u
        UNION ALL
        SELECT 'subscription', quote_ident(s.subname), concat_ws('; ', {Owner("s.subowner")}, 'publications ' || {Options("s.subpublications")}) FROM pg_subscription s WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        """;

    /// <summary>Row filters, column lists and schemas came with PostgreSQL 15.</summary>
    public static string Publications(Version server) =>
        $"""
        SELECT 'publication', quote_ident(p.pubname), {Owner("p.pubowner")} || '; ' || (to_jsonb(p) - '{JsonKeys("oid", "pubname", "pubowner")}'::text[]) FROM pg_publication p WHERE {NoMember("pg_publication", "p.oid")}
        UNION ALL
        SELECT 'publication table', quote_ident(p.pubname) || ' ' || r.prrelid::regclass, {(server.Major >= 15
            ? """
              concat_ws(' ', 'columns (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C") FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])) || ')', 'where ' || pg_get_expr(r.prqual, r.prrelid))
              """
            : "''")}
        FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
        {(server.Major >= 15 ? "UNION ALL SELECT 'publication schema', quote_ident(p.pubname) || ' ' || s.pnnspid::regnamespace, '' FROM pg_publication_namespace s JOIN pg_publication p ON p.oid = s.pnpubid" : "")}
        """;

    private static string JsonKeys(params string[] keys) => "{" + string.Join(',', keys) + "}";
}
