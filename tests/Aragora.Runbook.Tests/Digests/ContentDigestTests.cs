using System.Text.Json;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Digests;

public sealed class ContentDigestTests(RealServer server, DigestZoo zoo) : IClassFixture<DigestZoo>
{
    [Fact]
    public async Task A_restored_copy_of_everything_has_the_same_digest_by_both_methods_and_any_number_of_jobs()
    {
        await using var snapshot = await SnapshotSession.OpenAsync(zoo.Source, new SnapshotOptions(), CancellationToken.None);
        var copy = await DigestZoo.DumpAndRestoreAsync(server, zoo.Source, snapshot);

        var records = await new DigestReader(snapshot).ReadAsync(jobs: 3);
        Differences(records, await DigestZoo.DigestAsync(copy, jobs: 3)).ShouldBeEmpty();
        Differences(zoo.Digest, records).ShouldBeEmpty();

        var texts = await new DigestReader(snapshot).ReadAsync(jobs: 1, DigestMethod.Text);
        Differences(texts, await DigestZoo.DigestAsync(copy, DigestMethod.Text)).ShouldBeEmpty();
        texts.Tables["public.everything"].Hash.ShouldNotBe(records.Tables["public.everything"].Hash);

        // And a copy of the copy: expressions that are spelled anew at each restore would show.
        await using var second = await SnapshotSession.OpenAsync(copy, new SnapshotOptions(), CancellationToken.None);
        Differences(records, await DigestZoo.DigestAsync(await DigestZoo.DumpAndRestoreAsync(server, copy, second))).ShouldBeEmpty();
    }

    [Fact]
    public void The_digest_holds_each_table_once_where_its_rows_are_counted()
    {
        zoo.Digest.Tables["public.hashed"].Rows.ShouldBe(100);
        zoo.Digest.Tables["public.ranged"].Rows.ShouldBe(20);
        zoo.Digest.Tables["public.mixed"].Rows.ShouldBe(1);
        zoo.Digest.Tables["public.parent"].Rows.ShouldBe(2);
        zoo.Digest.Tables["public.child"].Rows.ShouldBe(1);
        zoo.Digest.Tables["public.unlogged_one"].Rows.ShouldBe(1);
        zoo.Digest.Tables["public.nothing"].Rows.ShouldBe(1);
        zoo.Digest.Tables["\"Odd \"\"Schema\"\"\".\"a table\nwith 'everything' in its näme\""].Rows.ShouldBe(1);
        zoo.Digest.Tables.Keys.ShouldNotContain("public.hashed_0");
        zoo.Digest.Tables.Keys.ShouldNotContain("public.foreigner");
        zoo.Digest.LargeObjects.Rows.ShouldBe(3);
        zoo.Digest.Catalogue.ShouldNotContain(line => line.ToString().Contains("hush", StringComparison.Ordinal));
        string.Join('\n', zoo.Digest.Catalogue.Where(line => line.Kind == "materialized view filled").Select(line => $"{line.Name} {line.Definition}")).ShouldBe(
            """
            public.emptied not populated
            public.reads_emptied not populated
            public.stale populated
            public.unpopulated not populated
            """);
    }

    [Fact]
    public void It_survives_JSON()
    {
        var copy = JsonSerializer.Deserialize<ContentDigest>(JsonSerializer.Serialize(zoo.Digest, RunbookJson.Document), RunbookJson.Document)!;
        Differences(zoo.Digest, copy).ShouldBeEmpty();
        copy.Catalogue.Count.ShouldBeGreaterThan(150);
        copy.Tables.Count.ShouldBe(zoo.Digest.Tables.Count);
    }

    [Fact]
    public async Task Settings_of_the_database_and_the_order_of_rows_do_not_matter()
    {
        var clone = await zoo.CloneAsync();
        var name = $"\"{clone.Database.Database}\"";
        await RealServer.SqlAsync(clone, $"""
            ALTER DATABASE {name} SET "TimeZone" = 'America/St_Johns';
            ALTER DATABASE {name} SET "DateStyle" = 'German';
            ALTER DATABASE {name} SET "IntervalStyle" = 'sql_standard';
            ALTER DATABASE {name} SET extra_float_digits = -10;
            ALTER DATABASE {name} SET bytea_output = 'escape';
            ALTER DATABASE {name} SET search_path = 'public';
            ALTER DATABASE {name} SET quote_all_identifiers = on;
            ALTER DATABASE {name} SET statement_timeout = '1ms';
            UPDATE everything SET plain = plain WHERE id < 20
            """);
        Differences(zoo.Digest, await DigestZoo.DigestAsync(clone)).ShouldBeEmpty();
        DigestComparison.Compare(zoo.Digest, await DigestZoo.DigestAsync(clone), withDatabase: true).Count(difference => difference.Kind == "database setting").ShouldBe(8);
    }

