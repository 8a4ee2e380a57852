using System.Globalization;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Restores;

/// <summary>Restores a backup into a scratch database, and compares what came back with the manifest.</summary>
/// <param name="run">Log, clock, secrets.</param>
/// <param name="client">pg_restore.</param>
/// <param name="jobs">Sessions that restore, and then read, at once.</param>
/// <param name="commands">Starts pg_restore.</param>
/// <param name="view">Shows how far it is.</param>
internal sealed class TrialRestore(RunContext run, PostgresClient client, int jobs, ICommandRunner commands, IProgressView view)
{
    /// <summary>Tries it.</summary>
    /// <exception cref="FailedCleanException">The trial itself came to nothing (the scratch server died, its disk is full, pg_restore was killed): that says nothing of the backup.</exception>
    public async Task<TrialResult> RunAsync(BackupReference backup, ScratchDatabase database, CancellationToken cancellation)
    {
        try
        {
            var restored = await new ArchiveRestore(run, client, commands, view).RunAsync(backup, database.Environment, jobs, cancellation, database.Restore);
            if (restored.ExitCode > 128 || restored.Complaints.Any(RestoreComplaints.IsOfTheTrial) || IsWorkerKilled(restored))
            {
                throw CameToNothing(backup, [.. restored.Complaints, Exit(restored.ExitCode)], null);
            }

            var manifest = backup.Manifest with { Digest = database.Expected(backup.Manifest.Digest) };
            string[] exit = restored.ExitCode == 0 ? [] : [Exit(restored.ExitCode)];
            var differences = await CompareAsync(manifest, database.Environment, cancellation);
            return new TrialResult(restored.Took, [.. restored.Complaints, .. exit, .. differences]) { Cause = await ReleaseConflict.FindAsync(restored.Complaints, manifest, database.Environment, cancellation) };
        }
        catch (Exception broken) when (broken is BadInputException or NpgsqlException and not PostgresException || broken is PostgresException { SqlState: var state } && (state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("57P", StringComparison.Ordinal)))
        {
            throw CameToNothing(backup, [broken.Message], broken);
        }
    }

    private async Task<IReadOnlyList<string>> CompareAsync(BackupManifest manifest, DatabaseEnvironment restored, CancellationToken cancellation)
    {
        var differences = (await RestoredContent.CompareAsync(restored, manifest, jobs, withDatabase: false, cancellation)).Select(difference => difference.ToString()).ToList();
        return await RestoredContent.RevisionDifferenceAsync(restored, manifest, cancellation) is { } revision ? [.. differences, revision] : differences;
    }

    private FailedCleanException CameToNothing(BackupReference backup, IReadOnlyList<string> reasons, Exception? cause) => new(
        $"The backup {backup.Folder} could not be verified: its restore was cut short. That says nothing of the backup.",
        run.Secrets.Apply(string.Join(Environment.NewLine, reasons.OrderByDescending(RestoreComplaints.IsOfTheTrial).Take(10).Select(reason => "- " + reason).Prepend(""))),
        $"./build.sh VerifyBackup --backup {backup.Name}   tries again (first free disk or memory, if that was the cause)",
        cause);

    private static string Exit(int code) => string.Create(CultureInfo.InvariantCulture, $"pg_restore ended with exit code {code}{(code > 128 ? $" (signal {code - 128})" : "")}");

    /// <summary>A worker that gives up over damage says why before; one that was killed cannot.</summary>
    private static bool IsWorkerKilled(ArchiveRestoreResult restored) =>
        restored.Complaints.Count > 0 && restored.Complaints.All(line => line.Contains("worker process died", StringComparison.Ordinal));
}

/// <summary>What a trial came to.</summary>
/// <param name="Took">How long the restore took.</param>
/// <param name="Differences">What pg_restore complained of, and every difference; none where the backup is right.</param>
internal sealed record TrialResult(TimeSpan Took, IReadOnlyList<string> Differences)
{
    /// <summary>The cause of all this, where it lies in the programs and not in the backup's data; null where it is not known.</summary>
    public ReleaseConflict? Cause { get; init; }
}
