namespace Aragora.Runbook.Tests.Backups.RandomDatabases;

/// <summary>What is around tables: indexes, views, triggers, rules, rights, comments, sequences, large objects.</summary>
internal sealed class RandomObjects(Dice dice, List<string> sql, IReadOnlyList<string> schemas, IReadOnlyList<RandomTable> tables)
{
    private readonly List<(string Name, string Column)> views = [];

    public void Make()
    {
        foreach (var table in tables)
        {
            Repeat(3, () => Index(table));
            Repeat(1, () => Comment(table));
            Repeat(1, () => Right(table));
            Maybe(35, () => View(table));
            Maybe(25, () => Trigger(table));
            Maybe(15, () => sql.Add($"CREATE STATISTICS {Schema()}.{dice.Name("statistics")} {dice.Pick("", "(ndistinct, mcv) ", "(dependencies) ")}ON {string.Join(", ", dice.Some(table.Columns, 3).Select(column => column.Name).Append($"({RandomExpressions.Immutable(dice, table.Columns[0])})"))} FROM {table.Name}"));
            Maybe(10, () => sql.Add($"CREATE RULE {dice.Name("rule")} AS ON {dice.Pick("UPDATE", "DELETE")} TO {table.Name} WHERE {RandomExpressions.Condition(dice, [.. table.Columns.Select(column => column with { Name = "OLD." + column.Name })])} DO ALSO NOTHING"));
        }

        Repeat(3, Sequence);
        Repeat(3, LargeObject);
        Maybe(30, () => sql.Add($"COMMENT ON SCHEMA {Schema()} IS {Remark()}"));
        Maybe(15, () => sql.Add($"GRANT {dice.Pick("USAGE", "CREATE", "ALL")} ON SCHEMA {Schema()} TO PUBLIC"));
        Maybe(10, () => sql.Add($"ALTER DEFAULT PRIVILEGES {dice.Pick("", $"IN SCHEMA {Schema()} ")}GRANT {dice.Pick("SELECT ON TABLES", "USAGE ON SEQUENCES")} TO PUBLIC"));
        Maybe(10, () => sql.Add("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"));
        Maybe(10, () => sql.Add($"CREATE PUBLICATION {dice.Name("publication")} FOR TABLE {dice.Pick(tables).Name}"));
        Maybe(5, () => sql.Add("REVOKE ALL ON SCHEMA public FROM PUBLIC"));
    }

