using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.LocalStack;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests.Servers;
using Serilog;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.LocalStack;

public sealed class EmbeddedStackTests : IAsyncLifetime
{
    private static readonly HttpClient Http = new();
    private readonly TemporaryFolder folder = new();
    private readonly CommandRunner commands = new(TimeProvider.System);
    private readonly FakeSeeder seeder = new();

    private string StackPath => folder["stack"];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await New().DownAsync(CancellationToken.None);
        folder.Dispose();
    }

    [Fact]
    public async Task It_comes_up_answers_health_is_found_by_another_run_and_goes_down_twice()
    {
        await SkipWithoutProgramsAsync();
        var up = await New().UpAsync(CancellationToken.None);

        up.IsRunning.ShouldBeTrue();
        up.Staging.IsLocalStack.ShouldBeTrue();
        var (status, body) = await HealthAsync(up.Production);
        status.ShouldBe(HttpStatusCode.OK);
        body.GetProperty("status").GetString().ShouldBe("ok");
        body.GetProperty("revision").GetString().ShouldBe("seed1");
        body.GetProperty("database").GetString().ShouldBe("aragora_production");
        (await HealthAsync(up.Staging)).Body.GetProperty("database").GetString().ShouldBe("aragora_staging");

        var found = await New().FindAsync(CancellationToken.None);
        found!.IsRunning.ShouldBeTrue();
        found.Production.Database.ToSecretUrl().ShouldBe(up.Production.Database.ToSecretUrl());
        found.Production.HealthUrl.ShouldBe(up.Production.HealthUrl);
        (await New().UpAsync(CancellationToken.None)).Production.Database.ToSecretUrl().ShouldBe(up.Production.Database.ToSecretUrl());
        seeder.Seeded.ShouldBe(1);
        if (OperatingSystem.IsLinux())
        {
            Listening.At(up.Production.HealthUrl!.Port).ShouldBe(["127.0.0.1"]);
            Listening.At(up.Production.Database.Port).ShouldBe(["127.0.0.1"]);
        }

        (await New().DownAsync(CancellationToken.None)).ShouldBeTrue();
        (await New().DownAsync(CancellationToken.None)).ShouldBeFalse();
        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
        (await New().FindAsync(CancellationToken.None)).ShouldBeNull();
        await Should.ThrowAsync<HttpRequestException>(() => Http.GetAsync(up.Production.HealthUrl));
    }

    [Fact]
    public async Task The_role_is_what_RDS_gives_and_the_inspector_works_as_it()
    {
        await SkipWithoutProgramsAsync();
        var up = await New().UpAsync(CancellationToken.None);
        await using var session = await PostgresSession.OpenAsync(up.Production, "aragora-tests");

        (await session.ScalarAsync<string>("SELECT concat_ws(' ', rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls) FROM pg_roles WHERE rolname = current_user", CancellationToken.None)).ShouldBe("f t f f f");
        (await session.ScalarAsync<bool>("SELECT pg_has_role('pg_monitor', 'member') AND pg_has_role('pg_signal_backend', 'member')", CancellationToken.None)).ShouldBeTrue();
        (await session.QueryAsync("SELECT datname::text || ' ' || pg_get_userbyid(datdba) FROM pg_database WHERE datname LIKE 'aragora%' ORDER BY 1", row => row.GetString(0), CancellationToken.None))
            .ShouldBe(["aragora_production aragora", "aragora_staging aragora"]);
        var production = await DatabaseInspector.ReadAsync(up.Production, CancellationToken.None);
        var staging = await DatabaseInspector.ReadAsync(up.Staging, CancellationToken.None);
        production.Revisions.ShouldBe(["seed1"]);
        production.Identity.IsSameDatabaseAs(staging.Identity).ShouldBeFalse();
    }

    [Fact]
    public async Task Health_turns_503_with_the_reason_when_its_database_goes_and_back_when_it_comes()
    {
        await SkipWithoutProgramsAsync();
        var up = await New().UpAsync(CancellationToken.None);
        await RealServer.SqlAsync(up.Staging, "ALTER TABLE alembic_version RENAME TO hidden");

        var (status, body) = await HealthAsync(up.Staging);
        status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        body.GetProperty("error").GetString().ShouldNotBeNull().ShouldContain("alembic_version");
        (await HealthAsync(up.Production)).Status.ShouldBe(HttpStatusCode.OK);
        (await Http.GetAsync(new Uri(up.Staging.HealthUrl!, "/health"))).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await Http.GetAsync(new Uri(up.Staging.HealthUrl!, "/elsewhere"))).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        KillServer();
        (status, body) = await HealthAsync(up.Production);
        status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        body.GetProperty("status").GetString().ShouldBe("unhealthy");
        body.GetProperty("error").GetString().ShouldNotBeNull().ShouldContain("cannot be reached");
        (await New().FindAsync(CancellationToken.None))!.IsRunning.ShouldBeFalse();

        var again = await New().UpAsync(CancellationToken.None);
        (await HealthAsync(again.Production)).Status.ShouldBe(HttpStatusCode.OK);
        seeder.Seeded.ShouldBe(1);
    }

    [Fact]
    public async Task An_application_that_was_killed_or_lost_its_port_comes_back()
    {
        await SkipWithoutProgramsAsync();
        var up = await New().UpAsync(CancellationToken.None);
        Process.GetProcessById(ApiProcess()).Kill();
        await Until(async () => !(await New().FindAsync(CancellationToken.None))!.IsRunning);
        using var thief = new System.Net.Sockets.TcpListener(IPAddress.Loopback, up.Production.HealthUrl!.Port);
        thief.Server.SetSocketOption(System.Net.Sockets.SocketOptionLevel.Socket, System.Net.Sockets.SocketOptionName.ReuseAddress, true);
        thief.Start();

        var again = await New().UpAsync(CancellationToken.None);

        again.Production.HealthUrl!.Port.ShouldNotBe(up.Production.HealthUrl.Port);
        (await HealthAsync(again.Production)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_pid_file_of_the_application_that_names_a_stranger_kills_nobody()
    {
        await SkipWithoutProgramsAsync();
        await New().UpAsync(CancellationToken.None);
        Process.GetProcessById(ApiProcess()).Kill();
        using var stranger = Process.Start(new ProcessStartInfo("sleep", "60"))!;
        var state = Path.Combine(StackPath, "api.json");
        await File.WriteAllTextAsync(state, (await File.ReadAllTextAsync(state)).Replace($"\"pid\":{ApiProcess()}", $"\"pid\":{stranger.Id}", StringComparison.Ordinal));

        (await HealthAsync((await New().UpAsync(CancellationToken.None)).Production)).Status.ShouldBe(HttpStatusCode.OK);

        stranger.HasExited.ShouldBeFalse();
        stranger.Kill();
    }

    [Fact]
    public async Task A_seeding_that_was_interrupted_is_done_anew_and_never_taken_for_whole()
    {
        await SkipWithoutProgramsAsync();
        seeder.Fault = new OperationCanceledException("Ctrl-C halfway");
        await Should.ThrowAsync<OperationCanceledException>(() => New().UpAsync(CancellationToken.None));
        (await New().FindAsync(CancellationToken.None))!.IsRunning.ShouldBeFalse();

        seeder.Fault = null;
        var up = await New().UpAsync(CancellationToken.None);

        await RealServer.SqlAsync(up.Staging, "SELECT 1 / (count(*) = 3)::int FROM seeded");
        await RealServer.SqlAsync(up.Production, "SELECT 1 / (count(*) = 3)::int FROM seeded");
    }

    [Fact]
    public async Task A_database_that_somebody_dropped_is_made_again_and_the_other_one_is_kept()
    {
        await SkipWithoutProgramsAsync();
        var up = await New().UpAsync(CancellationToken.None);
        await RealServer.SqlAsync(up.Production, "CREATE TABLE mine (n int)");
        await RealServer.SqlAsync(up.Production, "DROP DATABASE aragora_staging WITH (FORCE)");

        var again = await New().UpAsync(CancellationToken.None);

        await RealServer.SqlAsync(again.Production, "SELECT FROM mine");
        await RealServer.SqlAsync(again.Staging, "SELECT 1 / (count(*) = 3)::int FROM seeded");
    }

    [Fact]
    public async Task Two_that_bring_it_up_at_once_get_one_stack()
    {
        await SkipWithoutProgramsAsync();
        var both = await Task.WhenAll(New().UpAsync(CancellationToken.None), New().UpAsync(CancellationToken.None));

        both[0].Production.Database.ToSecretUrl().ShouldBe(both[1].Production.Database.ToSecretUrl());
        both[0].Staging.HealthUrl.ShouldBe(both[1].Staging.HealthUrl);
        seeder.Seeded.ShouldBe(1);
    }

    [Fact]
    public async Task Other_migrations_are_refused_and_named()
    {
        Directory.CreateDirectory(StackPath);
        await File.WriteAllTextAsync(Path.Combine(StackPath, "stack.json"), """{"rolePassword":"x","checkout":"/src","alembicConfig":"/elsewhere/alembic.ini"}""");

        var refusal = await Should.ThrowAsync<RefusedException>(() => New().UpAsync(CancellationToken.None));

        refusal.Message.ShouldContain("/elsewhere/alembic.ini");
        refusal.Message.ShouldContain("./build.sh LocalDown");
    }

    [Fact]
    public async Task Down_also_erases_what_a_crash_left()
    {
        await SkipWithoutProgramsAsync();
        var up = await New().UpAsync(CancellationToken.None);
        KillServer();
        Process.GetProcessById(ApiProcess()).Kill();
        File.Delete(Path.Combine(StackPath, "server", "server.json"));
        File.Delete(Path.Combine(StackPath, "stack.json"));

        (await New().DownAsync(CancellationToken.None)).ShouldBeTrue();

        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
        up.IsRunning.ShouldBeTrue();
    }

    [Fact]
    public async Task The_application_holds_none_of_our_streams_knows_none_of_our_secrets_and_leads_a_session_of_its_own()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        await SkipWithoutProgramsAsync();
        var up = await New().UpAsync(CancellationToken.None);
        var pid = ApiProcess();

        var ours = new[] { 1, 2 }.Select(number => new FileInfo($"/proc/self/fd/{number}").LinkTarget!).Where(target => !target.StartsWith("/dev/null", StringComparison.Ordinal));
        Directory.EnumerateFiles($"/proc/{pid}/fd").Select(file => new FileInfo(file).LinkTarget).Intersect(ours, StringComparer.Ordinal).ShouldBeEmpty();
        (await File.ReadAllTextAsync($"/proc/{pid}/cmdline")).ShouldNotContain(up.Production.Database.Password!);
        var fields = (await File.ReadAllTextAsync($"/proc/{pid}/stat")).Split(") ")[1].Split(' ');
        fields[3].ShouldBe($"{pid}"); // the session's leader
        (await File.ReadAllTextAsync($"/proc/{pid}/environ")).Split('\0').Select(variable => variable.Split('=')[0]).Where(name => name.Length > 0)
            .ShouldBeSubsetOf(["PATH", "HOME", "TMPDIR", "TMP", "TEMP", "LANG", "DOTNET_ROOT", "DOTNET_NOLOGO"]);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Path.Combine(StackPath, "api.config.json")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        // Ctrl-C and the end of a terminal are ignored; SIGTERM ends it.
        await commands.RunAsync(new Command { Program = "kill", Arguments = ["-INT", $"{pid}"] });
        await commands.RunAsync(new Command { Program = "kill", Arguments = ["-HUP", $"{pid}"] });
        (await HealthAsync(up.Production)).Status.ShouldBe(HttpStatusCode.OK);
        await commands.RunAsync(new Command { Program = "kill", Arguments = ["-TERM", $"{pid}"] });
        await Until(async () => !(await New().FindAsync(CancellationToken.None))!.IsRunning);
    }

    [Fact]
    public async Task Without_the_servers_programs_it_comes_up_in_a_container()
    {
        using var engine = await DockerEngine.TryConnectAsync(CancellationToken.None);
        Assert.SkipWhen(engine is null, "no Docker engine answers");
        Assert.SkipUnless(await engine!.HasImageAsync("postgres:15", CancellationToken.None), "the image postgres:15 is not here, and tests fetch none");
        var none = new ServerBinaryProvider(RealServer.NewRun(), commands) { MayInstall = false, FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>([]) };

        var up = await New(none).UpAsync(CancellationToken.None);

        (await HealthAsync(up.Production)).Status.ShouldBe(HttpStatusCode.OK);
        (await New(none).FindAsync(CancellationToken.None))!.IsRunning.ShouldBeTrue();
        (await New(none).DownAsync(CancellationToken.None)).ShouldBeTrue();
        (await engine.ListAsync(ContainerServer.FolderLabel, CancellationToken.None)).ShouldNotContain(one => one.Value.StartsWith(StackPath, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_seed_of_this_checkout_fills_both_databases_some_revisions_behind_head()
    {
        var config = Path.Combine(Checkout(), "migrations", "alembic.ini");
        Assert.SkipUnless(File.Exists(config), "this checkout has no migrations");
        await SkipWithoutProgramsAsync();
        var probe = await commands.RunAsync(new Command { Program = "/bin/sh", Arguments = ["-c", "/usr/bin/python3 -c 'import alembic, psycopg2'"] });
        Assert.SkipUnless(probe.Succeeded, "the system's Python has no Alembic");
        var real = new LocalSeeder(
            config,
            async (database, revision, cancellation) => (await commands.RunAsync(
                new Command
                {
                    Program = "/usr/bin/python3",
                    Arguments = ["-m", "alembic", "-c", config, "upgrade", revision],
                    WorkingDirectory = Path.GetDirectoryName(config),
                    Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["DATABASE_URL"] = database.Database.ToSecretUrl(), ["ARAGORA_POSTGRES_DSN"] = null },
                },
                cancellation: cancellation)).Succeeded.ShouldBeTrue(),
            new LoggerConfiguration().CreateLogger());

        var up = await New(other: real).UpAsync(CancellationToken.None);

        foreach (var environment in new[] { up.Staging, up.Production })
        {
            (await DatabaseInspector.ReadAsync(environment, CancellationToken.None)).Revisions.Count.ShouldBe(1);
            await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
            (await session.ScalarAsync<float>("SELECT sum(reltuples)::real FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace", CancellationToken.None)).ShouldBeGreaterThan(150_000);
            (await session.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner <> 'aragora'::regrole", CancellationToken.None)).ShouldBe(0);
        }
    }

    private static string Checkout()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "global.json")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests do not run below a checkout");
        }

        return folder;
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> HealthAsync(DatabaseEnvironment environment)
    {
        using var answer = await Http.GetAsync(environment.HealthUrl);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
    }

    private async Task SkipWithoutProgramsAsync() =>
        Assert.SkipWhen((await ServerBinaries.FindAllAsync(commands, CancellationToken.None)).Count == 0, "no PostgreSQL server binaries on this machine");

    private void KillServer() => Process.GetProcessById(new PostmasterProcess(Path.Combine(StackPath, "server", "data")).Id()!.Value).Kill();

    private int ApiProcess() => JsonDocument.Parse(File.ReadAllText(Path.Combine(StackPath, "api.json"))).RootElement.GetProperty("pid").GetInt32();

    private EmbeddedStack New(ServerBinaryProvider? binaries = null, ILocalSeeder? other = null)
    {
        var run = RealServer.NewRun();
        var servers = new ServerProvider(run, commands, binaries ?? new ServerBinaryProvider(run, commands));
        return new EmbeddedStack(run, new LocalStackOptions { AlembicConfig = folder["alembic.ini"], Folder = StackPath, Major = binaries is null ? null : 15 }, servers, commands, other ?? seeder);
    }

    private sealed class FakeSeeder : ILocalSeeder
    {
        public int Seeded { get; private set; }

        public Exception? Fault { get; set; }

        public async Task<string?> SeedAsync(DatabaseEnvironment database, CancellationToken cancellation)
        {
            await RealServer.SqlAsync(database, "CREATE TABLE seeded AS SELECT generate_series(1, 3) AS n; CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)");
            if (Fault is not null)
            {
                throw Fault;
            }

            await RealServer.SqlAsync(database, "INSERT INTO alembic_version VALUES ('seed1')");
            Seeded++;
            return "seed1";
        }
    }
}
