using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Restores;

public sealed class ContainerScratchTests(SharedBackup shared) : IClassFixture<SharedBackup>
{
    [Fact]
    public async Task Without_programs_of_its_own_a_machine_verifies_a_backup_in_a_container_and_removes_it()
    {
        using var engine = await DockerEngine.TryConnectAsync(CancellationToken.None);
        Assert.SkipWhen(engine is null, "no Docker engine answers");
        var image = ContainerServer.ImageOf(shared.Made.Backup.Manifest.Shape.ServerMajor);
        Assert.SkipUnless(await engine!.HasImageAsync(image, CancellationToken.None), $"the image {image} is not here, and tests fetch none");
        var run = RealServer.NewRun();
        var parent = Path.Combine(Path.GetTempPath(), $"aragora-container-{run.RunId}");
        var none = new ServerBinaryProvider(run, BackupScenario.Commands) { MayInstall = false, FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>([]) };
        var scratch = new ScratchDatabases(run, new ScratchServers(run, new ServerProvider(run, BackupScenario.Commands, none), parent), BackupScenario.Commands);

        var verified = await new VerifyBackupStep(run, shared.Environment, new BackupOptions { Jobs = 2 }, scratch, BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(shared.Made.Backup, CancellationToken.None);

        verified.Facts.RestoreTook.ShouldNotBeNull();
        Directory.EnumerateFileSystemEntries(parent).ShouldBeEmpty();
        (await engine.ListAsync(ContainerServer.FolderLabel, CancellationToken.None)).ShouldNotContain(one => one.Value.StartsWith(parent, StringComparison.Ordinal));
        Directory.Delete(parent);
    }
}
