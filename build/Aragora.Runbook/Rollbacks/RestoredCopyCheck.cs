using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Fills a copy from a backup, and believes it only when its content was compared with the manifest.</summary>
/// <param name="run">Journal and log.</param>
/// <param name="jobs">Sessions at once.</param>
public sealed class RestoredCopyCheck(RunContext run, int jobs)
{
    private const int MostDifferences = 50;
    private static readonly string[] DiskWords = ["No space left on device", "Disk quota exceeded"];

    /// <summary>Restores, analyses, compares.</summary>
    /// <returns>How long pg_restore took.</returns>
    /// <exception cref="RefusedException">The role may not make what the backup needs.</exception>
    /// <exception cref="FailedCleanException">pg_restore complained, or the content differs.</exception>
    public async Task<TimeSpan> FillAsync(BackupReference backup, DatabaseEnvironment copy, ArchiveRestore restore, CancellationToken cancellation)
    {
        var preparation = new CopyPreparation(backup.Manifest.Shape, copy);
        var how = await run.Journal.ActAsync("give the copy what the backup needs", new { backup.Manifest.Shape.Extensions, backup.Manifest.Shape.Monetary }, () => preparation.FurnishAsync(cancellation));
        var restored = await run.Journal.ActAsync("restore into the copy", new { backup.Folder }, () => restore.RunAsync(backup, copy, jobs, cancellation, how));
        if (!restored.Succeeded)
        {
            string[] exit = restored.ExitCode == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"pg_restore ended with exit code {restored.ExitCode}")];
            if (restored.Complaints.Any(RestoreComplaints.IsOfTheTrial))
            {
                throw CutShort(backup, [.. restored.Complaints.OrderByDescending(RestoreComplaints.IsOfTheTrial), .. exit]);
            }

            var cause = await ReleaseConflict.FindAsync(restored.Complaints, backup.Manifest, copy, cancellation);
            throw Unusable(backup, cause is null ? "could not be restored" : $"could not be restored ({cause.What})", [.. restored.Complaints, .. exit]);
        }

        try
        {
            await preparation.ClearAsync(cancellation);
            await run.Journal.ActAsync("analyse the copy", null, () => new CopyStatistics(run, copy).GatherAsync(cancellation));
            var differences = await run.Journal.ActAsync("compare the copy with the backup's manifest", new { backup.ManifestSha256 }, () => CompareAsync(backup.Manifest, copy, cancellation));
            return differences.Count == 0 ? restored.Took : throw Unusable(backup, "is not what its manifest says", differences);
        }
        catch (PostgresException full) when (full.SqlState == PostgresErrorCodes.DiskFull)
        {
            throw CutShort(backup, [full.MessageText]);
        }
    }

    /// <summary>With the live database's settings, a connection to the copy must find the revision that the backup had: alembic and the application will look there.</summary>
    /// <exception cref="RefusedException">The search path leads elsewhere now.</exception>
    public static async Task RequireRevisionAsync(BackupReference backup, DatabaseEnvironment copy, CancellationToken cancellation)
    {
        var found = (await DatabaseInspector.ReadAsync(copy, cancellation)).Revisions;
        if (!found.Order(StringComparer.Ordinal).SequenceEqual(backup.Manifest.Revisions.Order(StringComparer.Ordinal), StringComparer.Ordinal))
        {
            throw new RefusedException(
                $"{backup.Name} is right, but with the live database's settings its alembic_version is not found: {found.Named()} instead of {backup.Manifest.Revisions.Named()}.",
                "search_path, set on the database or on this role, was changed since the backup was made; the live database was not touched",
                "set it back (ALTER DATABASE … SET search_path, or ALTER ROLE … IN DATABASE … SET search_path), then repeat the command");
        }
    }

    private async Task<IReadOnlyList<string>> CompareAsync(BackupManifest manifest, DatabaseEnvironment copy, CancellationToken cancellation)
    {
        // What belongs to the database itself is carried over from the live one, not from the backup.
        var differences = (await RestoredContent.CompareAsync(copy, manifest, jobs, withDatabase: false, cancellation)).Select(difference => difference.ToString()).ToList();
        return await RestoredContent.RevisionDifferenceAsync(copy, manifest, cancellation) is { } revision ? [.. differences, revision] : differences;
    }

    private FailedCleanException Unusable(BackupReference backup, string what, IReadOnlyList<string> reasons) =>
        new($"{backup.Name} {what}; the live database was not touched.", Listed(reasons), "name another backup with --backup; or go back with --strategy Downgrade");

    private FailedCleanException CutShort(BackupReference backup, IReadOnlyList<string> reasons) => new(
        $"The restore of {backup.Name} was cut short, which says nothing of the backup; the live database was not touched.",
        Listed(reasons),
        reasons.Any(reason => DiskWords.Any(word => reason.Contains(word, StringComparison.Ordinal))) ? "free disk on the server, then repeat the command" : "./build.sh Status, then repeat the command");

    private string Listed(IReadOnlyList<string> reasons) => run.Secrets.Apply(
        string.Join(Environment.NewLine, reasons.Take(MostDifferences).Select(reason => "- " + reason).Prepend(""))
        + (reasons.Count > MostDifferences ? string.Create(CultureInfo.InvariantCulture, $"{Environment.NewLine}- and {reasons.Count - MostDifferences} more") : ""));
}
