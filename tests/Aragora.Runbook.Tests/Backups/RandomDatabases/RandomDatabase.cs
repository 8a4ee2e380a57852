using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Npgsql;

namespace Aragora.Runbook.Tests.Backups.RandomDatabases;

/// <summary>The statements that make one random database: all of it follows from the seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Statements">In their order. One that the server refuses is left out: what matters is the database that comes of the others.</param>
internal sealed record RandomDatabase(ulong Seed, IReadOnlyList<string> Statements)
{
    public static RandomDatabase Of(ulong seed)
    {
        var dice = new Dice(seed);
        var schemas = Enumerable.Range(0, dice.Between(0, 2)).Select(_ => dice.Name("schema")).ToList();
        List<string> sql = [.. schemas.Select(schema => $"CREATE SCHEMA {schema}")];
        if (schemas.Count > 0 && dice.Chance(12))
        {
            sql.Add("DROP SCHEMA public");
        }
        else
        {
            schemas.Add("public");
        }

        sql.Add($"CREATE TABLE {schemas[^1]}.alembic_version (version_num varchar(32) PRIMARY KEY)");
        sql.Add($"INSERT INTO {schemas[^1]}.alembic_version VALUES ('{dice.Between(1, 9999):0000}')");
        var (types, enums) = Types(dice, sql, schemas);
        var tables = new RandomTables(dice, sql, types, enums);
        for (var count = dice.Between(1, 8); count > 0; count--)
        {
            tables.Make(dice.Pick<string>(schemas));
        }

        if (dice.Chance(15))
        {
            sql.Add(dice.Pick("COMMENT ON SCHEMA public IS NULL", "COMMENT ON EXTENSION plpgsql IS 'ours'", "DROP EXTENSION plpgsql", "CREATE EXTENSION citext SCHEMA pg_catalog", "ALTER SCHEMA public OWNER TO CURRENT_USER"));
        }

        new RandomObjects(dice, sql, schemas, tables.Made).Make();
        Routines(dice, sql, schemas);
        Settings(dice, sql);
        return new RandomDatabase(seed, sql);
    }

    /// <summary>Makes it in an empty database.</summary>
    /// <returns>What the server refused.</returns>
    public async Task<IReadOnlyList<string>> ApplyAsync(DatabaseEnvironment environment)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        var refused = new List<string>();
        foreach (var statement in Statements)
        {
            try
            {
                await session.ExecuteAsync(statement.Replace("DATABASE_", "\"" + environment.Database.Database + "\"", StringComparison.Ordinal), CancellationToken.None);
            }
            catch (PostgresException failure)
            {
                refused.Add($"{failure.SqlState} {failure.MessageText}: {statement}");
            }
        }