    private void Index(RandomTable table)
    {
        var column = dice.Pick(table.Columns);
        var inner = table.Columns.Find(one => one.Type.Name is "jsonb" or "tsvector" || one.Type.Name.EndsWith("[]", StringComparison.Ordinal)) ?? column;
        var span = table.Columns.Find(one => one.Type.Name is "point" or "box" or "circle" or "polygon" or "inet" || one.Type.Name.EndsWith("range", StringComparison.Ordinal)) ?? column;
        var name = dice.Name("index");
        var where = dice.Chance(30) ? $" WHERE {RandomExpressions.Condition(dice, table.Columns)}" : "";
        var only = table.IsPartitioned && dice.Chance(15) ? "ONLY " : "";
        sql.Add(dice.Between(1, 9) switch
        {
            1 => $"CREATE INDEX {name} ON {table.Name} USING hash ({column.Name}){where}",
            2 => $"CREATE INDEX {name} ON {table.Name} USING gin ({inner.Name}){where}",
            3 => $"CREATE INDEX {name} ON {table.Name} USING brin ({column.Name}) WITH (pages_per_range = 4)",
            4 => $"CREATE INDEX {name} ON {table.Name} USING gist ({span.Name})",
            5 or 6 => $"CREATE INDEX {name} ON {only}{table.Name} (({RandomExpressions.Immutable(dice, column)}) DESC NULLS LAST){where}",
            7 => $"CREATE INDEX {name} ON {only}{table.Name} ({column.Name}) INCLUDE ({dice.Pick(table.Columns).Name}) WITH (fillfactor = 60)",
            8 => $"CREATE UNIQUE INDEX {name} ON {table.Name} ({string.Join(", ", table.Columns.Take(4).Select(one => one.Name))}){dice.Pick("", " NULLS NOT DISTINCT")}{where}",
            _ => $"CREATE INDEX {name} ON {only}{table.Name} ({column.Name}{(column.Type.Family == Family.Text ? dice.Pick(" COLLATE \"C\"", " text_pattern_ops", "") : "")}{dice.Pick("", " DESC", " NULLS FIRST")}){where}",
        });
        Maybe(20, () => sql.Add($"COMMENT ON INDEX {table.Schema}.{name} IS {Remark()}"));
        Maybe(10, () => sql.Add($"ALTER TABLE {table.Name} CLUSTER ON {name}"));
        Maybe(10, () => sql.Add($"ALTER INDEX {table.Schema}.{name} ALTER COLUMN 1 SET STATISTICS 321"));
    }

    private void View(RandomTable table)
    {
        var name = $"{Schema()}.{dice.Name("view")}";
        var column = dice.Pick(table.Columns);
        var condition = RandomExpressions.Condition(dice, table.Columns);
        var query = dice.Between(1, 9) switch
        {
            1 => $"SELECT {column.Name} AS c, count(*) AS n FROM {table.Name} WHERE {condition} GROUP BY {column.Name} HAVING count(*) IN (1, 2)",
            2 => $"WITH part AS (SELECT * FROM {table.Name} WHERE {condition}) SELECT {column.Name} AS c FROM part UNION ALL SELECT {column.Name} FROM part ORDER BY 1 LIMIT 5",
            3 => $"SELECT {column.Name} AS c, row_number() OVER (PARTITION BY {column.Name} IS NULL ORDER BY {column.Name}) AS n FROM {table.Name} t",
            4 => $"SELECT a.{column.Name} AS c FROM {table.Name} a LEFT JOIN {table.Name} b ON a.{column.Name} = b.{column.Name} WHERE EXISTS (SELECT FROM {table.Name} x WHERE x.{column.Name} = a.{column.Name})",
            5 => $"SELECT DISTINCT ON ({column.Name}) {column.Name} AS c, CASE WHEN {condition} THEN 'yes' ELSE 'no' END AS said FROM {table.Name}",
            6 => $"SELECT c, n FROM (VALUES (1, 'a'), (2, NULL)) v (c, n), LATERAL (SELECT count(*) FROM {table.Name}) counted",
            7 => $"SELECT t AS c, t.* FROM {table.Name} t WHERE {condition}",
            8 when views.Count > 0 => $"SELECT c FROM {dice.Pick<(string Name, string Column)>(views).Name}",
            _ => $"SELECT {column.Name} AS c, {RandomExpressions.Immutable(dice, column)} AS changed FROM {table.Name} WHERE {condition}",
        };
        var isMaterialized = dice.Chance(35);
        sql.Add($"CREATE {(isMaterialized ? "MATERIALIZED " : "")}VIEW {name}{(isMaterialized ? "" : dice.Pick("", " WITH (security_barrier)", " WITH (security_invoker = true)"))} AS {query}{(isMaterialized ? dice.Pick("", " WITH NO DATA") : "")}");
        Maybe(30, () => sql.Add($"COMMENT ON {(isMaterialized ? "MATERIALIZED " : "")}VIEW {name} IS {Remark()}"));
        Maybe(30, () => sql.Add($"GRANT SELECT ON {name} TO PUBLIC"));
        if (isMaterialized)
        {
            Maybe(40, () => sql.Add($"CREATE INDEX {dice.Name("index")} ON {name} (c)"));
            Maybe(25, () => sql.Add($"REFRESH MATERIALIZED VIEW {name}{dice.Pick("", " WITH NO DATA")}"));
        }
        else
        {
            Maybe(20, () => sql.Add($"ALTER VIEW {name} ALTER COLUMN c SET DEFAULT NULL"));
            Maybe(20, () => sql.Add($"CREATE RULE {dice.Name("rule")} AS ON DELETE TO {name} DO INSTEAD NOTHING"));
        }

        views.Add((name, "c"));
    }

    private void Trigger(RandomTable table)
    {
        var function = $"{Schema()}.{dice.Name("function")}";
        sql.Add($"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql{dice.Pick("", " SECURITY DEFINER", " SET search_path = pg_catalog, pg_temp")} AS $body$\nBEGIN\n  -- {function.Replace("\n", " ", StringComparison.Ordinal)}\n  RETURN coalesce(NEW, OLD);\nEND\n$body$");
        var condition = RandomExpressions.Condition(dice, [.. table.Columns.Where(column => column.Given).DefaultIfEmpty(table.Columns[0]).Select(column => column with { Name = "NEW." + column.Name })], depth: 1);
        var name = dice.Name("trigger");
        sql.Add(dice.Between(1, 4) switch
        {
            1 => $"CREATE CONSTRAINT TRIGGER {name} AFTER INSERT ON {table.Name} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {function}('an argument', 2)",
            2 => $"CREATE TRIGGER {name} AFTER UPDATE ON {table.Name} REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
            3 => $"CREATE TRIGGER {name} BEFORE UPDATE OF {dice.Pick(table.Columns).Name} OR DELETE ON {table.Name} FOR EACH ROW EXECUTE FUNCTION {function}()",
            _ => $"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table.Name} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {function}()",
        });
        Maybe(25, () => sql.Add($"ALTER TABLE {table.Name} {dice.Pick("DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA")} TRIGGER {name}"));
        Maybe(25, () => sql.Add($"COMMENT ON TRIGGER {name} ON {table.Name} IS {Remark()}"));
        Maybe(25, () => sql.Add($"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"));
    }

    private void Sequence()
    {
        var schema = Schema();
        var name = $"{schema}.{dice.Name("sequence")}";
        sql.Add($"CREATE {(dice.Chance(15) ? "UNLOGGED " : "")}SEQUENCE {name} {dice.Pick("", "AS smallint", "INCREMENT -3 MINVALUE -100 MAXVALUE 50 CYCLE", "START 1000 CACHE 20", "MINVALUE 5 MAXVALUE 9 CYCLE")}");
        for (var i = dice.Between(0, 4); i > 0; i--)
        {
            sql.Add($"SELECT nextval({RandomType.Quote(name)})");
        }

        Maybe(25, () => sql.Add($"SELECT setval({RandomType.Quote(name)}, {dice.Between(5, 9)}, {dice.Pick("true", "false")})"));
        Maybe(25, () => sql.Add($"GRANT {dice.Pick("USAGE", "SELECT")} ON SEQUENCE {name} TO PUBLIC"));
        Maybe(25, () => sql.Add($"COMMENT ON SEQUENCE {name} IS {Remark()}"));
        if (tables.FirstOrDefault(table => table.Schema == schema) is { } owner)
        {
            Maybe(25, () => sql.Add($"ALTER SEQUENCE {name} OWNED BY {owner.Name}.{owner.Columns[0].Name}"));
        }
    }

    private void LargeObject()
    {
        var number = dice.Between(100_000, 900_000);
        sql.Add(dice.Pick($"SELECT lo_create({number})", $"SELECT lo_from_bytea({number}, decode(repeat('{dice.Between(10, 99)}', {dice.Between(1, 5000)}), 'hex'))", $"SELECT lo_put({number}::oid, {dice.Between(0, 9999)}, '\\x01') FROM (SELECT lo_create({number})) made"));
        Maybe(40, () => sql.Add($"COMMENT ON LARGE OBJECT {number} IS {Remark()}"));
        Maybe(40, () => sql.Add($"GRANT SELECT ON LARGE OBJECT {number} TO PUBLIC"));
    }

    private void Comment(RandomTable table)
    {
        sql.Add($"COMMENT ON TABLE {table.Name} IS {Remark()}");
        sql.Add($"COMMENT ON COLUMN {table.Name}.{dice.Pick(table.Columns).Name} IS {Remark()}");
    }

    private void Right(RandomTable table) => sql.Add(dice.Pick(
        $"GRANT SELECT ON {table.Name} TO PUBLIC",
        $"GRANT INSERT, UPDATE ({dice.Pick(table.Columns).Name}) ON {table.Name} TO PUBLIC",
        $"REVOKE ALL ON {table.Name} FROM CURRENT_USER",
        $"GRANT ALL ON {table.Name} TO PUBLIC"));

    private string Remark() => RandomType.Quote(dice.Pick("a remark", "ü 列 😀", "of\ntwo lines", "it's \"quoted\" \\ $1", "('a'::character varying)::text", "x"));

    private string Schema() => dice.Pick(schemas);

    private void Repeat(int most, Action act)
    {
        for (var i = dice.Between(0, most); i > 0; i--)
        {
            act();
        }
    }

    private void Maybe(int percent, Action act)
    {
        if (dice.Chance(percent))
        {
            act();
        }
    }
}
