using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Servers;
using Shouldly;

namespace Aragora.Runbook.Tests.Digests;

/// <summary>A database with everything in it that was ever found hard to compare, and short forms of dump, restore and digest.</summary>
public sealed class DigestZoo(RealServer server) : Xunit.IAsyncLifetime
{
    private readonly string role = $"zoo_{Guid.NewGuid():N}";

    internal DatabaseEnvironment Source { get; private set; } = null!;

    internal ContentDigest Digest { get; private set; } = null!;

    internal string Role => role;

    public async ValueTask InitializeAsync()
    {
        Source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(Source, $"CREATE ROLE {role}_owner; CREATE ROLE {role}_reader");
        await RealServer.SqlAsync(Source, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s \"fine\"')");
        await RealServer.SqlAsync(Source, "ALTER TYPE mood ADD VALUE 'first' BEFORE 'sad'");
        await RealServer.SqlAsync(Source, Sql.Replace("ROLE_", role + "_", StringComparison.Ordinal));
        Digest = await DigestAsync(Source);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A physical copy of the zoo.</summary>
    internal async Task<DatabaseEnvironment> CloneAsync()
    {
        var name = $"t_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(Source with { Database = server.Server.Url }, $"CREATE DATABASE \"{name}\" TEMPLATE \"{Source.Database.Database}\"");
        return Source with { Database = Source.Database with { Database = name } };
    }

    internal static async Task<ContentDigest> DigestAsync(DatabaseEnvironment environment, DigestMethod? method = null, int jobs = 1)
    {
        await using var snapshot = await SnapshotSession.OpenAsync(environment, new SnapshotOptions(), CancellationToken.None);
        return await new DigestReader(snapshot).ReadAsync(jobs, method, CancellationToken.None);
    }

