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

    [Fact]
    public async Task The_container_of_a_run_that_was_killed_is_removed_by_the_next()
    {
        using var engine = await DockerEngine.TryConnectAsync(CancellationToken.None);
        Assert.SkipWhen(engine is null, "no Docker engine answers");
        var major = shared.Made.Backup.Manifest.Shape.ServerMajor;
        Assert.SkipUnless(await engine!.HasImageAsync(ContainerServer.ImageOf(major), CancellationToken.None), $"the image {ContainerServer.ImageOf(major)} is not here, and tests fetch none");
        var run = RealServer.NewRun();
        var parent = Path.Combine(Path.GetTempPath(), $"aragora-container-{run.RunId}");
        var none = new ServerBinaryProvider(run, BackupScenario.Commands) { MayInstall = false, FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>([]) };
        var servers = new ServerProvider(run, BackupScenario.Commands, none);

        // Killed: the container runs, the folder is there, and so is the owner's file, which nobody holds.
        var left = await servers.StartAsync(new ThrowawayServerOptions { Folder = Path.Combine(parent, "verify-dead") }, major, CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(parent, "verify-dead.owner"), "");
        (await left.IsRunningAsync(CancellationToken.None)).ShouldBeTrue();

        await new ScratchServers(run, servers, parent).ReapAsync(CancellationToken.None);

        (await engine.ListAsync(ContainerServer.FolderLabel, CancellationToken.None)).ShouldNotContain(one => one.Value.StartsWith(parent, StringComparison.Ordinal));
        Directory.EnumerateFileSystemEntries(parent).ShouldBeEmpty();
        Directory.Delete(parent);
    }

    [Fact]
    public async Task A_locale_that_this_machine_lacks_is_asked_of_the_container_and_refused_there_by_name()
    {
        using var engine = await DockerEngine.TryConnectAsync(CancellationToken.None);
        Assert.SkipWhen(engine is null, "no Docker engine answers");
        var shape = shared.Made.Backup.Manifest.Shape with { Collate = "xx_XX.UTF-8", Ctype = "xx_XX.UTF-8", Locale = null, LocaleProvider = "libc" };
        Assert.SkipUnless(await engine!.HasImageAsync(ContainerServer.ImageOf(shape.ServerMajor), CancellationToken.None), $"the image {ContainerServer.ImageOf(shape.ServerMajor)} is not here, and tests fetch none");
        var run = RealServer.NewRun();
        var parent = Path.Combine(Path.GetTempPath(), $"aragora-container-{run.RunId}");
        var none = new ServerBinaryProvider(run, BackupScenario.Commands) { MayInstall = false, FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>([]) };
        var scratch = new ScratchDatabases(run, new ScratchServers(run, new ServerProvider(run, BackupScenario.Commands, none), parent), BackupScenario.Commands);

        var refusal = await Should.ThrowAsync<Aragora.Runbook.Outcomes.RefusedException>(scratch.CreateAsync("verify", shape, 0, Aragora.Runbook.Environments.TargetEnvironment.Production, CancellationToken.None));

        refusal.What.ShouldContain("The scratch server cannot make a database like the source");
        refusal.What.ShouldContain("xx_XX.UTF-8");
        Directory.EnumerateFileSystemEntries(parent).ShouldBeEmpty();
        Directory.Delete(parent);
    }
}