        return refused;
    }

    private static (IReadOnlyList<RandomType> Types, IReadOnlyList<RandomType> Enums) Types(Dice dice, List<string> sql, List<string> schemas)
    {
        var own = new List<RandomType>();
        var enums = new List<RandomType>();
        for (var count = dice.Between(0, 2); count > 0; count--)
        {
            var name = $"{dice.Pick<string>(schemas)}.{dice.Name("mood")}";
            string[] labels = ["sad", "ok", "it's \"fine\"", "ü 列", "A", "zz"];
            sql.Add($"CREATE TYPE {name} AS ENUM ({string.Join(", ", labels.Skip(1).Select(label => RandomType.Quote(label)))})");
            sql.Add($"ALTER TYPE {name} ADD VALUE 'sad' BEFORE 'ok'");
            enums.Add(new RandomType(name, Family.Enum, d => RandomType.Quote(d.Pick<string>(labels))));
        }

        own.AddRange(enums);
        if (dice.Chance(50))
        {
            var name = $"{dice.Pick<string>(schemas)}.{dice.Name("domain")}";
            sql.Add($"CREATE DOMAIN {name} AS varchar(30) {dice.Pick("", "DEFAULT 'new' ", "COLLATE \"C\" ")}CONSTRAINT {dice.Name("fits")} CHECK (VALUE IN ('new', 'done', 'a') OR length(VALUE) < 30)");
            own.Add(new RandomType(name, Family.Text, d => d.Pick("'new'", "'done'", "'ü'")));
        }

        if (dice.Chance(50))
        {
            var name = $"{dice.Pick<string>(schemas)}.{dice.Name("pair")}";
            List<RandomType> parts = [dice.Pick(RandomType.BuiltIn), dice.Pick([.. RandomType.BuiltIn, .. enums]), new RandomType("numeric", Family.Number, d => d.Pick("1.0", "1.00", "'NaN'"))];
            sql.Add($"CREATE TYPE {name} AS ({string.Join(", ", parts.Select(part => $"{dice.Name("part")} {part.Name}"))})");
            own.Add(new RandomType(name, Family.Other, d => d.Chance(10) ? "ROW(NULL, NULL, NULL)" : $"ROW({string.Join(", ", parts.Select(part => part.Value(d)))})", Sorts: false));
        }

        if (dice.Chance(30))
        {
            var name = $"{dice.Pick<string>(schemas)}.{dice.Name("span")}";
            sql.Add($"CREATE TYPE {name} AS RANGE (subtype = float8, subtype_diff = float8mi)");
            own.Add(new RandomType(name, Family.Other, d => d.Pick("'[0.1,1e300)'", "'empty'", "'(,-0]'", "'[NaN,NaN]'")));
        }

        if (dice.Chance(30))
        {
            var name = $"{dice.Pick<string>(schemas)}.{dice.Name("collation")}";
            sql.Add($"CREATE COLLATION {name} (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
            own.Add(new RandomType($"text COLLATE {name}", Family.Other, d => d.Pick("'Straße'", "'STRASSE'", "'a'", "'A'"), Sorts: false));
        }

        sql.AddRange(own.Where(type => type.Name[^1] == '"' && !type.Name.Contains("COLLATE", StringComparison.Ordinal) && dice.Chance(20)).Select(type => dice.Pick($"COMMENT ON TYPE {type.Name} IS 'a type''s'", $"REVOKE USAGE ON TYPE {type.Name} FROM PUBLIC")).ToList());

        // The own ones thrice: they are what is hard.
        return ([.. RandomType.BuiltIn, .. Enumerable.Repeat(own, 4).SelectMany(type => type)], enums);
    }

    private static void Routines(Dice dice, List<string> sql, List<string> schemas)
    {
        string New(string word) => $"{dice.Pick<string>(schemas)}.{dice.Name(word)}";
        foreach (var routine in new[]
        {
            $"CREATE FUNCTION {New("function")}(a int, VARIADIC b int[] DEFAULT '{{}}') RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 7 RETURN a + cardinality(b)",
            // In a DO, for the client would take the semicolon within for the end of the statement.
            $"DO $do$ BEGIN EXECUTE $create$CREATE FUNCTION {New("function")}(INOUT \"odd name\" varchar, a numeric[] = ARRAY[1, 2], OUT n numeric) LANGUAGE sql BEGIN ATOMIC SELECT $1 || 'x', 1.0 WHERE $1 IN ('a', 'b'); END$create$; END $do$",
            $"CREATE FUNCTION {New("function")}(varchar) RETURNS TABLE (a int, b text) LANGUAGE plpgsql STABLE ROWS 5 AS $f$ BEGIN RETURN QUERY SELECT 1, 'x' WHERE $1 IN ('a'); END $f$",
            $"CREATE PROCEDURE {New("procedure")}(a int = 1) LANGUAGE sql AS 'SELECT 1'",
            $"CREATE AGGREGATE {New("total")} (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
            $"CREATE TEXT SEARCH CONFIGURATION {New("search")} (COPY = simple)",
            $"CREATE FUNCTION {New("function")}() RETURNS text LANGUAGE sql SET DateStyle = 'German' AS $x$SELECT 'ü''s \\ $y$ '::text$x$",
        })
        {
            if (dice.Chance(20))
            {
                sql.Add(routine);
            }
        }
    }

    /// <summary>What the database sets for every session: none of it may reach a digest.</summary>
    private static void Settings(Dice dice, List<string> sql)
    {
        foreach (var setting in new[] { "DateStyle = 'German, DMY'", "IntervalStyle = 'iso_8601'", "TimeZone = 'Asia/Kathmandu'", "extra_float_digits = 0", "bytea_output = 'escape'", "search_path = nowhere", "lc_monetary = 'C'", "quote_all_identifiers = on", "default_transaction_read_only = on", "xmlbinary = 'hex'", "row_security = off", "standard_conforming_strings = off", "default_transaction_isolation = 'serializable'", "statement_timeout = '60s'", "client_min_messages = 'debug1'" })
        {
            if (dice.Chance(8))
            {
                sql.Add($"ALTER DATABASE DATABASE_ SET {setting}");
            }
        }
    }
}