    /// <summary>pg_dump in the snapshot, then pg_restore into a new database.</summary>
    internal static async Task<DatabaseEnvironment> DumpAndRestoreAsync(RealServer server, DatabaseEnvironment source, SnapshotSession snapshot)
    {
        var folder = TestFolders.New("digest");
        try
        {
            await DumpAsync(server, source, snapshot, folder);
            return await RestoreAsync(server, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    internal static Task DumpAsync(RealServer server, DatabaseEnvironment source, SnapshotSession snapshot, string folder) =>
        ClientAsync(server, source, "pg_dump", ["--format=directory", "--jobs=2", "--compress=1", "--no-password", $"--snapshot={snapshot.SnapshotId}", $"--file={folder}/dump", $"--dbname={ClientEnvironment.DatabaseArgument(source.Database)}"]);

    internal static async Task<DatabaseEnvironment> RestoreAsync(RealServer server, string folder)
    {
        var copy = await server.NewDatabaseAsync();
        await ClientAsync(server, copy, "pg_restore", ["--jobs=1", "--no-password", "--exit-on-error", $"--dbname={ClientEnvironment.DatabaseArgument(copy.Database)}", $"{folder}/dump"]);
        return copy;
    }

    private static async Task ClientAsync(RealServer server, DatabaseEnvironment environment, string program, IReadOnlyList<string> arguments)
    {
        var binaries = (await ServerBinaries.FindAllAsync(server.Commands, CancellationToken.None))[0];
        using var password = PasswordFile.For(environment.Database);
        var result = await server.Commands.RunAsync(new Command { Program = binaries[program], Arguments = arguments, Environment = ClientEnvironment.For(environment.Database, password, "aragora-tests") });
        result.Error.ShouldBe("");
        result.ExitCode.ShouldBe(0);
    }

    internal const string Sql =
        """"
        CREATE EXTENSION citext;
        CREATE EXTENSION hstore;
        CREATE SCHEMA "Odd ""Schema""" AUTHORIZATION ROLE_owner;
        CREATE TYPE pair AS (m mood, n numeric, t text);
        CREATE DOMAIN price AS numeric(12, 4) DEFAULT 1 CONSTRAINT positive CHECK (VALUE > 0);
        CREATE DOMAIN moods AS mood[];
        CREATE TYPE float_span AS RANGE (subtype = float8, subtype_diff = float8mi);
        CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

        CREATE TABLE everything (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            serial_no serial, small smallint, flag boolean, letter "char", padded char(7), named name, uid uuid, raw bytea, day date,
            at_local timestamp, at timestamptz, clock time, clock_tz timetz, span interval, r4 real, r8 double precision,
            exact numeric, cost price, cash money, m mood, ms mood[], p pair, ps pair[], dm moods, fs float_span, ir int4range, mr nummultirange,
            j json, jb jsonb, x xml, ci citext, h hstore, net inet, mac macaddr, bits varbit, pt point, vec tsvector, rel regclass, fn regprocedure,
            grid int[][], folded_text text COLLATE folded, plain text COLLATE "C", status varchar(20) DEFAULT 'new' CHECK (status IN ('new', 'done')),
            doubled bigint GENERATED ALWAYS AS (small * 2) STORED,
            CONSTRAINT unique_small UNIQUE (small) DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO everything (small, flag, letter, padded, named, uid, raw, day, at_local, at, clock, clock_tz, span, r4, r8, exact, cost, cash, m, ms, p, ps, dm, fs, ir, mr, j, jb, x, ci, h, net, mac, bits, pt, vec, rel, fn, grid, folded_text, plain)
        SELECT i, i % 2 = 0, 'c', 'ab ', 'name', md5(i::text)::uuid, decode(md5(i::text), 'hex'), date '2024-02-29' + i, timestamp '2024-01-01' + i * interval '1 microsecond', timestamptz '2024-03-31 01:30+00' + i * interval '1 hour',
            '12:34:56.789', '12:34:56+05:30', make_interval(months => i, days => 31, secs => 1.5), i / 3.0, i / 7.0::float8, (i::text || '.10')::numeric, i + 0.5, i, 'sad', '{ok,"it''s \"fine\""}', ROW('ok', 1.0, 'a "b" (c), \')::pair,
            ARRAY[ROW('sad', 2.00, NULL), NULL]::pair[], '{first}', float_span(0.1, i), int4range(i, 100), '{[1.0,2.0),[3,4)}', '{"a" : 1.0, "a": 2}', '{"a": 1.00}', '<a>ü</a>', 'MiXed', 'k=>v,n=>NULL', '10.0.0.1/8', '08:00:2b:01:02:03', B'101', '(0.1,-0)', 'fat:2 cats:1',
            'everything', 'lower(text)', '{{1,2},{3,4}}', 'Straße', E'tab\t back\\ nl\n quote'''
        FROM generate_series(1, 40) i;
        INSERT INTO everything (small, r8, day, at, exact, p) VALUES (1000, 'NaN', 'infinity', '-infinity', 'NaN', NULL), (1001, '-0', NULL, NULL, '1e-20', ROW(NULL, NULL, NULL));

        CREATE TABLE "Odd ""Schema"""."a table
        with 'everything' in its näme" ("Ünïcode 列" int, "quote""d" text, " " int DEFAULT 1);
        INSERT INTO "Odd ""Schema"""."a table
        with 'everything' in its näme" VALUES (1, 'x', 2);
        CREATE TABLE a23456789_123456789_123456789_123456789_123456789_123456789_123 (i int);
        CREATE TABLE nothing ();
        INSERT INTO nothing DEFAULT VALUES;

        CREATE TABLE hashed (m mood, i int, PRIMARY KEY (m, i)) PARTITION BY HASH (m);
        CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 1);
        CREATE TABLE hashed_2 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 2);
        INSERT INTO hashed SELECT e, i FROM unnest(enum_range(NULL::mood)) e, generate_series(1, 25) i;
        CREATE TABLE ranged (k int PRIMARY KEY, e bigint REFERENCES everything (id), t text) PARTITION BY RANGE (k);
        CREATE TABLE ranged_low (t text, e bigint, gone int, k int NOT NULL);
        ALTER TABLE ranged_low DROP COLUMN gone;
        ALTER TABLE ranged ATTACH PARTITION ranged_low FOR VALUES FROM (MINVALUE) TO (10);
        CREATE TABLE ranged_rest PARTITION OF ranged DEFAULT PARTITION BY LIST (k);
        CREATE TABLE ranged_rest_a PARTITION OF ranged_rest DEFAULT;
        ALTER TABLE ranged_rest ADD CONSTRAINT extra_note CHECK (k < 1000000);
        INSERT INTO ranged SELECT i, i, 'a' FROM generate_series(1, 20) i;
        CREATE INDEX ranged_t ON ranged (t);
        CREATE TABLE referrer (k int REFERENCES ranged (k));
        INSERT INTO referrer VALUES (5);

        CREATE FOREIGN DATA WRAPPER far_away;
        CREATE SERVER elsewhere FOREIGN DATA WRAPPER far_away OPTIONS (host 'h');
        CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (password 'hush');
        CREATE FOREIGN TABLE foreigner (i int OPTIONS (c 'd')) SERVER elsewhere OPTIONS (t 'u');
        CREATE TABLE mixed (i int) PARTITION BY LIST (i);
        CREATE TABLE mixed_here PARTITION OF mixed FOR VALUES IN (1);
        CREATE FOREIGN TABLE mixed_there PARTITION OF mixed FOR VALUES IN (2) SERVER elsewhere;
        INSERT INTO mixed VALUES (1);

        CREATE UNLOGGED TABLE unlogged_one AS SELECT 1 AS i;
        CREATE TABLE parent (i int, n text);
        CREATE TABLE child (extra mood) INHERITS (parent);
        INSERT INTO parent VALUES (1, 'p');
        INSERT INTO child VALUES (2, 'c', 'sad');
        ALTER TABLE child ADD COLUMN more int;
        ALTER TABLE parent ADD COLUMN late int DEFAULT 7;

        CREATE VIEW sums WITH (security_barrier) AS SELECT m, count(*) AS n FROM hashed WHERE m IN ('sad', 'ok') GROUP BY m;
        CREATE VIEW done AS SELECT id, status FROM everything WHERE status IN ('done', 'new') AND id IN (1, 2) WITH CHECK OPTION;
        CREATE MATERIALIZED VIEW stale AS SELECT count(*) AS n FROM parent;
        CREATE UNIQUE INDEX stale_n ON stale (n);
        INSERT INTO parent VALUES (3, 'after the refresh');
        CREATE MATERIALIZED VIEW unpopulated AS SELECT 1 AS i WITH NO DATA;
        CREATE MATERIALIZED VIEW emptied AS SELECT 1 AS i;
        CREATE VIEW between_them AS SELECT * FROM emptied;
        CREATE MATERIALIZED VIEW reads_emptied AS SELECT * FROM between_them;
        REFRESH MATERIALIZED VIEW emptied WITH NO DATA;

        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$;
        CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN NULL; END $f$;
        CREATE FUNCTION modern(a int, VARIADIC b int[] DEFAULT '{}') RETURNS int LANGUAGE sql IMMUTABLE RETURN a + cardinality(b);
        CREATE PROCEDURE act() LANGUAGE sql AS 'SELECT 1';
        CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
        CREATE FUNCTION same_pair(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.t = $2.t';
        CREATE OPERATOR === (LEFTARG = pair, RIGHTARG = pair, FUNCTION = same_pair);
        CREATE CAST (pair AS text) WITH INOUT;
        CREATE TRIGGER touched BEFORE UPDATE ON everything FOR EACH ROW WHEN (OLD.status IN ('new', 'done')) EXECUTE FUNCTION touch();
        CREATE TRIGGER ranged_touched AFTER INSERT ON ranged FOR EACH ROW EXECUTE FUNCTION touch();
        ALTER TABLE everything DISABLE TRIGGER touched;
        CREATE EVENT TRIGGER watcher ON ddl_command_end WHEN TAG IN ('CREATE AGGREGATE') EXECUTE FUNCTION noticed();
        CREATE RULE quiet AS ON DELETE TO sums DO INSTEAD NOTHING;
        ALTER TABLE referrer ENABLE ROW LEVEL SECURITY;
        CREATE POLICY mine ON referrer FOR SELECT TO ROLE_reader, ROLE_owner USING (k > 1);
        CREATE STATISTICS both_columns (dependencies) ON k, t FROM ranged;
        CREATE PUBLICATION partial FOR TABLE parent (i) WHERE (i > 5), TABLE everything;
        CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA "Odd ""Schema""";
        CREATE PUBLICATION whole FOR ALL TABLES WITH (publish = 'insert');
        CREATE TEXT SEARCH CONFIGURATION ours (COPY = simple);

        CREATE INDEX odd_index ON everything (lower(plain) DESC, (small + 1)) INCLUDE (flag) WHERE status IN ('new', 'done');
        CREATE INDEX moods_index ON everything USING gin (ms);
        ALTER TABLE everything CLUSTER ON everything_pkey;
        ALTER TABLE everything REPLICA IDENTITY FULL;
        ALTER TABLE everything ALTER COLUMN plain SET STATISTICS 500, ALTER COLUMN raw SET STORAGE EXTERNAL, SET (fillfactor = 80, autovacuum_enabled = false);
        ALTER TABLE referrer ADD CONSTRAINT not_proved CHECK (k < 3) NOT VALID;
        CREATE SEQUENCE down AS int INCREMENT -2 MINVALUE -10 MAXVALUE 100 START 100 CYCLE OWNED BY parent.i;
        SELECT nextval('down'), nextval('down');
        CREATE SEQUENCE untouched;

        GRANT SELECT, INSERT ON everything TO ROLE_reader;
        GRANT UPDATE (small) ON everything TO ROLE_reader;
        GRANT SELECT ON sums TO PUBLIC;
        GRANT SELECT ON referrer TO ROLE_owner WITH GRANT OPTION;
        SET ROLE ROLE_owner;
        GRANT SELECT ON referrer TO ROLE_reader;
        RESET ROLE;
        GRANT USAGE ON SEQUENCE down TO ROLE_reader;
        REVOKE EXECUTE ON FUNCTION modern FROM PUBLIC;
        GRANT USAGE ON SCHEMA "Odd ""Schema""" TO ROLE_reader;
        GRANT CREATE ON SCHEMA public TO ROLE_reader;
        REVOKE EXECUTE ON FUNCTION citext_eq(citext, citext) FROM PUBLIC;
        REVOKE EXECUTE ON FUNCTION pg_sleep(double precision) FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES FOR ROLE ROLE_owner GRANT SELECT ON TABLES TO ROLE_reader;
        ALTER DEFAULT PRIVILEGES FOR ROLE ROLE_owner IN SCHEMA "Odd ""Schema""" GRANT ALL ON SEQUENCES TO ROLE_reader;
        ALTER TABLE parent OWNER TO ROLE_owner;
        COMMENT ON TABLE everything IS E'a ''comment''\nof two lines: ü';
        COMMENT ON COLUMN everything.small IS 'a column''s';
        COMMENT ON CONSTRAINT unique_small ON everything IS 'a constraint''s';
        COMMENT ON INDEX odd_index IS 'an index''s';
        COMMENT ON FUNCTION modern IS 'a function''s';
        COMMENT ON SCHEMA "Odd ""Schema""" IS 'a schema''s';
        COMMENT ON TYPE mood IS 'a type''s';

        SELECT lo_create(424242);
        SELECT lo_from_bytea(424243, convert_to(repeat('x', 3000000), 'UTF8'));
        SELECT lo_put(424244::oid, 5000, '\x01') FROM (SELECT lo_create(424244)) made;
        COMMENT ON LARGE OBJECT 424243 IS 'large';
        GRANT SELECT ON LARGE OBJECT 424243 TO ROLE_reader;
        """";
}
