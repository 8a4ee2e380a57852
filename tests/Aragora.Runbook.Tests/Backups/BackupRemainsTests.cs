using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class BackupRemainsTests(RealServer server)
{
    [Fact]
    public async Task What_a_dead_run_left_is_removed_before_the_disk_is_measured()
    {
        var run = RealServer.NewRun();
        var left = Directory.CreateDirectory(Path.Combine(run.Root, "artifacts", "backups", "left.partial")).FullName;
        Directory.SetLastWriteTimeUtc(left, run.Clock.GetUtcNow().UtcDateTime.AddDays(-30));
        var wasThere = true;
        var step = new BackupStep(run, await server.NewDatabaseAsync(), new BackupOptions { Jobs = 1 }, BackupScenario.Commands, new BackupScenario.SilentProgress())
        {
            FreeBytes = _ =>
            {
                wasThere = Directory.Exists(left);
                return 0;
            },
        };

        await Should.ThrowAsync<RefusedException>(() => step.RunAsync(CancellationToken.None));

        wasThere.ShouldBeFalse();
    }

    [Fact]
    public async Task A_backup_that_cannot_be_flushed_gets_no_final_name()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "flushes folders with coreutils");
        var run = RealServer.NewRun();
        var folder = BackupFolder.Reserve(Path.Combine(run.Root, "backups"), "db", run.Clock.GetUtcNow(), run.RunId);

        (await Should.ThrowAsync<FailedCleanException>(() => folder.PublishAsync(new FailingSync(), CancellationToken.None))).Why.ShouldContain("Input/output error");

        Directory.Exists(folder.Final).ShouldBeFalse();
    }

    private sealed class FailingSync : ICommandRunner
    {
        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default) =>
            Task.FromResult(new CommandResult(1, "", "sync: error syncing: Input/output error", TimeSpan.Zero));
    }
}
