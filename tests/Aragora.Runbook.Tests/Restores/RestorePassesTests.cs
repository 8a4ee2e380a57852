using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Restores;

/// <summary>A real archive of partitioned tables with several indexes, foreign keys that lead to them, and what has to wait for both.</summary>
public sealed class RestorePassesTests(RealServer server)
{
    private const string Partitioned = """
        CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('0010');
        CREATE SCHEMA "old app";
        CREATE TABLE orders (id bigint, region text, placed date, PRIMARY KEY (id, region), UNIQUE (region, placed, id)) PARTITION BY LIST (region);
        CREATE TABLE orders_eu PARTITION OF orders FOR VALUES IN ('eu');
        CREATE TABLE orders_us PARTITION OF orders FOR VALUES IN ('us') PARTITION BY RANGE (id);
        CREATE TABLE orders_us_1 PARTITION OF orders_us FOR VALUES FROM (0) TO (1000);
        CREATE TABLE orders_us_2 PARTITION OF orders_us FOR VALUES FROM (1000) TO (2000);
        CREATE INDEX by_day ON orders (placed);
        CREATE INDEX by_region_and_day ON orders (region, placed);
        INSERT INTO orders SELECT i, CASE i % 2 WHEN 0 THEN 'eu' ELSE 'us' END, date '2026-01-01' + i FROM generate_series(1, 1500) i;
        CREATE TABLE lines (id bigint, region text, n int, CONSTRAINT to_orders FOREIGN KEY (id, region) REFERENCES orders);
        CREATE TABLE "old app".days (region text, placed date, id bigint, CONSTRAINT to_days FOREIGN KEY (region, placed, id) REFERENCES orders (region, placed, id));
        INSERT INTO lines SELECT id, region, 1 FROM orders;
        COMMENT ON CONSTRAINT to_orders ON lines IS 'every line has its order';
        COMMENT ON CONSTRAINT to_days ON "old app".days IS 'every day, too';
        COMMENT ON CONSTRAINT orders_pkey ON orders IS 'the key';
        CREATE TABLE audit (what text);
        CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit VALUES (tg_tag); END $$;
        CREATE EVENT TRIGGER note_ddl ON ddl_command_end EXECUTE FUNCTION note_ddl();
        """;

    private readonly RunContext run = RealServer.NewRun();

    [Fact]
    public async Task Indexes_of_partitions_are_attached_one_by_one_then_come_the_foreign_keys_and_event_triggers_last()
    {
        var (_, backup) = await BackUpAsync(Partitioned);

        using var passes = await RestorePasses.PlanAsync(backup.Folder, [], await ClientAsync(), BackupScenario.Commands, CancellationToken.None);

        passes.All.Select(pass => pass.IsSerial).ShouldBe([false, true, false, false]);
        var lists = passes.All.Select(pass => File.ReadAllLines(pass.List!)).ToList();
        lists[0].ShouldContain(line => line.Contains(" CONSTRAINT public orders_us_1 orders_us_1_pkey", StringComparison.Ordinal));
        lists[0].ShouldNotContain(line => line.Contains("INDEX ATTACH", StringComparison.Ordinal) || line.Contains("FK CONSTRAINT", StringComparison.Ordinal) || line.Contains("EVENT TRIGGER", StringComparison.Ordinal));

        // Four indexes, each in two partitions and in two of a partition.
        lists[1].Length.ShouldBe(16);
        lists[1].ShouldAllBe(line => line.Contains(" INDEX ATTACH ", StringComparison.Ordinal));
        lists[2].Select(line => string.Join(' ', line.Split(' ')[3..^1])).Order(StringComparer.Ordinal).ShouldBe(
        [
            "COMMENT old app CONSTRAINT to_days ON days",
            "COMMENT public CONSTRAINT orders_pkey ON orders",
            "COMMENT public CONSTRAINT to_orders ON lines",
            "FK CONSTRAINT old app days to_days",
            "FK CONSTRAINT public lines to_orders",
        ]);
        lists[3].ShouldHaveSingleItem().ShouldContain(" EVENT TRIGGER - note_ddl ");
    }

    [Fact]
    public async Task A_restore_in_parallel_runs_them_in_that_order_and_is_like_its_source()
    {
        var (source, backup) = await BackUpAsync(Partitioned);
        var into = await server.NewDatabaseAsync();
        var recorder = new Recorder();

        var restored = await new ArchiveRestore(run, await ClientAsync(), recorder, new BackupScenario.SilentProgress()).RunAsync(backup, into, 4, CancellationToken.None);

        restored.Complaints.ShouldBeEmpty();
        restored.ExitCode.ShouldBe(0);
        recorder.Restores.Select(one => one.Jobs).ShouldBe(["--jobs=4", "--jobs=1", "--jobs=4", "--jobs=4"]);
        recorder.Restores[1].List.ShouldAllBe(line => line.Contains(" INDEX ATTACH ", StringComparison.Ordinal));
        foreach (var question in new[]
        {
            "SELECT count(*)::text || ' of them whole: ' || count(*) FILTER (WHERE indisvalid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname LIKE 'orders%'",
            "SELECT string_agg(attached, ',' ORDER BY attached) FROM (SELECT inhrelid::regclass || ' in ' || inhparent::regclass AS attached FROM pg_inherits) i",
            "SELECT string_agg(conname || ' ' || convalidated || ' ' || coalesce(obj_description(oid, 'pg_constraint'), ''), ',' ORDER BY conname, conrelid::regclass::text) FROM pg_constraint WHERE contype IN ('p', 'u', 'f')",
            "SELECT string_agg(what, ',') FROM audit",
        })
        {
            (await OneAsync(into, question)).ShouldBe(await OneAsync(source, question), question);
        }
    }

    [Fact]
    public async Task An_archive_with_nothing_of_the_kind_is_restored_in_one_run()
    {
        var (_, backup) = await BackUpAsync("CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('1'); CREATE TABLE t (i int PRIMARY KEY); CREATE TABLE u (i int REFERENCES t)");

        using var passes = await RestorePasses.PlanAsync(backup.Folder, [], await ClientAsync(), BackupScenario.Commands, CancellationToken.None);

        passes.All.ShouldHaveSingleItem().ShouldBe(new RestorePass(null, IsSerial: false));
    }

    private async Task<(DatabaseEnvironment Source, BackupReference Backup)> BackUpAsync(string sql)
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, sql);
        return (source, (await BackupScenario.BackUpAsync(run, source)).Backup);
    }

    private async Task<PostgresClient> ClientAsync() =>
        PostgresClients.Choose(await PostgresClients.FindAllAsync(BackupScenario.Commands, null, CancellationToken.None), server.Server.Binaries.Major, "the tests' server");

    private static async Task<string?> OneAsync(DatabaseEnvironment environment, string sql)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        return await session.ScalarAsync<string>(sql, CancellationToken.None);
    }

    /// <summary>Runs everything, and keeps how pg_restore was called, with the lists as they were then.</summary>
    private sealed class Recorder : ICommandRunner
    {
        public List<(string Jobs, IReadOnlyList<string> List)> Restores { get; } = [];

        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            if (command.Arguments.FirstOrDefault(argument => argument.StartsWith("--jobs=", StringComparison.Ordinal)) is { } jobs)
            {
                var list = command.Arguments.FirstOrDefault(argument => argument.StartsWith("--use-list=", StringComparison.Ordinal));
                Restores.Add((jobs, list is null ? [] : File.ReadAllLines(list["--use-list=".Length..])));
            }

            return BackupScenario.Commands.RunAsync(command, onLine, cancellation);
        }
    }
}
