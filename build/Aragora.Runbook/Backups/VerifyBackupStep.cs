using System.Globalization;
using System.Text.Json;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Restores;
using Serilog.Events;

namespace Aragora.Runbook.Backups;

/// <summary>Proves a backup: every file against the manifest, then a restore into a scratch server, whose content is compared with the digest of the source.</summary>
/// <param name="run">The run.</param>
/// <param name="environment">The environment that the backup is of.</param>
/// <param name="options">Jobs, and where pg_restore is looked for.</param>
/// <param name="scratch">Where it is restored.</param>
/// <param name="commands">Starts pg_restore.</param>
/// <param name="progress">Shows how far it is; null chooses by where the output goes.</param>
public sealed class VerifyBackupStep(RunContext run, DatabaseEnvironment environment, BackupOptions options, ScratchDatabases scratch, ICommandRunner commands, IProgressView? progress = null)
{
    private const int MostDifferences = 25;
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);
    private readonly IProgressView view = progress ?? ProgressViews.For(run.Log, run.Clock);

    /// <summary>Verifies.</summary>
    /// <exception cref="RefusedException">It is of another environment or from the future, there is no fitting pg_restore, or evidence is signed and there is none of the dump.</exception>
    /// <exception cref="FailedCleanException">It is damaged or was edited: every difference is named, and a red record of it revokes older verifications; or the trial itself came to nothing.</exception>
    public async Task<VerifiedBackup> RunAsync(BackupReference backup, CancellationToken cancellation)
    {
        if (backup.Manifest.Environment != environment.Name)
        {
            throw new RefusedException($"{backup.Folder} is not a backup of {environment.DisplayName}.", $"its manifest says {backup.Manifest.Environment.ToString().ToLowerInvariant()}", "./build.sh Backup");
        }

        RefuseTheFuture(backup);
        var started = run.Clock.GetTimestamp();
        var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(commands, options.ClientFolders, cancellation), backup.Manifest.ClientMajor(), "the pg_dump that wrote this backup");
        var facts = new VerificationFacts(BackupLocation.Relative(backup.Folder, run.Root), backup.ManifestSha256, backup.Manifest.Files.Count, backup.Manifest.TotalBytes, backup.Manifest.ArchiveEntries, backup.Manifest.MadeAt);
        var differences = new List<string>();
        try
        {
            facts = await run.Journal.ActAsync("verify a backup", new { backup.Folder, backup.ManifestSha256 }, () => VerifyAsync(backup, facts, differences, client, cancellation));
        }
        catch (FailedCleanException failure) when (differences.Count > 0)
        {
            await run.RecordFailureAsync(EvidenceKinds.BackupVerification, environment, backup.Manifest.DatabaseFacts(), facts, run.Clock.GetElapsedTime(started), options.TreeHash, failure);
            throw;
        }

        // A backup does not get younger by being read back: the lifetime counts from the dump.
        var evidence = await run.RecordAsync(EvidenceKinds.BackupVerification, environment, backup.Manifest.DatabaseFacts(), facts, run.Clock.GetElapsedTime(started), options.TreeHash, cancellation, believedFrom: backup.Manifest.MadeAt);
        if (evidence.ExpiresAt <= run.Clock.GetUtcNow())
        {
            run.Log.Warning("{Folder} is whole, but no gate accepts it: it was dumped {Age} ago. ./build.sh Backup VerifyBackup --fresh makes a new one", facts.Folder, ProgressSnapshot.Rough(run.Clock.GetUtcNow() - backup.Manifest.MadeAt));
        }

        run.Log.Information(
            "Verified {Folder}: restored in {Took}, and {Rows} rows of {Tables} tables and the whole catalogue are as they were in the source",
            facts.Folder, ProgressSnapshot.Rough(facts.RestoreTook ?? TimeSpan.Zero), facts.RowsCompared, facts.TablesCompared);
        return new VerifiedBackup(backup, facts, evidence);
    }

    /// <summary>A verification is believed from the dump on: one that says it is yet to come would be believed for too long.</summary>
    private void RefuseTheFuture(BackupReference backup)
    {
        var now = run.Clock.GetUtcNow();
        if (backup.Manifest.MadeAt - now > ClockTolerance)
        {
            throw new RefusedException(
                $"{backup.Folder} says that it was made in the future ({backup.Manifest.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC; here it is {now.UtcDateTime:yyyy-MM-dd HH:mm} UTC).",
                "a clock is wrong, or was set back, or the manifest was edited by hand",
                "set the clock right; or ./build.sh Backup VerifyBackup --fresh   makes a new one");
        }
    }

    private async Task<VerificationFacts> VerifyAsync(BackupReference backup, VerificationFacts facts, List<string> differences, PostgresClient client, CancellationToken cancellation)
    {
        var edited = EditedSinceMade(backup, EvidenceOfDump(backup));

        // Started now, for it takes as long as the hashing.
        var starting = scratch.CreateAsync("verify", backup.Manifest.Shape, backup.Manifest.DatabaseBytes, environment.Name, cancellation);
        try
        {
            differences.AddRange([.. edited, .. await new BackupFilesCheck(new BackupFiles(run, view), client, commands).DifferencesAsync(backup, cancellation)]);
        }
        catch
        {
            await AbandonAsync(starting);
            throw;
        }

        if (differences.Count > 0)
        {
            await AbandonAsync(starting);
            throw await UnreliableAsync(backup, differences);
        }

        var database = await starting;
        TrialResult trial;
        try
        {
            run.Log.Information("Every file fits its manifest; restoring into {Server}", database.Description);
            trial = await new TrialRestore(run, client, options.Jobs, commands, view).RunAsync(backup, database, cancellation);
        }
        catch
        {
            await AbandonAsync(starting);
            throw;
        }

        differences.AddRange(trial.Differences);
        if (differences.Count > 0)
        {
            await AbandonAsync(starting);
            throw await UnreliableAsync(backup, differences, trial.Cause);
        }

        await database.DisposeAsync();
        return facts with
        {
            TablesCompared = backup.Manifest.Digest.Tables.Count,
            RowsCompared = backup.Manifest.Digest.Tables.Values.Sum(table => table.Rows),
            RestoreTook = trial.Took,
        };
    }

    private async Task<FailedCleanException> UnreliableAsync(BackupReference backup, List<string> differences, ReleaseConflict? cause = null)
    {
        var lines = differences.Select(difference => run.Secrets.Apply("- " + difference)).ToList();
        var file = Path.Combine(run.Folder, $"differences-{backup.Name}.txt");
        Directory.CreateDirectory(run.Folder);
        await File.WriteAllLinesAsync(file, lines, CancellationToken.None);
        return new FailedCleanException(
            cause is null
                ? $"The backup {backup.Folder} cannot be relied on: {differences.Count} difference{(differences.Count > 1 ? "s" : "")}."
                : $"The backup {backup.Folder} cannot be restored here: {cause.What}.",
            string.Join(Environment.NewLine, lines.Take(MostDifferences).Prepend(""))
                + (lines.Count > MostDifferences ? string.Create(CultureInfo.InvariantCulture, $"{Environment.NewLine}- and {lines.Count - MostDifferences} more: {file}") : ""),
            cause?.Next ?? "./build.sh Backup VerifyBackup --fresh   makes a new one; keep this one for whoever finds out what happened to it");
    }

    /// <summary>The scratch server is not needed any more; why it may not have come up does not matter.</summary>
    private async Task AbandonAsync(Task<ScratchDatabase> starting)
    {
        try
        {
            await (await starting).DisposeAsync();
        }
        catch (Exception unneeded)
        {
            // Whatever it is: the damage that was found must not be hidden behind it.
            run.Log.Write(starting.IsCompletedSuccessfully ? LogEventLevel.Warning : LogEventLevel.Debug, unneeded, "The scratch server that is not needed any more did not come up, or could not be erased; the next run does it");
        }
    }

    /// <summary>The records of the dump. Signed evidence must not grow from a manifest that anybody may have written.</summary>
    private List<DumpRecord> EvidenceOfDump(BackupReference backup)
    {
        var dumps = run.Evidence.ReadAll().Accepted
            .Where(evidence => evidence.Kind == EvidenceKinds.Backup && evidence.Green && evidence.RunId == backup.Manifest.RunId)
            .Select(DumpRecord.Of).OfType<DumpRecord>()
            .Where(dump => Path.GetFileName(dump.Facts.Folder) == backup.Name)
            .ToList();
        if (dumps.Count == 0 && run.Evidence.IsSigned)
        {
            throw new RefusedException(
                $"{backup.Folder} is not verified: there is no signed record of its dump.",
                "an evidence key was given, and a signed verification of a manifest that anybody may have written would prove nothing",
                "./build.sh Backup VerifyBackup --fresh   makes a new one; or name the folder that holds the dump's records with --evidence-directory");
        }

        if (dumps.Count == 0)
        {
            run.Log.Warning("No evidence of the dump was found for {Folder}: its manifest is taken at its word", backup.Folder);
        }

        return dumps;
    }

    /// <summary>The evidence of the dump holds the manifest's hash: where there is such evidence, an edited manifest shows.</summary>
    private static IEnumerable<string> EditedSinceMade(BackupReference backup, IReadOnlyList<DumpRecord> dumps) =>
        dumps.Where(dump => dump.Facts.ManifestSha256 != backup.ManifestSha256)
            .Select(dump => $"{ManifestFile.Name}: was edited since the backup was made (SHA-256 {Short(backup.ManifestSha256)}…, and {dump.Path} says {Short(dump.Facts.ManifestSha256)}…)");

    private static string Short(string hash) => hash[..Math.Min(12, hash.Length)];

    private sealed record DumpRecord(string? Path, BackupFacts Facts)
    {
        /// <summary>Null for a record whose facts are not those of a dump.</summary>
        public static DumpRecord? Of(Evidence evidence)
        {
            try
            {
                return evidence.FactsAs<BackupFacts>() is { Folder: not null, ManifestSha256: not null } facts ? new DumpRecord(evidence.Path, facts) : null;
            }
            catch (JsonException)
            {
                // Facts of another build: as good as no record.
                return null;
            }
        }
    }
}

/// <summary>A backup that was just verified.</summary>
/// <param name="Backup">The backup.</param>
/// <param name="Facts">What was compared.</param>
/// <param name="Evidence">The record of it.</param>
public sealed record VerifiedBackup(BackupReference Backup, VerificationFacts Facts, Evidence Evidence);
