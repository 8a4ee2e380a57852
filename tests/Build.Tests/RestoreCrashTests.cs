using System.Diagnostics;
using System.Text.Json;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace BuildTests;

/// <summary>The host is killed (SIGKILL) in the middle of each act of a restore, on a server of its own.</summary>
public sealed class RestoreCrashTests : IAsyncLifetime
{
    private const string Skipping = "--skip SmokeTest HealthCheck";
    private readonly CommandRunner commands = new(TimeProvider.System);
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"aragora-crash-{Guid.NewGuid():N}");
    private ThrowawayServer server = null!;

    private ShopDatabase Shop => new(server);

    public async ValueTask InitializeAsync()
    {
        var binaries = await ServerBinaries.FindAllAsync(commands, CancellationToken.None);
        Assert.SkipWhen(binaries.Count == 0, "no PostgreSQL server binaries on this machine");
        server = await ThrowawayServer.StartAsync(binaries[0], new ThrowawayServerOptions { Folder = folder, Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["wal_level"] = "replica", ["max_wal_senders"] = "2" } }, commands, new SecretMask(), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.EraseAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Killed_anywhere_the_old_or_the_new_database_is_there_and_the_next_rollback_works()
    {
        var host = new HostProcess("crashing");
        var url = Url();
        var backup = await BackedUpAsync(host, url);
        var rollback = $"Rollback --target-environment Production --strategy Restore --backup {backup} --accept-lost-writes 1000 {Skipping}";

        // Whoever updates the database's row in pg_database waits for this transaction: the fence is not up yet.
        await using var row = await Shop.HoldAsync("SELECT FROM pg_database WHERE datname = 'shop' FOR UPDATE");
        foreach (var act in new[] { "make a copy beside the live database", "restore into the copy", "analyse the copy", "compare the copy with the backup's manifest", "carry over what belongs to the database" })
        {
            await KilledAsync(host, rollback, url, act);
            (await Shop.GenerationAsync()).ShouldBe(2, $"killed in: {act}");
            var status = await host.RunAsync("Status --target-environment Production", url);
            status.Output.ShouldContain("was interrupted in the middle of", customMessage: act);
        }

        await KilledAsync(host, rollback, url, "fence the live database");
        await row.DisposeAsync();
        (await Shop.GenerationAsync()).ShouldBe(2);

        // A lock on the database itself lets the fence be put up, and makes the renames wait.
        await using (var holder = await Shop.HoldAsync("ALTER ROLE CURRENT_USER IN DATABASE shop SET application_name = 'holder'"))
        {
            await KilledAsync(host, rollback, url, "exchange the live database for the restored copy");
        }

        var fenced = await host.RunAsync("Status --target-environment Production", url);
        fenced.ExitCode.ShouldBe(5, fenced.Output);
        fenced.Output.ShouldContain("production is closed: shop lets nobody in.");
        fenced.Output.ShouldContain($"--strategy Restore --backup {backup}");
        fenced.Output.ShouldContain("ALTER DATABASE \"shop\" ALLOW_CONNECTIONS true;");
        fenced.Output.ShouldContain("shop_restore_");

        var done = await host.RunAsync(rollback, url);
        done.ExitCode.ShouldBe(5, "it was not verified, since that was skipped: " + done.Output);
        (await Shop.GenerationAsync()).ShouldBe(1);
        (await NamesAsync()).ShouldSatisfyAllConditions(names => names.Count.ShouldBe(2), names => names[0].ShouldBe("shop"), names => names[1].ShouldStartWith("shop_before_"));
        (await host.RunAsync("Status --target-environment Production", url)).Output.ShouldContain("shop was restored from " + backup);

        // It is of the database whose place this one took: it could be restored again, and so it can be verified.
        var verified = await host.RunAsync($"VerifyBackup --skip Backup --backup {backup} --fresh", url);
        verified.ExitCode.ShouldBe(0, verified.Output + verified.Error);
        verified.Output.ShouldContain($"Verified artifacts/backups/{backup}: restored in");
    }

    /// <summary>The commit of the exchange waits for a standby that there is not: the host is killed while it waits, and the commit comes after it. No outcome is in the journal, and no record says anything.</summary>
    [Fact]
    public async Task Killed_at_the_commit_of_the_exchange_the_new_database_is_there_and_status_says_so_and_leads_back()
    {
        var host = new HostProcess("committed");
        var url = Url();
        var backup = await BackedUpAsync(host, url);
        var rollback = $"Rollback --target-environment Production --strategy Restore --backup {backup} {Skipping} --accept-lost-writes ";
        var settings = await File.ReadAllTextAsync(Settings);
        const string Exchange = "exchange the live database for the restored copy";

        using (var process = host.Start(rollback + "1000", url))
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            Task probe;
            await using (var holder = await Shop.HoldAsync("ALTER ROLE CURRENT_USER IN DATABASE shop SET application_name = 'holder'"))
            {
                await UntilIntentAsync(host, process, Exchange, patience.Token);
                await ConfigureAsync(settings + "synchronous_standby_names = 'nobody'\n");

                // Once a commit waits, every session was told.
                probe = Shop.SqlAsync("CREATE TABLE probe ()", "postgres");
                await Shop.UntilAsync("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')", patience.Token);
            }

            await Shop.UntilAsync("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name LIKE 'aragora-swap-%')", patience.Token);
            (await NamesAsync()).ShouldContain(name => name.StartsWith("shop_restore_", StringComparison.Ordinal), "nothing is exchanged before the commit");
            await KillAsync(process, patience.Token);
            await ConfigureAsync(settings);
            await Shop.UntilAsync("SELECT EXISTS (SELECT FROM pg_database WHERE datname LIKE 'shop!_before!_%' ESCAPE '!')", patience.Token);
            await probe;
        }

        (await Shop.GenerationAsync()).ShouldBe(1, "the exchange is committed");
        host.Journals().ShouldNotContain(text => text.Contains($"\"kind\":\"outcome\",\"act\":{JsonSerializer.Serialize(Exchange, RunbookJson.Line)}", StringComparison.Ordinal));
        var status = await host.RunAsync("Status --target-environment Production", url);
        status.ExitCode.ShouldBe(0, status.Output);
        status.Output.ShouldContain("was interrupted in the middle of");
        status.Output.ShouldContain("shop was restored from " + backup);
        status.Output.ShouldContain("shop is the restored one, and live; as far as the records here know, nothing verified it since. This does: ./build.sh SmokeTest --target-environment Production");
        string[] inOrder = ["to take it back instead", "ALTER DATABASE \"shop\" ALLOW_CONNECTIONS false;", "SELECT pg_terminate_backend(pid)", "BEGIN; ALTER DATABASE \"shop\" RENAME TO \"shop_undone_", "DROP DATABASE IF EXISTS \"shop_before_"];
        inOrder.Select(line => status.Output.IndexOf(line, StringComparison.Ordinal)).ShouldSatisfyAllConditions(places => places.ShouldNotContain(-1, status.Output), places => places.ShouldBeInOrder());

        await Shop.SqlAsync("UPDATE generation SET n = 3");
        var done = await host.RunAsync(rollback + "unknown", url);
        done.ExitCode.ShouldBe(5, "it was not verified, since that was skipped: " + done.Output);
        (await Shop.GenerationAsync()).ShouldBe(1);
        (await NamesAsync()).Count(name => name.StartsWith("shop_before_", StringComparison.Ordinal)).ShouldBe(2);
    }

    /// <summary>Written by the product, and so not by ALTER SYSTEM.</summary>
    private string Settings => Path.Combine(folder, "data", "postgresql.auto.conf");

    private async Task ConfigureAsync(string settings)
    {
        await File.WriteAllTextAsync(Settings, settings);
        await Shop.SqlAsync("SELECT pg_reload_conf()", "postgres");
    }

    private (string Name, string? Value) Url() => ("PRODUCTION_DATABASE_URL", $"postgresql://{server.Url.User}:{Uri.EscapeDataString(server.Url.Password!)}@{server.Url.Host}:{server.Url.Port}/shop");

    /// <summary>A backup of generation 1; then comes generation 2.</summary>
    private async Task<string> BackedUpAsync(HostProcess host, (string Name, string? Value) url)
    {
        await Shop.SqlAsync("CREATE DATABASE shop", "postgres");
        await Shop.SqlAsync("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('b86d1e4f97c2'); CREATE TABLE generation AS SELECT 1 AS n; CREATE TABLE filler AS SELECT i, md5(i::text) AS t FROM generate_series(1, 100000) i");
        var made = await host.RunAsync("Backup", url);
        made.ExitCode.ShouldBe(0, made.Output + made.Error);
        await Shop.SqlAsync("UPDATE generation SET n = 2");
        return Path.GetFileName(Directory.EnumerateDirectories(Path.Combine(host.Root, "artifacts", "backups")).Single(path => Path.GetFileName(path) != BackupCatalog.RecordsFolder));
    }

    private async Task KilledAsync(HostProcess host, string arguments, (string Name, string? Value) variable, string act)
    {
        using var process = host.Start(arguments, variable);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await UntilIntentAsync(host, process, act, patience.Token);
        await KillAsync(process, patience.Token);
    }

    private static async Task UntilIntentAsync(HostProcess host, Process process, string act, CancellationToken patience)
    {
        var line = $"\"kind\":\"intent\",\"act\":{JsonSerializer.Serialize(act, RunbookJson.Line)}";
        while (!process.HasExited && !host.Journals(process.StartTime.ToUniversalTime()).Any(text => text.Contains(line, StringComparison.Ordinal)))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(2), patience);
        }

        process.HasExited.ShouldBeFalse($"it ended before it came to: {act}\n{string.Join('\n', host.Journals(process.StartTime.ToUniversalTime()))}");
    }

    private async Task KillAsync(Process process, CancellationToken patience)
    {
        process.Kill();
        await process.WaitForExitAsync(patience);
        await Shop.UntilGuardIsGoneAsync(patience);
    }

    private async Task<IReadOnlyList<string>> NamesAsync()
    {
        await using var session = await PostgresSession.OpenAsync(Shop.Environment, "aragora-tests", "postgres");
        return await session.QueryAsync("SELECT datname::text FROM pg_database WHERE datname LIKE 'shop%' ORDER BY 1", row => row.GetString(0), CancellationToken.None);
    }
}
