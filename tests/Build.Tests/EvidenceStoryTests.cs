using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace BuildTests;

/// <summary>What one job has seen opens the gate of another, on another checkout: by the switches that people type.</summary>
public sealed class EvidenceStoryTests : IAsyncLifetime
{
    private readonly CommandRunner commands = new(TimeProvider.System);
    private readonly string backups = TestFolders.New("backups");
    private ThrowawayServer server = null!;

    public async ValueTask InitializeAsync()
    {
        var binaries = await ServerBinaries.FindAllAsync(commands, CancellationToken.None);
        Assert.SkipWhen(binaries.Count == 0, "no PostgreSQL server binaries on this machine");
        server = await ThrowawayServer.StartAsync(binaries[0], new ThrowawayServerOptions { Folder = Path.Combine(Path.GetTempPath(), $"aragora-story-{Guid.NewGuid():N}") }, commands, new SecretMask(), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.EraseAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Records_of_another_checkout_open_the_gate_only_where_they_are_named_and_signed_with_the_same_key()
    {
        var shop = new ShopDatabase(server);
        await shop.SqlAsync("CREATE DATABASE shop", "postgres");
        await shop.SqlAsync("CREATE DATABASE shop_staging", "postgres");
        var (one, other) = (new HostProcess("one"), new HostProcess("other"));
        (await RunAsync(one, $"Backup VerifyBackup --backup-directory {backups}", "the key")).ExitCode.ShouldBe(0);

        // Only what is named is to be found: not what lies beside the backup.
        Directory.Delete(Path.Combine(backups, BackupCatalog.RecordsFolder), recursive: true);
        var gate = $"MigrateProduction --skip Backup VerifyBackup MigrateStaging SmokeTest HealthCheck --backup-directory {backups}";
        var attested = $"{gate} --attest TeamNotified,DashboardsOpen";
        var named = $"{attested} --evidence-directory {Path.Combine(one.Root, "artifacts", "runbook")}";

        await RefusedAsync(named, "the key", "StagingMigrated is not ticked");
        await RefusedAsync(gate, "the key", "VerifiedBackup, StagingMigrated, RollbackPrepared, TeamNotified and DashboardsOpen are not ticked");
        await RefusedAsync(named, "another key", "VerifiedBackup, StagingMigrated and RollbackPrepared are not ticked");
        await RefusedAsync(attested, "the key", "VerifiedBackup, StagingMigrated and RollbackPrepared are not ticked");

        async Task RefusedAsync(string arguments, string key, string closed)
        {
            var refused = await RunAsync(other, arguments, key);
            refused.ExitCode.ShouldNotBe(0);
            refused.Output.ShouldContain($"The gate to production is closed: {closed}.");
        }
    }

    private Task<CommandResult> RunAsync(HostProcess host, string arguments, string key) => host.RunAsync(
        arguments,
        ("PRODUCTION_DATABASE_URL", Url("shop")),
        ("STAGING_DATABASE_URL", Url("shop_staging")),
        ("PRODUCTION_HEALTH_URL", "http://127.0.0.1:9/health"),
        ("EVIDENCE_KEY", key));

    private string Url(string database) => $"postgresql://{server.Url.User}:{Uri.EscapeDataString(server.Url.Password!)}@{server.Url.Host}:{server.Url.Port}/{database}";
}
