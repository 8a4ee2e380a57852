using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Fills a copy from a backup, and believes it only when its content was compared with the manifest.</summary>
/// <param name="run">Journal and log.</param>
/// <param name="jobs">Sessions at once.</param>
public sealed class RestoredCopyCheck(RunContext run, int jobs)
{
    private const int MostDifferences = 50;

    /// <summary>Restores, analyses, compares.</summary>
    /// <returns>How long pg_restore took.</returns>
    /// <exception cref="FailedCleanException">pg_restore complained, or the content differs.</exception>
    public async Task<TimeSpan> FillAsync(BackupReference backup, DatabaseEnvironment copy, ArchiveRestore restore, CancellationToken cancellation)
    {
        var restored = await run.Journal.ActAsync("restore into the copy", new { backup.Folder }, () => restore.RunAsync(backup, copy, jobs, cancellation));
        if (!restored.Succeeded)
        {
            var exit = restored.ExitCode == 0 ? [] : new[] { string.Create(CultureInfo.InvariantCulture, $"pg_restore ended with exit code {restored.ExitCode}") };
            throw Unusable(backup, "could not be restored", [.. restored.Complaints, .. exit]);
        }

        // A restored database has no statistics, and its plans would collapse on the first busy minute.
        await run.Journal.ActAsync("analyse the copy", null, () => AnalyseAsync(copy, cancellation));
        var differences = await run.Journal.ActAsync("compare the copy with the backup's manifest", new { backup.ManifestSha256 }, () => CompareAsync(backup.Manifest, copy, cancellation));
        return differences.Count == 0 ? restored.Took : throw Unusable(backup, "is not what its manifest says", differences);
    }

    private static async Task<string> AnalyseAsync(DatabaseEnvironment copy, CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(copy, "aragora-analyse", settings: StableSettings.AtConnect, cancellation: cancellation);
        await StableSettings.ApplyAsync(session, TimeSpan.Zero, cancellation);
        await session.ExecuteAsync("ANALYZE", cancellation);
        return copy.Database.Database;
    }

    private async Task<IReadOnlyList<string>> CompareAsync(BackupManifest manifest, DatabaseEnvironment copy, CancellationToken cancellation)
    {
        // What belongs to the database itself is carried over from the live one, not from the backup.
        var differences = (await RestoredContent.CompareAsync(copy, manifest, jobs, withDatabase: false, cancellation)).Select(difference => difference.ToString()).ToList();
        var claimed = manifest.Revisions.Order(StringComparer.Ordinal).ToList();
        var found = (await DatabaseInspector.ReadAsync(copy, cancellation)).Revisions.Order(StringComparer.Ordinal).ToList();
        if (!found.SequenceEqual(claimed, StringComparer.Ordinal))
        {
            differences.Add($"its manifest says revision {claimed.Named()}, and the alembic_version that was restored holds {found.Named()}");
        }

        return differences;
    }

    private FailedCleanException Unusable(BackupReference backup, string what, IReadOnlyList<string> reasons) => new(
        $"{backup.Name} {what}; the live database was not touched.",
        run.Secrets.Apply(string.Join(Environment.NewLine, reasons.Take(MostDifferences).Select(reason => "- " + reason).Prepend(""))
            + (reasons.Count > MostDifferences ? string.Create(CultureInfo.InvariantCulture, $"{Environment.NewLine}- and {reasons.Count - MostDifferences} more") : "")),
        "name another backup with --backup; or go back with --strategy Downgrade");
}
