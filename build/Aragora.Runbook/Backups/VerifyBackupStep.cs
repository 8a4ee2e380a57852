using System.Globalization;
using System.Text.Json;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Restores;
using Npgsql;

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
    private static readonly TimeSpan ShowEvery = TimeSpan.FromMilliseconds(500);
    private readonly IProgressView view = progress ?? ProgressViews.For(run.Log, run.Clock);

    /// <summary>Verifies.</summary>
    /// <exception cref="RefusedException">It is of another environment, there is no fitting pg_restore, or evidence is signed and there is none of the dump.</exception>
    /// <exception cref="FailedCleanException">It is damaged or was edited: every difference is named. A red record of it revokes older verifications.</exception>
    public async Task<VerifiedBackup> RunAsync(BackupReference backup, CancellationToken cancellation)
    {
        if (backup.Manifest.Environment != environment.Name)
        {
            throw new RefusedException($"{backup.Folder} is not a backup of {environment.DisplayName}.", $"its manifest says {backup.Manifest.Environment.ToString().ToLowerInvariant()}", "./build.sh Backup");
        }

        var started = run.Clock.GetTimestamp();
        var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(commands, options.ClientFolders, cancellation), backup.Manifest.ClientMajor(), "the pg_dump that wrote this backup");
        var dumps = EvidenceOfDump(backup);
        var facts = new VerificationFacts(BackupLocation.Relative(backup.Folder, run.Root), backup.ManifestSha256, backup.Manifest.Files.Count, backup.Manifest.TotalBytes, backup.Manifest.ArchiveEntries, backup.Manifest.MadeAt);
        try
        {
            facts = await run.Journal.ActAsync("verify a backup", new { backup.Folder, backup.ManifestSha256 }, () => VerifyAsync(backup, facts, dumps, client, cancellation));
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or RefusedException or BadInputException))
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

    private async Task<VerificationFacts> VerifyAsync(BackupReference backup, VerificationFacts facts, IReadOnlyList<DumpRecord> dumps, PostgresClient client, CancellationToken cancellation)
    {
        // Started now, for it takes as long as the hashing.
        var starting = scratch.CreateAsync("verify", backup.Manifest.Shape, backup.Manifest.DatabaseBytes, environment.Name, cancellation);
        List<string> differences;
        try
        {
            differences = [.. EditedSinceMade(backup, dumps), .. await CompareFilesAsync(backup, cancellation)];
            if (differences.Count == 0)
            {
                differences.AddRange(await CompareContentsAsync(backup, client, cancellation));
            }
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

        await using var database = await starting;
        run.Log.Information("Every file fits its manifest; restoring into {Server}", database.Description);
        var restored = await new ArchiveRestore(run, client, commands, view).RunAsync(backup, database.Environment, options.Jobs, cancellation, database.Restore);
        differences.AddRange(restored.Complaints);
        if (restored.ExitCode != 0)
        {
            differences.Add(string.Create(CultureInfo.InvariantCulture, $"pg_restore ended with exit code {restored.ExitCode}{(restored.ExitCode > 128 ? $" (signal {restored.ExitCode - 128})" : "")}"));
        }

        differences.AddRange(await CompareRestoredAsync(backup.Manifest with { Digest = database.Expected(backup.Manifest.Digest) }, database.Environment, cancellation));
        if (differences.Count > 0)
        {
            throw await UnreliableAsync(backup, differences);
        }

        return facts with
        {
            TablesCompared = backup.Manifest.Digest.Tables.Count,
            RowsCompared = backup.Manifest.Digest.Tables.Values.Sum(table => table.Rows),
            RestoreTook = restored.Took,
        };
    }

    private async Task<FailedCleanException> UnreliableAsync(BackupReference backup, List<string> differences)
    {
        var lines = differences.Select(difference => run.Secrets.Apply("- " + difference)).ToList();
        var file = Path.Combine(run.Folder, $"differences-{backup.Name}.txt");
        Directory.CreateDirectory(run.Folder);
        await File.WriteAllLinesAsync(file, lines, CancellationToken.None);
        return new FailedCleanException(
            $"The backup {backup.Folder} cannot be relied on: {differences.Count} difference{(differences.Count > 1 ? "s" : "")}.",
            string.Join(Environment.NewLine, lines.Take(MostDifferences).Prepend(""))
                + (lines.Count > MostDifferences ? string.Create(CultureInfo.InvariantCulture, $"{Environment.NewLine}- and {lines.Count - MostDifferences} more: {file}") : ""),
            "./build.sh Backup VerifyBackup --fresh   makes a new one; keep this one for whoever finds out what happened to it");
    }

    /// <summary>The scratch server is not needed after all; why it may not have come up does not matter any more.</summary>
    private async Task AbandonAsync(Task<ScratchDatabase> starting)
    {
        try
        {
            await (await starting).DisposeAsync();
        }
        catch (Exception unneeded) when (unneeded is RunbookException or OperationCanceledException)
        {
            run.Log.Debug(unneeded, "The scratch server that was not needed did not come up");
        }
    }

    private async Task<IReadOnlyList<string>> CompareRestoredAsync(BackupManifest manifest, DatabaseEnvironment restored, CancellationToken cancellation)
    {
        try
        {
            var differences = (await RestoredContent.CompareAsync(restored, manifest, options.Jobs, withDatabase: false, cancellation)).Select(difference => difference.ToString()).ToList();
            var revisions = await RestoredContent.RevisionsAsync(restored, cancellation);
            var claimed = manifest.Revisions.Order(StringComparer.Ordinal).ToList();
            if (revisions.Count == 0 ? claimed.Count > 0 : !revisions.Any(found => found.SequenceEqual(claimed, StringComparer.Ordinal)))
            {
                differences.Add($"{ManifestFile.Name}: says revision {Named(claimed)}, and the alembic_version that was restored holds {(revisions.Count == 0 ? "nothing" : string.Join(" / ", revisions.Select(Named)))}");
            }

            return differences;
        }
        catch (Exception unreadable) when (unreadable is RunbookException or NpgsqlException)
        {
            return [$"the restored database could not be compared: {unreadable.Message}"];
        }

        static string Named(IReadOnlyList<string> found) => found.Count == 0 ? "none" : string.Join(", ", found);
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

    private async Task<IReadOnlyList<string>> CompareFilesAsync(BackupReference backup, CancellationToken cancellation)
    {
        var expected = backup.Manifest.Files.GroupBy(file => file.Path, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last(), StringComparer.Ordinal);
        var entries = new DirectoryInfo(backup.Folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Where(entry => entry is FileInfo || entry.LinkTarget is not null || !entry.Attributes.HasFlag(FileAttributes.Directory))
            .ToDictionary(entry => Path.GetRelativePath(backup.Folder, entry.FullName).Replace(Path.DirectorySeparatorChar, '/'), StringComparer.Ordinal);
        entries.Remove(ManifestFile.Name);
        var differences = new List<string>();
        differences.AddRange(expected.Keys.Except(entries.Keys, StringComparer.Ordinal).Select(path => $"{path}: is missing"));
        differences.AddRange(entries.Keys.Except(expected.Keys, StringComparer.Ordinal).Select(path => $"{path}: is not in the manifest"));
        differences.AddRange(entries.Where(entry => entry.Value.LinkTarget is not null && expected.ContainsKey(entry.Key)).Select(entry => $"{entry.Key}: is a link to {entry.Value.LinkTarget}"));

        var toRead = expected.Keys.Where(path => entries.TryGetValue(path, out var entry) && entry.LinkTarget is null).ToList();
        var read = await ReadFilesAsync(backup, toRead, cancellation);
        foreach (var (path, file) in read.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            if (file.Bytes != expected[path].Bytes)
            {
                differences.Add($"{path}: has {file.Bytes} bytes, the manifest says {expected[path].Bytes}");
            }
            else if (file.Sha256 != expected[path].Sha256)
            {
                differences.Add($"{path}: its content was changed (SHA-256 {file.Sha256[..Math.Min(12, file.Sha256.Length)]}…, the manifest says {expected[path].Sha256[..Math.Min(12, expected[path].Sha256.Length)]}…)");
            }
        }

        if (backup.Manifest.TotalBytes != backup.Manifest.Files.Sum(file => file.Bytes))
        {
            differences.Add($"{ManifestFile.Name}: says {backup.Manifest.TotalBytes} bytes in all, and its files add up to {backup.Manifest.Files.Sum(file => file.Bytes)}");
        }

        return differences;
    }

    private async Task<IReadOnlyDictionary<string, ArchiveFile>> ReadFilesAsync(BackupReference backup, List<string> paths, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        var gate = new Lock();
        var (bytes, files, shownAt) = (0L, 0, started);
        try
        {
            return await ArchiveFile.ReadAllAsync(backup.Folder, paths, OnRead, cancellation);
        }
        finally
        {
            view.Close();
        }

        void OnRead(long more, bool isFileDone)
        {
            lock (gate)
            {
                bytes += more;
                files += isFileDone ? 1 : 0;
                if (run.Clock.GetElapsedTime(shownAt) >= ShowEvery)
                {
                    shownAt = run.Clock.GetTimestamp();
                    var elapsed = run.Clock.GetElapsedTime(started);
                    var share = (double)bytes / Math.Max(1, backup.Manifest.TotalBytes);
                    view.Report(new ProgressSnapshot("reading the backup", files, paths.Count, "files", bytes, elapsed, share is > 0.05 and < 1 ? elapsed * ((1 - share) / share) : null));
                }
            }
        }
    }

    private async Task<IReadOnlyList<string>> CompareContentsAsync(BackupReference backup, PostgresClient client, CancellationToken cancellation)
    {
        var manifest = backup.Manifest;
        var contents = await new ArchiveReader(client, commands).ListAsync(backup.Folder, cancellation);
        if (contents.Complaint is { } unreadable)
        {
            return [unreadable];
        }

        var differences = new List<string>();
        if (contents.Tables != manifest.Tables || contents.Entries != manifest.ArchiveEntries)
        {
            differences.Add($"toc.dat: lists {contents.Entries} entries and {contents.Tables} tables, the manifest says {manifest.ArchiveEntries} and {manifest.Tables}");
        }

        if (contents.DatabaseName is { } name && name != manifest.Database.DatabaseName.Replace('\n', ' ').Replace('\r', ' '))
        {
            differences.Add($"toc.dat: is a dump of the database {name}, the manifest says {manifest.Database.DatabaseName}");
        }

        return differences;
    }

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
