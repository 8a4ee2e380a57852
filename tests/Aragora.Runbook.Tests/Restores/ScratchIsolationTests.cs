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

/// <summary>What is restored must not reach the servers that it knows.</summary>
public sealed class ScratchIsolationTests(RealServer server) : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly RunContext run = RealServer.NewRun();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_foreign_server_is_not_reached_and_a_view_over_it_is_verified_as_empty()
    {
        await RequireIsolationAsync();
        var (source, remote) = await NewWithForeignTableAsync();
        var made = await BackupScenario.BackUpAsync(run, source);
        made.Backup.Manifest.Shape.ViewsOfForeignTables.Select(view => view.Name).ShouldBe(["public.\"Of \"\"it\"\" \"", "public.of_view"]);
        var before = await SessionsAsync(remote);

        await new VerifyBackupStep(run, source, new BackupOptions { Jobs = 2 }, New(), BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(made.Backup, CancellationToken.None);

        (await SessionsAsync(remote)).ShouldBe(before + 1, "only our own asking may be counted");
    }

    [Fact]
    public async Task What_a_restored_function_calls_is_not_reached_by_port_or_by_socket()
    {
        await RequireIsolationAsync();
        var shape = new SourceShape { ServerMajor = server.Server.Binaries.Major, Encoding = "UTF8", Collate = "C", Ctype = "C" };
        await using var scratch = await New().CreateAsync("verify", shape, 0, TargetEnvironment.Production, CancellationToken.None);
        await using var session = await PostgresSession.OpenAsync(scratch.Environment, "aragora-tests");
        await session.ExecuteAsync("CREATE EXTENSION dblink", CancellationToken.None);
        foreach (var target in new[] { $"host=127.0.0.1 port={server.Server.Url.Port} connect_timeout=3", "connect_timeout=3" })
        {
            (await Should.ThrowAsync<Npgsql.PostgresException>(() => session.ExecuteAsync($"SELECT dblink_connect('{target} user=x password=y dbname=postgres')", CancellationToken.None))).SqlState.ShouldBe("08001");
        }
    }

    [Fact]
    public async Task Where_nothing_can_be_isolated_only_what_reaches_out_is_refused()
    {
        var shape = new SourceShape { ServerMajor = server.Server.Binaries.Major, Encoding = "UTF8", Collate = "C", Ctype = "C" };
        await using (await New(isolates: false).CreateAsync("verify", shape, 0, TargetEnvironment.Production, CancellationToken.None))
        {
        }

        var refused = await Should.ThrowAsync<RefusedException>(() => New(isolates: false).CreateAsync("verify", shape with { ReachesOut = ["subscription orders"] }, 0, TargetEnvironment.Production, CancellationToken.None));
        refused.What.ShouldContain("subscription orders");
        refused.Next.ShouldContain("--scratch-server-url");
    }

    [Fact]
    public async Task What_reaches_out_is_known_from_the_source()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw; CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw");
        await using var session = await PostgresSession.OpenAsync(source, "aragora-tests");
        (await SourceShape.ReadAsync(session, CancellationToken.None)).ReachesOut.ShouldBe(["extension dblink", "foreign server far"]);
    }

    private async Task<(DatabaseEnvironment Source, DatabaseEnvironment Remote)> NewWithForeignTableAsync()
    {
        var (source, remote) = (await server.NewDatabaseAsync(), await server.NewDatabaseAsync());
        await RealServer.SqlAsync(remote, "CREATE TABLE far_away (i int); INSERT INTO far_away VALUES (1)");
        var url = server.Server.Url;
        await RealServer.SqlAsync(
            source,
            $"""
            CREATE EXTENSION postgres_fdw;
            CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{url.Port}', dbname '{remote.Database.Database}');
            CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '{url.User}', password '{url.Password}');
            CREATE FOREIGN TABLE far_away (i int) SERVER far;
            CREATE MATERIALIZED VIEW "Of ""it"" " AS SELECT * FROM far_away;
            CREATE VIEW between_them AS SELECT * FROM "Of ""it"" ";
            CREATE MATERIALIZED VIEW of_view AS SELECT i, '; populated; ' AS word FROM between_them;
            CREATE INDEX ON of_view (i);
            CREATE TABLE near (i int); INSERT INTO near VALUES (1);
            CREATE MATERIALIZED VIEW of_near AS SELECT * FROM near;
            """);
        return (source, remote);
    }

    private static async Task<long> SessionsAsync(DatabaseEnvironment remote)
    {
        await using var session = await PostgresSession.OpenAsync(remote, "aragora-tests");
        return await session.ScalarAsync<long>("SELECT sessions FROM pg_stat_database WHERE datname = current_database()", CancellationToken.None);
    }

    private static async Task RequireIsolationAsync() =>
        Assert.SkipWhen(await NetworkIsolation.FindAsync(BackupScenario.Commands, CancellationToken.None) is null, "this user may not make network namespaces");

    private ScratchDatabases New(bool isolates = true)
    {
        var servers = new ScratchServers(run, new ServerProvider(run, BackupScenario.Commands, new ServerBinaryProvider(run, BackupScenario.Commands)), folder["scratch"]);
        return isolates
            ? new ScratchDatabases(run, servers, BackupScenario.Commands)
            : new ScratchDatabases(run, servers, BackupScenario.Commands) { FindIsolationAsync = _ => Task.FromResult<NetworkIsolation?>(null) };
    }
}
