using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class DumpFailureTests(RealServer server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_locked_table_names_the_session_that_holds_it_and_is_tried_again_a_bounded_number_of_times()
    {
        var environment = await BackupScenario.NewFilledAsync(server);
        await using var holder = await LockUsersAsync(environment);
        var run = RealServer.NewRun();

        var failure = await Should.ThrowAsync<FailedCleanException>(() => BackupScenario.BackUpAsync(
            run, environment, new BackupOptions { Jobs = 2, LockWaitTimeout = TimeSpan.FromMilliseconds(300), LockAttempts = 2, LockRetryPause = TimeSpan.Zero }));

        failure.What.ShouldContain("also at attempt 2");
        failure.Why.ShouldContain($"session {holder.ProcessId} (role {environment.Database.User}, application \"the culprit\", idle in transaction");
        failure.Why.ShouldContain("LOCK TABLE users");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lock_that_goes_away_only_delays_the_backup()
    {
        var environment = await BackupScenario.NewFilledAsync(server);
        await using var holder = await LockUsersAsync(environment);
        var log = new Lines();

        var backup = BackupScenario.BackUpAsync(
            RealServer.NewRun(new LoggerConfiguration().WriteTo.Sink(log).CreateLogger()), environment, new BackupOptions { Jobs = 2, LockWaitTimeout = TimeSpan.FromSeconds(1), LockAttempts = 10, LockRetryPause = TimeSpan.Zero });
        await UntilAsync(() => log.Rendered.Any(line => line.Contains("attempt 2 of 10 follows", StringComparison.Ordinal)), backup);
        await holder.ExecuteAsync("ROLLBACK", CancellationToken.None);

        (await backup).Backup.Manifest.Tables.ShouldBe(7);
        log.Rendered.ShouldContain(line => line.Contains($"session {holder.ProcessId}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Cancelling_ends_pg_dump_and_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        var progress = new RecordedProgress();
        var (run, backup, environment) = await InTheMiddleAsync(rows: 1_000_000, progress, cancel.Token);
        await UntilAsync(() => progress.Last is not null, backup);
        progress.Last!.What.ShouldBe("dumping production");
        progress.Last.Total.ShouldBe(8);
        BackupScenario.BackupsIn(run).Single().ShouldEndWith(".partial");
        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => backup);
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
        await UntilAsync(environment, $"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'aragora-backup-{run.RunId}')");
        File.ReadAllText(run.Journal.Path).ShouldContain("\"cancelled\"");
    }

    [Fact]
    public async Task A_killed_pg_dump_leaves_nothing_and_is_told_as_killed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "finds the process in /proc");
        var (run, backup, _) = await InTheMiddleAsync();
        foreach (var process in DumpsInto(run.Root))
        {
            process.Kill();
        }

        var failure = await Should.ThrowAsync<FailedCleanException>(() => backup);
        failure.What.ShouldContain("exit code 137");
        failure.Why.ShouldContain("signal 9");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_worker_killed_in_the_middle_of_the_rows_leaves_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "finds the process in /proc");
        var (run, backup, _) = await InTheMiddleAsync();
        DumpsInto(run.Root).MaxBy(process => process.Id)!.Kill();

        await Should.ThrowAsync<FailedCleanException>(() => backup);
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lost_connection_is_told_as_one()
    {
        var (run, backup, environment) = await InTheMiddleAsync();
        await RealServer.SqlAsync(environment, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aragora-backup-{run.RunId}'");

        (await Should.ThrowAsync<FailedCleanException>(() => backup)).Why.ShouldContain($"the connection to {environment.Database.Endpoint} was lost");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_full_disk_is_told_and_what_was_written_is_removed()
    {
        var run = RealServer.NewRun();
        var disk = Path.Combine(run.Root, "disk");
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "mounts a small file system");
        Assert.SkipUnless((await BackupScenario.Commands.RunAsync(new Command { Program = "mount", Arguments = ["-t", "tmpfs", "-o", "size=300k", "tmpfs", disk] })).Succeeded, "may not mount here");
        try
        {
            var step = new BackupStep(run, await BackupScenario.NewFilledAsync(server), new BackupOptions { Jobs = 2, Folder = Path.Combine(disk, "b") }, BackupScenario.Commands, new BackupScenario.SilentProgress()) { FreeBytes = _ => long.MaxValue };

            (await Should.ThrowAsync<FailedCleanException>(() => step.RunAsync(CancellationToken.None))).Why.ShouldContain("is full");

            Directory.EnumerateFileSystemEntries(Path.Combine(disk, "b")).ShouldBeEmpty();
        }
        finally
        {
            await BackupScenario.Commands.RunAsync(new Command { Program = "umount", Arguments = [disk] });
        }
    }

    [Fact]
    public async Task A_migration_during_the_dump_voids_the_backup()
    {
        var environment = await BackupScenario.NewFilledAsync(server);
        var run = RealServer.NewRun();
        var migrating = new AfterDump(() => RealServer.SqlAsync(environment, "UPDATE alembic_version SET version_num = '0011'"));

        var failure = await Should.ThrowAsync<FailedCleanException>(() => BackupScenario.BackUpAsync(run, environment, commands: migrating));

        failure.Why.ShouldContain("it was at 0010 before the dump and is at 0011 after it");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1, "pg_dump: error: query failed: ERROR:  permission denied for table t\npg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE", DumpFailureKind.Denied, "GRANT SELECT ON TABLE public.t TO \"u\";")]
    [InlineData(1, "pg_dump: error: query failed: ERROR:  permission denied for large object 16401", DumpFailureKind.Denied, "GRANT SELECT ON LARGE OBJECT 16401 TO \"u\";")]
    [InlineData(1, "pg_dump: error: query failed: ERROR:  permission denied for schema secret", DumpFailureKind.Denied, "GRANT USAGE ON SCHEMA secret TO \"u\";")]
    [InlineData(1, "pg_dump: error: query failed: ERROR:  query would be affected by row-level security policy for table \"rls\"", DumpFailureKind.Denied, "BYPASSRLS")]
    [InlineData(1, "pg_dump: error: could not obtain lock on relation \"public.t\"\nThis usually means that someone requested an ACCESS EXCLUSIVE lock", DumpFailureKind.Lock, "Preflight")]
    [InlineData(1, "pg_dump: error: could not write to output file: No space left on device", DumpFailureKind.DiskFull, "free space")]
    [InlineData(1, "pg_dump: error: a worker process died unexpectedly", DumpFailureKind.Killed, "dmesg")]
    [InlineData(137, "pg_dump: reading schemas", DumpFailureKind.Killed, "dmesg")]
    [InlineData(1, "pg_dump: error: something new", DumpFailureKind.Other, "Preflight")]
    public void The_last_words_of_pg_dump_are_understood(int exitCode, string error, DumpFailureKind kind, string next)
    {
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u@h/d", "X") };

        var failure = DumpFailure.Read(new CommandResult(exitCode, "", "pg_dump: dumping contents of table \"public.lock\"\n" + error + "\n", TimeSpan.Zero), environment, "/b");

        failure.Kind.ShouldBe(kind);
        failure.Next.ShouldContain(next);
    }

    /// <summary>A backup of a table that pg_dump is in the middle of.</summary>
    private async Task<(RunContext Run, Task Backup, DatabaseEnvironment Environment)> InTheMiddleAsync(int rows = 600_000, IProgressView? progress = null, CancellationToken cancellation = default)
    {
        var environment = await BackupScenario.NewFilledAsync(server);
        await RealServer.SqlAsync(environment, $"CREATE TABLE big AS SELECT md5(i::text) AS a, md5((-i)::text) AS b FROM generate_series(1, {rows}) i");
        var run = RealServer.NewRun();
        var backup = BackupScenario.BackUpAsync(run, environment, new BackupOptions { Jobs = 2, CompressionLevel = 9 }, progress, cancellation: cancellation);
        await UntilAsync(() => BackupScenario.BackupsIn(run).Any(folder => Directory.EnumerateFiles(folder).Any(file => new FileInfo(file).Length > 1_000_000)), backup);
        return (run, backup, environment);
    }

    private static async Task<PostgresSession> LockUsersAsync(DatabaseEnvironment environment)
    {
        var holder = await PostgresSession.OpenAsync(environment, "the culprit");
        await holder.ExecuteAsync("BEGIN", CancellationToken.None);
        await holder.ExecuteAsync("LOCK TABLE users IN ACCESS EXCLUSIVE MODE", CancellationToken.None);
        return holder;
    }

    private static async Task UntilAsync(DatabaseEnvironment environment, string sql)
    {
        // A session of its own: within a transaction pg_stat_activity stands still.
        await using var session = await PostgresSession.OpenAsync(environment, "tests");
        using var deadline = new CancellationTokenSource(Patience);
        while (!await session.ScalarAsync<bool>(sql, deadline.Token))
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    private static async Task UntilAsync(Func<bool> condition, Task meanwhile)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!condition() && !meanwhile.IsCompleted)
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    /// <summary>pg_dump and its workers that write below a folder, which no other test uses.</summary>
    private static IReadOnlyList<Process> DumpsInto(string root) =>
        [.. Process.GetProcessesByName("pg_dump").Where(process => Faults.ProcessesOn.Folder(root, "pg_dump").Contains(process.Id))];

    private sealed class Lines : ILogEventSink
    {
        private readonly ConcurrentQueue<string> rendered = new();

        public IEnumerable<string> Rendered => rendered;

        public void Emit(LogEvent logEvent) => rendered.Enqueue(logEvent.RenderMessage(CultureInfo.InvariantCulture));
    }

    private sealed class RecordedProgress : IProgressView
    {
        private volatile ProgressSnapshot? last;

        public ProgressSnapshot? Last => last;

        public void Report(ProgressSnapshot moment) => last = moment;

        public void Close()
        {
        }
    }

    private sealed class AfterDump(Func<Task> then) : ICommandRunner
    {
        public async Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            var result = await BackupScenario.Commands.RunAsync(command, onLine, cancellation);
            if (command.Arguments.Contains("--format=directory"))
            {
                await then();
            }

            return result;
        }
    }
}
