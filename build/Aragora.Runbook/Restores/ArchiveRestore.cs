using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Restores;

/// <summary>Runs pg_restore into an empty database, in parallel, and keeps every complaint.</summary>
/// <param name="run">Log, clock, secrets.</param>
/// <param name="client">pg_restore, not older than the pg_dump that wrote the archive.</param>
/// <param name="commands">Starts pg_restore, and ends it when we are cancelled.</param>
/// <param name="progress">Shows how far it is.</param>
public sealed class ArchiveRestore(RunContext run, PostgresClient client, ICommandRunner commands, IProgressView progress)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>pg_restore's name in <c>pg_stat_activity</c>.</summary>
    public string ApplicationName => $"aragora-restore-{run.RunId}";

    /// <summary>pg_restore's arguments; no secret is among them. Without <c>--verbose</c>, every word that it says is a complaint.</summary>
    /// <param name="folder">The archive.</param>
    /// <param name="into">The empty database.</param>
    /// <param name="jobs">Sessions that restore at once.</param>
    /// <param name="how">What is left out; null for nothing.</param>
    /// <param name="list">The table of contents to follow; null for the archive's own.</param>
    public static IReadOnlyList<string> Arguments(string folder, DatabaseEnvironment into, int jobs, RestoreSelection? how = null, string? list = null) =>
    [
        "--format=directory",
        .. how is { WithoutTablespaces: true } ? ["--no-tablespaces"] : Array.Empty<string>(),
        .. list is null ? Array.Empty<string>() : [$"--use-list={list}"],
        string.Create(CultureInfo.InvariantCulture, $"--jobs={jobs}"),
        "--no-password",
        $"--dbname={ClientEnvironment.DatabaseArgument(into.Database)}",
        folder,
    ];

    /// <summary>Restores. A failure is a result, not an exception: the caller knows what it means.</summary>
    /// <param name="backup">What to restore.</param>
    /// <param name="into">The empty database.</param>
    /// <param name="jobs">Sessions that restore at once.</param>
    /// <param name="cancellation">Ends pg_restore; what it restored so far stays.</param>
    /// <param name="how">What is left out; null for nothing.</param>
    public async Task<ArchiveRestoreResult> RunAsync(BackupReference backup, DatabaseEnvironment into, int jobs, CancellationToken cancellation, RestoreSelection? how = null)
    {
        await EmptyDatabase.PrepareAsync(into, backup.Manifest.Digest, cancellation);
        using var password = PasswordFile.For(into.Database);
        using var passes = await RestorePasses.PlanAsync(backup.Folder, how?.LeftOut ?? [], client, commands, cancellation);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var showing = ShowAsync(backup.Manifest, into, over.Token);
        try
        {
            var results = new List<CommandResult>();
            foreach (var pass in passes.All)
            {
                var command = new Command
                {
                    Program = client["pg_restore"],
                    Arguments = Arguments(backup.Folder, into, pass.IsSerial ? 1 : jobs, how, pass.List),
                    Environment = ClientEnvironment.For(into.Database, password, ApplicationName),
                };
                run.Log.Debug("{Command}", command.ToString());
                results.Add(await commands.RunAsync(command, cancellation: cancellation));
            }

            return new ArchiveRestoreResult(
                results.Aggregate(TimeSpan.Zero, (sum, result) => sum + result.Took),
                results.FirstOrDefault(result => !result.Succeeded)?.ExitCode ?? 0,
                [.. results.SelectMany(result => RestoreComplaints.Of(result.Error))]);
        }
        finally
        {
            await over.CancelAsync();
            await showing;
            progress.Close();
        }
    }

    private async Task ShowAsync(BackupManifest manifest, DatabaseEnvironment into, CancellationToken over)
    {
        var started = run.Clock.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, run.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                await using var session = await PostgresSession.OpenAsync(into, "aragora-restore-progress", cancellation: over);
                var bytes = await session.ScalarAsync<long>("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())", over);
                // A source with bloat is larger than its copy will be: it is an estimate.
                progress.Report(new ProgressSnapshot("restoring", Math.Min(99, 100 * bytes / Math.Max(1, manifest.DatabaseBytes)), 100, "%", bytes, run.Clock.GetElapsedTime(started)));
            }
        }
        catch (OperationCanceledException)
        {
            // The restore is over.
        }
        catch (Exception unreachable) when (unreachable is RunbookException or NpgsqlException)
        {
            run.Log.Debug(unreachable, "The restore goes on without showing its progress");
        }
    }
}

/// <summary>What became of a restore.</summary>
/// <param name="Took">How long it took.</param>
/// <param name="ExitCode">pg_restore's.</param>
/// <param name="Complaints">What it said, line by line: errors and warnings, each with the entry it is about, without rows and statements. There may be thousands.</param>
public sealed record ArchiveRestoreResult(TimeSpan Took, int ExitCode, IReadOnlyList<string> Complaints)
{
    /// <summary>Whether it ended with 0 and without a word.</summary>
    public bool Succeeded => ExitCode == 0 && Complaints.Count == 0;
}
