using System.Globalization;
using System.Security.Cryptography;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Backups;

/// <summary>Runs pg_dump into a folder that was reserved for it, with progress, and again where a lock was in the way.</summary>
/// <param name="run">Log, clock, secrets.</param>
/// <param name="environment">The database.</param>
/// <param name="client">pg_dump.</param>
/// <param name="options">Jobs, compression, patience, snapshot.</param>
/// <param name="commands">Starts pg_dump, and ends it when we are cancelled.</param>
/// <param name="progress">Shows how far it is.</param>
public sealed class DumpStep(RunContext run, DatabaseEnvironment environment, PostgresClient client, BackupOptions options, ICommandRunner commands, IProgressView progress)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>pg_dump's name in <c>pg_stat_activity</c>.</summary>
    public string ApplicationName => $"aragora-backup-{run.RunId}";

    /// <summary>pg_dump's arguments; no secret is among them.</summary>
    public IReadOnlyList<string> Arguments(string folder)
    {
        List<string> arguments =
        [
            "--format=directory",
            string.Create(CultureInfo.InvariantCulture, $"--jobs={options.Jobs}"),
            string.Create(CultureInfo.InvariantCulture, $"--compress={options.CompressionLevel}"),
            string.Create(CultureInfo.InvariantCulture, $"--lock-wait-timeout={options.LockWaitTimeout.TotalMilliseconds:0}"),
            "--no-password",
            "--verbose",
            $"--file={folder}",
        ];
        if (options.SnapshotId is { } snapshot)
        {
            arguments.Add($"--snapshot={snapshot}");
        }

        arguments.Add($"--dbname={ClientEnvironment.DatabaseArgument(environment.Database)}");
        return arguments;
    }

    /// <summary>Dumps.</summary>
    /// <exception cref="FailedCleanException">pg_dump failed; the folder is left as it is, for the caller to remove.</exception>
    public async Task<DumpResult> RunAsync(BackupFolder folder, BackupSource source, CancellationToken cancellation)
    {
        using var password = PasswordFile.For(environment.Database);
        var command = new Command
        {
            Program = client["pg_dump"],
            Arguments = Arguments(folder.Partial),
            Environment = ClientEnvironment.For(environment.Database, password, ApplicationName),
        };
        run.Log.Debug("{Command}", command.ToString());
        var tables = new DumpProgress(source.Tables, options.Jobs);
        for (var attempt = 1; ; attempt++)
        {
            var monitor = new DumpMonitor(run, environment, ApplicationName, tables);
            var result = await WatchedAsync(command, folder, tables, monitor, cancellation);
            if (result.Succeeded)
            {
                return new DumpResult(command.Arguments, result.Took, attempt);
            }

            var failure = DumpFailure.Read(result, environment, folder.Partial);
            var inTheWay = failure.Kind == DumpFailureKind.Lock ? await InTheWayAsync(monitor, cancellation) : "";
            if (failure.Kind != DumpFailureKind.Lock || attempt >= options.LockAttempts)
            {
                var attempts = attempt > 1 ? string.Create(CultureInfo.InvariantCulture, $", also at attempt {attempt}") : "";
                throw new FailedCleanException(
                    run.Secrets.Apply($"pg_dump of the {environment.DisplayName} database failed with exit code {result.ExitCode}{attempts}; the unfinished backup was removed."),
                    run.Secrets.Apply(inTheWay + failure.Why),
                    failure.Next);
            }

            var pause = options.LockRetryPause * (Math.Pow(2, attempt - 1) * (1 + (RandomNumberGenerator.GetInt32(1000) / 1000.0)));
            run.Log.Warning("pg_dump met a lock ({Sessions}); attempt {Next} of {Attempts} follows in {Pause}", run.Secrets.Apply(inTheWay.Trim()), attempt + 1, options.LockAttempts, ProgressSnapshot.Rough(pause));
            await Task.Delay(pause, run.Clock, cancellation);
            await folder.EmptyAsync(run.Clock);
            tables.Restart();
        }
    }

    private async Task<CommandResult> WatchedAsync(Command command, BackupFolder folder, DumpProgress tables, DumpMonitor monitor, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watching = monitor.WatchAsync(over.Token);
        var showing = ShowAsync(folder, tables, over.Token);
        try
        {
            return await commands.RunAsync(command, (line, isError) => tables.OnLine(isError ? line : ""), cancellation);
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(watching, showing);
            progress.Close();
        }
    }

    private async Task ShowAsync(BackupFolder folder, DumpProgress tables, CancellationToken over)
    {
        var started = run.Clock.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, run.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                progress.Report(tables.Snapshot($"dumping {environment.DisplayName}", BytesIn(folder.Partial), run.Clock.GetElapsedTime(started)));
            }
        }
        catch (OperationCanceledException)
        {
            // The dump is over.
        }
    }

    private static async Task<string> InTheWayAsync(DumpMonitor monitor, CancellationToken cancellation)
    {
        var sessions = monitor.Seen.Concat(await monitor.ExclusiveLocksAsync(cancellation)).DistinctBy(session => session.Pid).ToList();
        return sessions.Count == 0 ? "" : "in the way: " + string.Join("; ", sessions) + "\n";
    }

    private static long BytesIn(string folder) => new DirectoryInfo(folder) is { Exists: true } there ? there.EnumerateFiles().Sum(file => file.Exists ? file.Length : 0) : 0;
}

/// <summary>A dump that succeeded.</summary>
/// <param name="Arguments">pg_dump's arguments.</param>
/// <param name="Took">The successful attempt's duration.</param>
/// <param name="Attempts">How often it was started.</param>
public sealed record DumpResult(IReadOnlyList<string> Arguments, TimeSpan Took, int Attempts);
