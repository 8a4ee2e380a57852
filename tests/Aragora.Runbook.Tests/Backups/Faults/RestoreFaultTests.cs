using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups.Faults;

/// <summary>What goes wrong while a backup is verified. Whatever it is: it is not green, and nothing is left behind.</summary>
public sealed class RestoreFaultTests(RealServer server) : IDisposable
{
    private readonly string parent = Path.Combine(Path.GetTempPath(), $"aragora-faults-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(parent))
        {
            Directory.Delete(parent, recursive: true);
        }
    }

    [Fact]
    public async Task A_killed_pg_restore_is_told_as_killed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "finds the process in /proc");
        var (run, environment, backup) = await BackedUpAsync(rows: 300_000);

        var verifying = VerifyAsync(run, environment, backup);
        await ProcessesOn.UntilAsync(() => ProcessesOn.Folder(backup.Folder, "--jobs=").Count > 0, verifying);
        ProcessesOn.Kill(ProcessesOn.Folder(backup.Folder, "--jobs="));

        (await Should.ThrowAsync<FailedCleanException>(() => verifying)).Why.ShouldContain("pg_restore ended with exit code 137 (signal 9)");
        NothingIsLeft(run);
    }

    [Fact]
    public async Task A_worker_of_pg_restore_that_is_killed_is_told()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "finds the process in /proc");
        var (run, environment, backup) = await BackedUpAsync(rows: 300_000);

        var verifying = VerifyAsync(run, environment, backup);
        await ProcessesOn.UntilAsync(() => ProcessesOn.Folder(backup.Folder, "--jobs=").Count > 1, verifying);
        ProcessesOn.Kill([ProcessesOn.Folder(backup.Folder, "--jobs=").Max()]);

        (await Should.ThrowAsync<FailedCleanException>(() => verifying)).Why.ShouldContain("pg_restore");
        NothingIsLeft(run);
    }

    [Fact]
    public async Task A_scratch_server_that_dies_in_the_middle_of_the_restore_is_told()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "finds the process in /proc");
        var (run, environment, backup) = await BackedUpAsync(rows: 300_000);

        var verifying = VerifyAsync(run, environment, backup);
        await ProcessesOn.UntilAsync(() => ProcessesOn.Folder(backup.Folder, "--jobs=").Count > 1, verifying);
        ProcessesOn.Kill(ProcessesOn.Folder(parent, "-D"));

        (await Should.ThrowAsync<RunbookException>(() => verifying)).Message.ShouldContain("That says nothing of the backup");
        NothingIsLeft(run);
    }

    [Fact]
    public async Task A_full_disk_under_the_scratch_server_is_told()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "mounts a small file system");
        Directory.CreateDirectory(parent);
        Assert.SkipUnless((await BackupScenario.Commands.RunAsync(new Command { Program = "mount", Arguments = ["-t", "tmpfs", "-o", "size=100m,mode=755", "tmpfs", parent] })).Succeeded, "may not mount here");
        try
        {
            var (run, environment, backup) = await BackedUpAsync(rows: 900_000);

            // As where somebody else fills the disk meanwhile: the check beforehand found enough.
            var failure = await Should.ThrowAsync<FailedCleanException>(() => VerifyAsync(run, environment, backup, freeBytes: _ => long.MaxValue));

            failure.What.ShouldContain("That says nothing of the backup");
            failure.Why.ShouldMatch("No space left on device|wrote only [0-9]+ of [0-9]+ bytes");
            run.Evidence.ReadAll().Accepted.ShouldNotContain(evidence => evidence.Kind == EvidenceKinds.BackupVerification);
            NothingIsLeft(run);
        }
        finally
        {
            (await BackupScenario.Commands.RunAsync(new Command { Program = "umount", Arguments = [parent] })).Succeeded.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Cancelling_a_verification_ends_everything_and_records_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "finds the process in /proc");
        var (run, environment, backup) = await BackedUpAsync(rows: 300_000);
        using var cancel = new CancellationTokenSource();

        var verifying = VerifyAsync(run, environment, backup, cancellation: cancel.Token);
        await ProcessesOn.UntilAsync(() => ProcessesOn.Folder(backup.Folder, "--jobs=").Count > 1, verifying);
        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => verifying);
        run.Evidence.ReadAll().Accepted.ShouldNotContain(evidence => evidence.Kind == EvidenceKinds.BackupVerification);
        NothingIsLeft(run);
    }

    private async Task<(RunContext Run, DatabaseEnvironment Environment, BackupReference Backup)> BackedUpAsync(int rows)
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, $"CREATE TABLE large AS SELECT i, md5(i::text) AS a, repeat('x', 60) AS b FROM generate_series(1, {rows}) i; CREATE INDEX ON large (a); CREATE INDEX ON large (b, a)");
        var run = RealServer.NewRun();
        var made = await BackupScenario.BackUpAsync(run, environment);
        await server.DropDatabaseAsync(environment);
        return (run, environment, made.Backup);
    }

    private Task<VerifiedBackup> VerifyAsync(RunContext run, DatabaseEnvironment environment, BackupReference backup, Func<string, long>? freeBytes = null, CancellationToken cancellation = default)
    {
        var commands = BackupScenario.Commands;
        var scratch = new ScratchDatabases(run, new ScratchServers(run, new ServerProvider(run, commands, new ServerBinaryProvider(run, commands)), parent), commands) { FreeBytes = freeBytes ?? DiskSpace.FreeBytes };
        return new VerifyBackupStep(run, environment, new BackupOptions { Jobs = 2 }, scratch, commands, new BackupScenario.SilentProgress()).RunAsync(backup, cancellation);
    }

    /// <summary>No scratch server, no process, no green record.</summary>
    private void NothingIsLeft(RunContext run)
    {
        Directory.EnumerateFileSystemEntries(parent).ShouldBeEmpty();
        ProcessesOn.Folder(parent).ShouldBeEmpty();
        ProcessesOn.Folder(run.Root).ShouldBeEmpty();
        run.Evidence.ReadAll().Accepted.ShouldNotContain(evidence => evidence.Kind == EvidenceKinds.BackupVerification && evidence.Green);
    }
}
