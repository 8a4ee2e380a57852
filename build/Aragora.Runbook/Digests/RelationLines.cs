namespace Aragora.Runbook.Digests;

/// <summary>The catalogue's lines about relations: tables, columns, views, sequences, indexes, constraints, triggers, policies, rules, statistics.</summary>
internal static class RelationLines
{
    /// <summary>Relations of the user's own; an extension's members come with the extension.</summary>
    private const string Relations =
        """
        WITH RECURSIVE rel AS MATERIALIZED (
            SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
        """;

    /// <summary>Options that this build does not know, and that may be the server's own.</summary>
    public static string UnknownOptions { get; } = CatalogueOptions.Unknown(Relations);

    /// <summary>A materialized view comes back unpopulated also where one that it reads is unpopulated: so does pg_dump. Whether it is has a line of its own.</summary>
    public static string Tables { get; } = Relations + "\n" +
        $"""
        , reads AS (
            SELECT w.ev_class AS reader, d.refobjid AS read
            FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class),
        unpopulated AS (
            SELECT reads.reader FROM reads JOIN pg_class m ON m.oid = reads.read AND m.relkind = 'm' AND NOT m.relispopulated
            UNION
            SELECT reads.reader FROM unpopulated u JOIN reads ON reads.read = u.reader)
        SELECT CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'composite type' ELSE 'table' END,
               r.name,
               concat_ws('; ',
                   'owner ' || quote_ident(pg_get_userbyid(r.relowner)),
                   CASE WHEN r.relpersistence = 'u' THEN 'unlogged' END,
                   CASE WHEN r.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(r.oid) END,
                   CASE WHEN r.relispartition THEN 'partition of ' || parents.names || ' ' || pg_get_expr(r.relpartbound, r.oid) ELSE 'inherits ' || parents.names END,
                   CASE WHEN r.reloftype <> 0 THEN 'of ' || r.reloftype::regtype END,
                   'using ' || quote_ident(am.amname),
                   'with ' || {CatalogueOptions.OfRelation("r.reloptions")},
                   'toast with ' || (SELECT {CatalogueOptions.OfRelation("toast.reloptions")} FROM pg_class toast WHERE toast.oid = r.reltoastrelid),
                   CASE WHEN r.relkind IN ('r', 'p', 'm') AND r.relreplident <> 'd' THEN 'replica identity ' || r.relreplident::text END,
                   CASE WHEN r.relrowsecurity THEN 'row security' END,
                   CASE WHEN r.relforcerowsecurity THEN 'forced row security' END,
                   'server ' || quote_ident(s.srvname),
                   'options ' || (SELECT string_agg(option, ', ' ORDER BY option COLLATE "C") FROM unnest(f.ftoptions) option),
                   CASE WHEN r.relkind IN ('r', 'p', 'f', 'c') AND parents.names IS NULL THEN 'columns ' || (
                       SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped) END,
                   CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END)
        FROM rel r
        LEFT JOIN pg_am am ON am.oid = r.relam
        LEFT JOIN pg_foreign_table f ON f.ftrelid = r.oid
        LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
        CROSS JOIN LATERAL (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) AS names FROM pg_inherits i WHERE i.inhrelid = r.oid) parents
        WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
        UNION ALL
        SELECT 'materialized view filled', r.name, CASE WHEN r.relispopulated AND r.oid NOT IN (SELECT reader FROM unpopulated) THEN 'populated' ELSE 'not populated' END
        FROM rel r WHERE r.relkind = 'm'
        """;

    public static string Columns { get; } = Relations + "\n" +
        $"""
        SELECT 'column', r.name || '.' || quote_ident(a.attname), concat_ws(' ',
            format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::regcollation END,
            CASE WHEN a.attnotnull THEN 'not null' END,
            CASE WHEN a.attidentity <> '' THEN 'identity ' || a.attidentity::text END,
            CASE WHEN a.attgenerated <> '' THEN 'generated ' || a.attgenerated::text ELSE CASE WHEN d.oid IS NOT NULL THEN 'default' END END,
            pg_get_expr(d.adbin, d.adrelid),
            CASE WHEN a.attstorage <> t.typstorage AND r.relkind IN ('r', 'p', 'm', 'f') THEN 'storage ' || a.attstorage::text END,
            'compression ' || nullif(to_jsonb(a) ->> 'attcompression', ''),
            CASE WHEN a.attstattarget >= 0 THEN 'statistics ' || a.attstattarget END,
            'with ' || {CatalogueOptions.OfColumn("a.attoptions")},
            'options ' || (SELECT string_agg(option, ', ' ORDER BY option COLLATE "C") FROM unnest(a.attfdwoptions) option))
        FROM rel r
        JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
        """;

