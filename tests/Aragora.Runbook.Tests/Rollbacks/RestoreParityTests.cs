using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Backups;
using Aragora.Runbook.Tests.Backups.RandomDatabases;
using Aragora.Runbook.Tests.Digests;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

/// <summary>What VerifyBackup accepts, Rollback restores: on databases with everything in them that was found hard.</summary>
public sealed class RestoreParityTests(RealServer server, DigestZoo zoo) : IClassFixture<DigestZoo>
{
    [Fact]
    public async Task The_zoo_is_verified_and_restored() => await ProveAsync(await zoo.CloneAsync());

    [Theory]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(36)]
    [InlineData(61)]
    [InlineData(95)]
    public async Task A_random_database_is_verified_and_restored(int seed)
    {
        var source = await server.NewDatabaseAsync();
        await RandomDatabase.Of((ulong)seed).ApplyAsync(source);
        await ProveAsync(source);
    }

    private async Task ProveAsync(DatabaseEnvironment source)
    {
        var run = RealServer.NewRun();
        var backup = (await BackupScenario.BackUpAsync(run, source)).Backup;
        var verifying = new VerifyBackupStep(run, source, new BackupOptions { Jobs = 2 }, BackupScenario.ScratchBeside(run, source), BackupScenario.Commands, new BackupScenario.SilentProgress());
        (await verifying.RunAsync(backup, CancellationToken.None)).Evidence.Green.ShouldBeTrue();

        var rollback = new RestoreRollback(run, BackupScenario.Commands, new RestoreOptions { Backup = new BackupOptions { Jobs = 2 } }, new BackupScenario.SilentProgress());
        var result = await rollback.RunAsync(source, backup, CancellationToken.None);

        // With the database's own grants and settings; its comment has the restore's note now.
        var after = await DigestZoo.DigestAsync(source, backup.Manifest.Digest.Method);
        DigestComparison.Compare(backup.Manifest.Digest, after).Select(difference => difference.ToString()).Where(difference => !difference.StartsWith("database comment", StringComparison.Ordinal)).ShouldBeEmpty();
        await server.DropDatabaseAsync(source);
        await server.DropDatabaseAsync(source with { Database = source.Database with { Database = result.Facts.KeptDatabase } });
    }
}
