using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests.Backups;
using Aragora.Runbook.Tests.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Restores;

public sealed class NamedScratchServerTests(RealServer server) : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly RunContext run = RealServer.NewRun();
    private readonly string mark = Guid.NewGuid().ToString("N")[..8];
    private ScratchServer named = null!;

    private DatabaseEnvironment There => new() { Name = TargetEnvironment.Production, Database = named.Server.Url };

    public async ValueTask InitializeAsync() => named = await Servers().StartAsync("named", new ThrowawayServerOptions { Folder = "" }, server.Server.Binaries.Major, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await named.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_backup_is_verified_there_and_the_server_is_left_as_it_was()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(There, $"CREATE ROLE \"there {mark}\" PASSWORD 'kept'");
        await RealServer.SqlAsync(
            source,
            $"""
            CREATE ROLE "there {mark}"; CREATE ROLE "stub {mark}"; CREATE ROLE super_{mark} SUPERUSER;
            CREATE TABLE t (i int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO "stub {mark}"; GRANT SELECT ON t TO "there {mark}";
            CREATE MATERIALIZED VIEW m AS SELECT * FROM t; ALTER MATERIALIZED VIEW m OWNER TO super_{mark};
            CREATE SUBSCRIPTION s_{mark} CONNECTION 'host=/nonexistent' PUBLICATION p WITH (connect = false);
            """);
        try
        {
            var made = await BackupScenario.BackUpAsync(run, source);
            await new VerifyBackupStep(run, source, new BackupOptions { Jobs = 2 }, New(), BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(made.Backup, CancellationToken.None);
            (await LeftAsync()).ShouldBe([$"there {mark}"]);
        }
        finally
        {
            await RealServer.SqlAsync(source, $"ALTER SUBSCRIPTION s_{mark} SET (slot_name = NONE); DROP SUBSCRIPTION s_{mark}; DROP MATERIALIZED VIEW m; DROP TABLE t; DROP ROLE \"there {mark}\"; DROP ROLE \"stub {mark}\"; DROP ROLE super_{mark}");
        }
    }

    [Fact]
    public async Task What_a_dead_run_left_is_removed_and_what_a_living_run_uses_is_not()
    {
        var shape = Plain() with { Roles = [new SourceRole($"stub_{mark}", false, false, [])] };
        var living = await CreateAsync(shape);
        await RealServer.SqlAsync(There, $"CREATE DATABASE aragora_scratch_dead_{mark}");
        await RealServer.SqlAsync(There, $"COMMENT ON DATABASE aragora_scratch_dead_{mark} IS 'aragora scratch: of a dead run'");
        await RealServer.SqlAsync(There, "CREATE DATABASE aragora_scratch_of_somebody");
        await RealServer.SqlAsync(There, "COMMENT ON DATABASE aragora_scratch_of_somebody IS 'mine'");

        await (await CreateAsync(shape)).DisposeAsync();

        (await LeftAsync()).ShouldBe([living.Environment.Database.Database, "aragora_scratch_of_somebody", $"stub_{mark}"], ignoreOrder: true);
        await RealServer.SqlAsync(living.Environment, $"CREATE TABLE t (i int); ALTER TABLE t OWNER TO stub_{mark}");
        await living.DisposeAsync();
        (await LeftAsync()).ShouldBe(["aragora_scratch_of_somebody"]);
    }

    [Fact]
    public async Task The_source_s_own_server_and_those_of_environments_are_refused()
    {
        await using (var session = await PostgresSession.OpenAsync(There, "aragora-tests"))
        {
            var shape = await SourceShape.ReadAsync(session, CancellationToken.None);
            (await Should.ThrowAsync<RefusedException>(() => CreateAsync(shape))).Why.ShouldContain("the backup is of");
        }

        var staging = new DatabaseEnvironment { Name = TargetEnvironment.Staging, Database = named.Server.Url };
        (await Should.ThrowAsync<RefusedException>(() => New(staging).CreateAsync("verify", Plain(), 0, TargetEnvironment.Production, CancellationToken.None))).Why.ShouldContain("staging's server");
        (await LeftAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_major_version_and_a_plain_role_are_refused()
    {
        (await Should.ThrowAsync<RefusedException>(() => CreateAsync(Plain() with { ServerMajor = 9 }))).Next.ShouldContain("PostgreSQL 9");
        await RealServer.SqlAsync(There, $"CREATE ROLE plain_{mark} LOGIN CREATEDB PASSWORD 'pass-word'");
        var plain = new NamedScratchServer(run, named.Server.Url with { User = $"plain_{mark}", Password = "pass-word" }, _ => Task.FromResult<IReadOnlyList<DatabaseEnvironment>>([]));
        var refused = await Should.ThrowAsync<RefusedException>(() => new ScratchDatabases(run, Servers(), BackupScenario.Commands, plain).CreateAsync("verify", Plain(), 0, TargetEnvironment.Production, CancellationToken.None));
        refused.What.ShouldContain("superuser");
    }

    [Fact]
    public async Task One_that_does_not_answer_is_named_by_its_own_variable()
    {
        var absent = new NamedScratchServer(run, named.Server.Url with { Port = 1 }, _ => Task.FromResult<IReadOnlyList<DatabaseEnvironment>>([]));
        var bad = await Should.ThrowAsync<BadInputException>(() => new ScratchDatabases(run, Servers(), BackupScenario.Commands, absent).CreateAsync("verify", Plain(), 0, TargetEnvironment.Production, CancellationToken.None));
        bad.Next.ShouldContain("SCRATCH_SERVER_URL");
        bad.Message.ShouldNotContain("PRODUCTION_DATABASE_URL");
    }

    [Fact]
    public async Task Tests_may_restore_beside_their_source()
    {
        var source = await BackupScenario.NewFilledAsync(server);
        var made = await BackupScenario.BackUpAsync(run, source);
        await new VerifyBackupStep(run, source, new BackupOptions { Jobs = 2 }, BackupScenario.ScratchBeside(run, source), BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(made.Backup, CancellationToken.None);
    }

    /// <summary>Databases and roles that were not there at the start.</summary>
    private async Task<IReadOnlyList<string>> LeftAsync()
    {
        await using var session = await PostgresSession.OpenAsync(There, "aragora-tests");
        return await session.QueryAsync(
            "SELECT datname::text FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') UNION ALL SELECT rolname::text FROM pg_roles WHERE oid >= 16384 ORDER BY 1",
            row => row.GetString(0),
            CancellationToken.None);
    }

    private SourceShape Plain() => new() { ServerMajor = server.Server.Binaries.Major, Encoding = "UTF8", Collate = "C", Ctype = "C" };

    private Task<ScratchDatabase> CreateAsync(SourceShape shape) => New().CreateAsync("verify", shape, 0, TargetEnvironment.Production, CancellationToken.None);

    private ScratchServers Servers() => new(run, new ServerProvider(run, BackupScenario.Commands, new ServerBinaryProvider(run, BackupScenario.Commands)), folder["scratch"]);

    private ScratchDatabases New(params DatabaseEnvironment[] environments) =>
        new(run, Servers(), BackupScenario.Commands, new NamedScratchServer(run, named.Server.Url, _ => Task.FromResult<IReadOnlyList<DatabaseEnvironment>>(environments)));
}