    public const string Sequences = Relations + "\n" +
        """
        SELECT 'sequence', r.name, concat_ws('; ',
            'owner ' || quote_ident(pg_get_userbyid(r.relowner)),
            CASE WHEN r.relpersistence = 'u' THEN 'unlogged' END,
            format('as %s start %s increment %s minimum %s maximum %s cache %s', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache),
            CASE WHEN s.seqcycle THEN 'cycle' END,
            'owned by ' || (
                SELECT d.refobjid::regclass::text || '.' || quote_ident(a.attname)
                FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0))
        FROM rel r JOIN pg_sequence s ON s.seqrelid = r.oid
        """;

    /// <summary>pg_dump leaves an invalid index out: it is told apart, and not missed.</summary>
    public const string Indexes = Relations + "\n" +
        """
        SELECT CASE WHEN NOT i.indisvalid AND x.relkind = 'i' THEN 'invalid index' ELSE 'index' END,
            format('%I.%I', n.nspname, x.relname),
            concat_ws('; ', pg_get_indexdef(x.oid),
                CASE WHEN NOT i.indisvalid THEN 'invalid' END,
                CASE WHEN i.indisclustered THEN 'clustered' END,
                CASE WHEN i.indisreplident THEN 'replica identity' END,
                CASE WHEN x.relispartition THEN 'attached to ' || (SELECT p.inhparent::regclass::text FROM pg_inherits p WHERE p.inhrelid = x.oid) END,
                'statistics ' || (SELECT string_agg(a.attnum || '=' || a.attstattarget, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget >= 0))
        FROM pg_index i JOIN rel r ON r.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
        """;

    /// <summary>
    /// A partition's copy of its root's foreign key is made anew at restore, under a name of the server's choice. What a child inherits is proved with the parent's constraint
    /// or not: a child that was made later has it proved, and after a restore, where it was there before the constraint, not.
    /// </summary>
    public const string Constraints = Relations + "\n" +
        """
        SELECT 'constraint', quote_ident(c.conname) || ' on ' || r.name,
            CASE WHEN c.contype = 'c' AND c.coninhcount > 0 THEN regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', '') ELSE pg_get_constraintdef(c.oid) END
        FROM pg_constraint c JOIN rel r ON r.oid = c.conrelid
        WHERE c.contype <> 't' AND NOT (c.contype = 'f' AND c.conparentid <> 0)
        """;

    public const string Attached = Relations + "\n" +
        """
        SELECT 'trigger', quote_ident(t.tgname) || ' on ' || r.name, pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE '; enabled ' || t.tgenabled::text END
        FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
        UNION ALL
        SELECT 'rule', quote_ident(w.rulename) || ' on ' || r.name, pg_get_ruledef(w.oid) || CASE w.ev_enabled WHEN 'O' THEN '' ELSE '; enabled ' || w.ev_enabled::text END
        FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE NOT (w.rulename = '_RETURN' AND r.relkind IN ('v', 'm'))
        UNION ALL
        SELECT 'policy', quote_ident(p.polname) || ' on ' || r.name, concat_ws('; ',
            CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
            'for ' || p.polcmd::text,
            'to ' || (SELECT string_agg(role, ', ' ORDER BY role COLLATE "C") FROM (SELECT CASE WHEN o = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END AS role FROM unnest(p.polroles) o) roles),
            'using ' || pg_get_expr(p.polqual, p.polrelid),
            'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
        FROM pg_policy p JOIN rel r ON r.oid = p.polrelid
        """;

    /// <summary>From PostgreSQL 14 on by its parts: the server's own definition leaves out parentheses, and so reads differently before and after a restore.</summary>
    public static string Statistics(Version server) => Relations + "\n" +
        $"""
        SELECT 'statistics', format('%I.%I', n.nspname, s.stxname), concat_ws('; ', {(server.Major >= 14
            ? """
              'on ' || r.name, 'kinds ' || array_to_string(s.stxkind, ' '),
              'columns ' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C") FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum = ANY (s.stxkeys::int2[])),
              'expressions ' || array_to_string(pg_get_statisticsobjdef_expressions(s.oid), ', ')
              """
            : "pg_get_statisticsobjdef(s.oid)")}, 'owner ' || quote_ident(pg_get_userbyid(s.stxowner)), 'target ' || (to_jsonb(s) ->> 'stxstattarget'))
        FROM pg_statistic_ext s JOIN rel r ON r.oid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace
        """;
}