    [Fact]
    public async Task An_invalid_index_is_no_difference_for_a_dump_leaves_it_out()
    {
        var clone = await zoo.CloneAsync();
        await RealServer.SqlAsync(clone, "CREATE TABLE twice (i int); INSERT INTO twice VALUES (1), (1)");
        await Should.ThrowAsync<Npgsql.PostgresException>(() => RealServer.SqlAsync(clone, "CREATE UNIQUE INDEX CONCURRENTLY half ON twice (i)"));
        await RealServer.SqlAsync(clone, "COMMENT ON INDEX half IS 'never finished'");
        await using var snapshot = await SnapshotSession.OpenAsync(clone, new SnapshotOptions(), CancellationToken.None);
        var digest = await new DigestReader(snapshot).ReadAsync();
        digest.Catalogue.ShouldContain(line => line.Kind == "invalid index" && line.Name == "public.half");
        Differences(digest, await DigestZoo.DigestAsync(await DigestZoo.DumpAndRestoreAsync(server, clone, snapshot))).ShouldBeEmpty();
    }

    public static TheoryData<string, string> Changes => new()
    {
        { "UPDATE everything SET plain = 'other' WHERE id = 7", "table public.everything: the content of its 42 rows differs" },
        { "DELETE FROM everything WHERE id = 41", "table public.everything: 41 rows instead of 42" },
        { "TRUNCATE hashed", "table public.hashed: 0 rows instead of 100" },
        { "DELETE FROM hashed WHERE m = 'sad' AND i = 1; INSERT INTO hashed VALUES ('ok', 99)", "table public.hashed: the content of its 100 rows differs" },
        { "TRUNCATE ONLY parent; INSERT INTO parent VALUES (3, 'after the refresh', 7), (3, 'after the refresh', 7)", "table public.parent: the content of its 2 rows differs" },
        { "UPDATE everything SET at = CASE id WHEN 1 THEN (SELECT at FROM everything WHERE id = 2) ELSE (SELECT at FROM everything WHERE id = 1) END WHERE id IN (1, 2)", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET exact = 1.1 WHERE exact = 1.10", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET jb = '{\"a\": 1.0}' WHERE id = 3", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET r8 = 0 WHERE r8 = 0", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET ci = 'mixed' WHERE id = 3", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET folded_text = 'STRASSE' WHERE id = 3", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET m = 'ok' WHERE id = 3", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET ms = '{ok}' WHERE id = 3", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET span = '31 days' WHERE span = '1 mon 31 days 1.5 s'", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET p = NULL WHERE id = 42", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET raw = NULL WHERE id = 3", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE everything SET plain = '' WHERE plain IS NULL AND id = 42", "table public.everything: the content of its 42 rows differs" },
        { "UPDATE unlogged_one SET i = 2", "table public.unlogged_one: the content of its 1 row differs" },
        { "SELECT lo_put(424243, 2999999, 'y')", "large objects: the content of its 3 objects differs" },
        { "SELECT lo_unlink(424242)", "large objects: 2 objects instead of 3|large objects owners, rights and comments: is " },
        { "REVOKE SELECT ON LARGE OBJECT 424243 FROM ROLE_reader", "large objects owners, rights and comments: is " },
        { "SELECT nextval('everything_id_seq')", "sequence public.everything_id_seq: at 43 instead of 42" },
        { "SELECT nextval('untouched')", "sequence public.untouched: at 1 instead of 1 (not called)" },
        { "DROP INDEX odd_index", "comment index public.odd_index: missing|index public.odd_index: missing" },
        { "DROP INDEX moods_index", "index public.moods_index: missing: CREATE INDEX moods_index ON public.everything USING gin (ms)" },
        { "CREATE INDEX one_more ON parent (i)", "index public.one_more: not expected: " },
        { "ALTER TABLE referrer DROP CONSTRAINT referrer_k_fkey", "constraint referrer_k_fkey on public.referrer: missing: FOREIGN KEY (k) REFERENCES public.ranged(k)" },
        { "UPDATE referrer SET k = 1; ALTER TABLE referrer VALIDATE CONSTRAINT not_proved; UPDATE referrer SET k = 2; ALTER TABLE referrer DISABLE TRIGGER ALL; ALTER TABLE referrer DROP CONSTRAINT not_proved, ADD CONSTRAINT not_proved CHECK (k < 6) NOT VALID; UPDATE referrer SET k = 5", "constraint not_proved on public.referrer: is CHECK ((k < 6)) NOT VALID instead of CHECK ((k < 3)) NOT VALID" },
        { "ALTER TABLE everything DROP CONSTRAINT everything_status_check, ADD CONSTRAINT everything_status_check CHECK (status IN ('new', 'gone'))", "constraint everything_status_check on public.everything: is " },
        { "ALTER DOMAIN price DROP CONSTRAINT positive", "constraint positive on domain public.price: missing" },
        { "REVOKE INSERT ON everything FROM ROLE_reader", "grant table public.everything: is " },
        { "REVOKE UPDATE (small) ON everything FROM ROLE_reader", "grant table column public.everything.small: missing" },
        { "GRANT EXECUTE ON FUNCTION pg_sleep(double precision) TO PUBLIC", "grant function pg_catalog.pg_sleep(double precision): missing" },
        { "GRANT EXECUTE ON FUNCTION citext_eq(citext, citext) TO PUBLIC", "grant function public.citext_eq(public.citext,public.citext): missing" },
        { "ALTER DEFAULT PRIVILEGES FOR ROLE ROLE_owner REVOKE SELECT ON TABLES FROM ROLE_reader", "default privileges of ROLE_owner on r: missing" },
        { "ALTER TABLE parent OWNER TO CURRENT_USER", "sequence public.down: is |table public.parent: is |grant" },
        { "COMMENT ON COLUMN everything.small IS NULL", "comment table column public.everything.small: missing: a column's" },
        { "COMMENT ON TABLE everything IS 'another'", "comment table public.everything: is another instead of a 'comment'" },
        { "DROP TRIGGER touched ON everything", "trigger touched on public.everything: missing" },
        { "ALTER TABLE everything ENABLE TRIGGER touched", "trigger touched on public.everything: is " },
        { "DROP EVENT TRIGGER watcher", "event trigger watcher: missing" },
        { "DROP POLICY mine ON referrer", "policy mine on public.referrer: missing" },
        { "ALTER POLICY mine ON referrer USING (k > 2)", "policy mine on public.referrer: is " },
        { "ALTER TABLE referrer DISABLE ROW LEVEL SECURITY", "table public.referrer: is " },
        { "DROP RULE quiet ON sums", "rule quiet on public.sums: missing" },
        { "ALTER TYPE mood RENAME VALUE 'first' TO 'last'", "enum public.mood: is |table public.everything: |table public.hashed: " },
        { "ALTER TYPE mood ADD VALUE 'between' AFTER 'sad'", "enum public.mood: is " },
        { "ALTER TABLE everything ALTER COLUMN status SET DEFAULT 'done'", "column public.everything.status: is " },
        { "ALTER TABLE everything ALTER COLUMN id SET GENERATED BY DEFAULT", "column public.everything.id: is bigint not null identity d instead of bigint not null identity a" },
        { "ALTER TABLE parent ALTER COLUMN i SET NOT NULL", "column public.child.i: is |column public.parent.i: is integer not null instead of integer" },
        { "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'", "function public.touch(): is " },
        { "CREATE OR REPLACE VIEW between_them AS SELECT i FROM emptied WHERE i > 0", "view public.between_them: is " },
        { "REFRESH MATERIALIZED VIEW unpopulated", "materialized view filled public.unpopulated: is " },
        { "DROP MATERIALIZED VIEW stale", "index public.stale_n: missing|materialized view public.stale: missing|materialized view filled public.stale: missing|column public.stale.n: missing" },
        { "ALTER PUBLICATION partial SET TABLE parent (i, n) WHERE (i > 5), everything", "publication table partial public.parent: is |publication table partial public.child: is " },
        { "DROP PUBLICATION whole", "publication whole: missing" },
        { "ALTER SEQUENCE down NO CYCLE", "sequence public.down: is " },
        { "DROP EXTENSION hstore CASCADE", "extension hstore: missing|comment extension hstore: missing|column public.everything.h: missing|table public.everything: " },
        { "ALTER FOREIGN TABLE foreigner OPTIONS (SET t 'v')", "foreign table public.foreigner: is " },
        { "DROP TABLE nothing", "table public.nothing: missing" },
        { "ALTER TABLE everything SET (fillfactor = 70)", "table public.everything: is " },
        { "DROP CAST (pair AS text)", "cast (public.pair as text): missing" },
        { "DROP AGGREGATE total (int)", "aggregate public.total(integer): missing" },
        { "DROP STATISTICS both_columns", "statistics public.both_columns: missing" },
        { "ALTER TEXT SEARCH CONFIGURATION ours DROP MAPPING FOR word", "text search configuration public.ours: is " },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Each_change_is_found_and_named_and_nothing_else(string change, string expected)
    {
        var clone = await zoo.CloneAsync();
        await RealServer.SqlAsync(clone, change.Replace("ROLE_", zoo.Role + "_", StringComparison.Ordinal));
        var differences = Differences(zoo.Digest, await DigestZoo.DigestAsync(clone));
        differences.ShouldNotBeEmpty();
        var wanted = expected.Replace("ROLE_", zoo.Role + "_", StringComparison.Ordinal).Split('|');
        differences.ShouldContain(difference => difference.StartsWith(wanted[0], StringComparison.Ordinal), string.Join('\n', differences));
        differences.ShouldAllBe(difference => wanted.Any(start => difference.StartsWith(start, StringComparison.Ordinal)), string.Join('\n', differences));
    }

    [Fact]
    public async Task Two_rows_that_exchange_a_value_and_a_bigint_of_the_same_server_hash_are_found()
    {
        var left = await server.NewDatabaseAsync();
        var right = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(left, "CREATE TABLE t (i int, s text); INSERT INTO t VALUES (1, 'x'), (2, 'y'); CREATE TABLE b (b bigint, e timestamp); INSERT INTO b VALUES (0)");
        await RealServer.SqlAsync(right, "CREATE TABLE t (i int, s text); INSERT INTO t VALUES (1, 'y'), (2, 'x'); CREATE TABLE b (b bigint, e timestamp); INSERT INTO b VALUES (4294967297)");
        (await SqlScalarAsync(left, "SELECT hash_record_extended(ROW(0::bigint), 0) = hash_record_extended(ROW(4294967297), 0)")).ShouldBe(true);
        string.Join('\n', Differences(await DigestZoo.DigestAsync(left), await DigestZoo.DigestAsync(right))).ShouldBe(
            """
            table public.b: the content of its 1 row differs
            table public.t: the content of its 2 rows differs
            """);
    }

    [Fact]
    public async Task What_a_superuser_of_another_name_owns_is_no_difference()
    {
        var (left, right) = (await server.NewDatabaseAsync(), await server.NewDatabaseAsync());
        var roles = new[] { $"first_{Guid.NewGuid():N}", $"other_{Guid.NewGuid():N}", $"reader_{Guid.NewGuid():N}" };
        await RealServer.SqlAsync(left, $"CREATE ROLE {roles[0]} SUPERUSER; CREATE ROLE {roles[1]} SUPERUSER; CREATE ROLE {roles[2]}");
        foreach (var (database, superuser) in new[] { (left, roles[0]), (right, roles[1]) })
        {
            await RealServer.SqlAsync(database, $"""
                SET allow_system_table_mods = on;
                ALTER VIEW pg_catalog.pg_locks OWNER TO {superuser};
                SET ROLE {superuser};
                CREATE EXTENSION pageinspect;
                GRANT EXECUTE ON FUNCTION get_raw_page(text, bigint) TO {roles[2]};
                GRANT UPDATE (pid) ON pg_catalog.pg_locks TO {roles[2]};
                REVOKE SELECT ON pg_catalog.pg_locks FROM PUBLIC
                """);
        }

        var digest = await DigestZoo.DigestAsync(left);
        digest.Catalogue.ShouldContain(line => line.Kind == "grant" && line.Name == "view pg_catalog.pg_locks" && line.Definition.Contains("(owner)=SELECT/(owner)", StringComparison.Ordinal));
        digest.Catalogue.ShouldContain(line => line.Kind == "grant" && line.Name.Contains("get_raw_page", StringComparison.Ordinal) && line.Definition.Contains($"{roles[2]}=EXECUTE/(owner)", StringComparison.Ordinal));
        Differences(digest, await DigestZoo.DigestAsync(right)).ShouldBeEmpty();
        Differences(await DigestZoo.DigestAsync(await server.NewDatabaseAsync()), digest).ShouldContain(difference => difference.StartsWith("grant view pg_catalog.pg_locks", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Before_15_the_first_superuser_owns_the_schema_public_without_a_name()
    {
        var database = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(database, "DO $$ BEGIN EXECUTE format('ALTER SCHEMA public OWNER TO %I', pg_get_userbyid(10)); END $$");
        await using var session = await PostgresSession.OpenAsync(database, "aragora-tests");
        const string Owner = "SELECT definition FROM ({0}) lines (kind, name, definition) WHERE kind = 'schema' AND name = 'public'";
        (await session.ScalarAsync<string>(Owner.Replace("{0}", DefinitionLines.Others(new Version(14, 0)), StringComparison.Ordinal), CancellationToken.None)).ShouldBe("owner (first superuser)");
        (await session.ScalarAsync<string>(Owner.Replace("{0}", DefinitionLines.Others(new Version(15, 0)), StringComparison.Ordinal), CancellationToken.None)).ShouldNotBe("owner (first superuser)");
    }

    private static List<string> Differences(ContentDigest expected, ContentDigest actual) => [.. DigestComparison.Compare(expected, actual).Select(difference => difference.ToString())];

    private static async Task<bool> SqlScalarAsync(DatabaseEnvironment environment, string sql)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        return await session.ScalarAsync<bool>(sql, CancellationToken.None);
    }
}
