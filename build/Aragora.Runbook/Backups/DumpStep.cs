using System.Globalization;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Backups;

/// <summary>Runs pg_dump in an exported snapshot into a folder that was reserved for it, with progress.</summary>
/// <param name="run">Log, clock, secrets.</param>
/// <param name="environment">The database.</param>
/// <param name="client">pg_dump.</param>
/// <param name="options">Jobs and compression.</param>
/// <param name="commands">Starts pg_dump, and ends it when we are cancelled.</param>
/// <param name="progress">Shows how far it is.</param>
public sealed class DumpStep(RunContext run, DatabaseEnvironment environment, PostgresClient client, BackupOptions options, ICommandRunner commands, IProgressView progress)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>The snapshot's session holds every lock already: who waits here waits behind DDL that waits for us, and would wait for ever.</summary>
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(2);

    /// <summary>pg_dump's name in <c>pg_stat_activity</c>.</summary>
    public string ApplicationName => $"aragora-backup-{run.RunId}";

    /// <summary>pg_dump's arguments; no secret is among them.</summary>
    public IReadOnlyList<string> Arguments(string folder, string snapshot) =>
    [
        "--format=directory",
        string.Create(CultureInfo.InvariantCulture, $"--jobs={options.Jobs}"),
        string.Create(CultureInfo.InvariantCulture, $"--compress={options.CompressionLevel}"),
        string.Create(CultureInfo.InvariantCulture, $"--lock-wait-timeout={LockWait.TotalMilliseconds:0}"),
        "--no-password",
        "--verbose",
        $"--file={folder}",
        $"--snapshot={snapshot}",
        $"--dbname={ClientEnvironment.DatabaseArgument(environment.Database)}",
    ];

    /// <summary>Dumps, once.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="snapshot">The exported snapshot; its session has to stay open.</param>
    /// <param name="tables">Receives how far it is.</param>
    /// <param name="cancellation">Ends pg_dump.</param>
    /// <exception cref="DumpFailedException">pg_dump failed; the folder is left as it is, for the caller to remove.</exception>
    public async Task<DumpResult> RunAsync(BackupFolder folder, string snapshot, DumpProgress tables, CancellationToken cancellation)
    {
        using var password = PasswordFile.For(environment.Database);
        var command = new Command
        {
            Program = client["pg_dump"],
            Arguments = Arguments(folder.Partial, snapshot),
            Environment = ClientEnvironment.For(environment.Database, password, ApplicationName),
        };
        run.Log.Debug("{Command}", command.ToString());
        var result = await ShownAsync(command, folder, tables, cancellation);
        if (result.Succeeded)
        {
            return new DumpResult(command.Arguments, result.Took);
        }

        throw new DumpFailedException(DumpFailure.Read(result, environment, folder.Partial), result.ExitCode);
    }

    private async Task<CommandResult> ShownAsync(Command command, BackupFolder folder, DumpProgress tables, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var showing = ShowAsync(folder, tables, over.Token);
        try
        {
            return await commands.RunAsync(command, (line, isError) => tables.OnLine(isError ? line : ""), cancellation);
        }
        finally
        {
            await over.CancelAsync();
            await showing;
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

    private static long BytesIn(string folder) => new DirectoryInfo(folder) is { Exists: true } there ? there.EnumerateFiles().Sum(file => file.Exists ? file.Length : 0) : 0;
}

/// <summary>A dump that succeeded.</summary>
/// <param name="Arguments">pg_dump's arguments.</param>
/// <param name="Took">How long it took.</param>
public sealed record DumpResult(IReadOnlyList<string> Arguments, TimeSpan Took);

/// <summary>A pg_dump that failed, for the step that knows whether another attempt makes sense.</summary>
/// <param name="failure">Why.</param>
/// <param name="exitCode">pg_dump's.</param>
public sealed class DumpFailedException(DumpFailure failure, int exitCode) : Exception(failure.Why)
{
    /// <summary>Why.</summary>
    public DumpFailure Failure { get; } = failure;

    /// <summary>pg_dump's.</summary>
    public int ExitCode { get; } = exitCode;
}
