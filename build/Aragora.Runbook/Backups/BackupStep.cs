using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Backups;

/// <summary>Dumps a database into a folder of its own, with a manifest, and records the evidence.</summary>
/// <remarks>Whatever happens, a folder without <c>.partial</c> at its end is a whole backup.</remarks>
public sealed class BackupStep
{
    private readonly RunContext run;
    private readonly DatabaseEnvironment environment;
    private readonly BackupOptions options;
    private readonly ICommandRunner commands;
    private readonly IProgressView progress;

    /// <summary>Prepares the step; nothing is touched before <see cref="RunAsync"/>.</summary>
    /// <param name="run">The run.</param>
    /// <param name="environment">The database to dump.</param>
    /// <param name="options">How.</param>
    /// <param name="commands">Starts pg_dump.</param>
    /// <param name="progress">Shows how far it is; null chooses by where the output goes.</param>
    /// <exception cref="BadInputException">An option lies outside its range.</exception>
    public BackupStep(RunContext run, DatabaseEnvironment environment, BackupOptions options, ICommandRunner commands, IProgressView? progress = null)
    {
        (this.run, this.environment, this.options, this.commands) = (run, environment, options.Validated(), commands);
        this.progress = progress ?? ProgressViews.For(run.Log, run.Clock);
        run.Secrets.Add(environment.Database.Password);
    }

    /// <summary>The file system's free bytes, for tests.</summary>
    internal Func<string, long> FreeBytes { get; init; } = DiskSpace.FreeBytes;

    private string Parent => options.FolderBelow(run.Root);

    /// <summary>Makes the backup.</summary>
    /// <exception cref="BadInputException">The database cannot be reached.</exception>
    /// <exception cref="RefusedException">No fitting pg_dump, too little disk, or the role may not read everything; nothing was written.</exception>
    /// <exception cref="FailedCleanException">pg_dump failed, or a migration ran meanwhile; what was written is removed.</exception>
    public async Task<MadeBackup> RunAsync(CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        var (source, client) = await CheckAsync(cancellation);
        run.Log.Information(
            "Backing up {Database}: {Size} in {Tables} tables, with pg_dump {Version} and {Jobs} jobs",
            source.Facts.Identity.DatabaseName, DataSize.Text(source.DatabaseBytes), source.Tables.Count, client.Version, options.Jobs);
        BackupReference? backup = null;
        var facts = await run.Journal.ActAsync(
            $"back up {environment.DisplayName}",
            new { database = source.Facts.Identity, source.Facts.Revisions, folder = Parent, client = client["pg_dump"] },
            async () =>
            {
                backup = await DumpAsync(source, client, cancellation);
                return new BackupFacts(BackupLocation.Relative(backup.Folder, run.Root), backup.ManifestSha256, source.DatabaseBytes, backup.Manifest.TotalBytes, backup.Manifest.Tables);
            });
        var evidence = await run.RecordAsync(EvidenceKinds.Backup, environment, source.Facts, facts, run.Clock.GetElapsedTime(started), options.TreeHash, cancellation);
        run.Log.Information(
            "Backed up into {Folder}: {Size} in {Files} files, {Took}",
            facts.Folder, DataSize.Text(facts.BackupBytes), backup!.Manifest.Files.Count, ProgressSnapshot.Rough(backup.Manifest.Took));
        return new MadeBackup(backup, evidence);
    }

    private async Task<(BackupSource Source, PostgresClient Client)> CheckAsync(CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-backup-check", cancellation: cancellation);
        var client = PostgresClients.Choose(
            await PostgresClients.FindAllAsync(commands, options.ClientFolders, cancellation), session.ServerVersion.Major, $"the {environment.DisplayName} server");
        var source = await BackupSource.ReadAsync(session, environment, cancellation);
        await BackupSource.CheckReadableAsync(session, environment, cancellation);

        // First: what a dead run left takes up the disk that is asked for.
        await new BackupCatalog(Parent, run).RemoveStalePartialsAsync(options.StalePartialAge);
        var needed = source.EstimateBackupBytes(options.CompressionLevel);
        var free = FreeBytes(Parent);
        if (free < needed)
        {
            throw new RefusedException(
                $"There is too little disk for the backup: about {DataSize.Text(needed)} needed, {DataSize.Text(free)} free in {Parent}.",
                $"the database has {DataSize.Text(source.DatabaseBytes)}, indexes included",
                "free space there (old backups are plain folders), or name another folder with --backup-directory");
        }

        return (source, client);
    }

    private async Task<BackupReference> DumpAsync(BackupSource source, PostgresClient client, CancellationToken cancellation)
    {
        var madeAt = run.Clock.GetUtcNow();
        var folder = Reserve(madeAt);
        try
        {
            var taken = await new SnapshotDump(run, environment, client, options, commands, progress).TakeAsync(folder, source, cancellation);
            await CheckUnmovedAsync(source, cancellation);

            // Not before: pg_dump wants its folder empty.
            await new GlobalsDump(run, environment, client, commands).RunAsync(Path.Combine(folder.Partial, GlobalsDump.FileName), cancellation);
            folder.MakeFilesPrivate();
            var manifest = await DescribeAsync(folder.Partial, source, client, taken, madeAt, cancellation);
            var hash = await ManifestFile.WriteAsync(folder.Partial, manifest, cancellation);
            await folder.PublishAsync(commands, cancellation);
            return new BackupReference(folder.Final, manifest, hash);
        }
        catch (Exception failure)
        {
            await folder.RemoveAsync(run.Clock);
            if (failure is OperationCanceledException)
            {
                run.Log.Warning("The backup was cancelled; the unfinished folder was removed and {Database} is untouched", source.Facts.Identity.DatabaseName);
            }

            throw;
        }
    }

    private BackupFolder Reserve(DateTimeOffset madeAt)
    {
        try
        {
            return BackupFolder.Reserve(Parent, environment.Database.Database, madeAt, run.RunId);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The backup folder {Parent} cannot be written.", failure.Message, "make it writable, or name another with --backup-directory", failure);
        }
    }

    /// <summary>The revisions in the manifest are those of the dump only if nothing moved from before it to after it.</summary>
    private async Task CheckUnmovedAsync(BackupSource source, CancellationToken cancellation)
    {
        var after = await DatabaseInspector.ReadAsync(environment, cancellation);
        if (!after.Identity.IsSameDatabaseAs(source.Facts.Identity) || after.RevisionStamp != source.Facts.RevisionStamp)
        {
            throw new FailedCleanException(
                "The database was migrated while it was backed up; the backup was removed.",
                $"it was at {Named(source.Facts.Revisions)} before the dump and is at {Named(after.Revisions)} after it",
                "./build.sh Status, and when the migration is over: ./build.sh Backup");
        }

        static string Named(IReadOnlyList<string> revisions) => revisions.Count == 0 ? "no revision" : string.Join(", ", revisions);
    }

    private async Task<BackupManifest> DescribeAsync(string folder, BackupSource source, PostgresClient client, TakenSnapshot taken, DateTimeOffset madeAt, CancellationToken cancellation)
    {
        var archive = new ArchiveReader(client, commands);
        var contents = await archive.ListAsync(folder, cancellation);
        if (contents.Complaint is { } complaint)
        {
            throw new FailedCleanException("pg_dump ended well, but its archive cannot be read; it was removed.", complaint, "./build.sh Backup");
        }

        var names = Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal).ToList();
        var read = await ArchiveFile.ReadAllAsync(folder, names, onRead: null, cancellation);
        return new BackupManifest
        {
            Environment = environment.Name,
            Database = source.Facts.Identity,
            Revisions = source.Facts.Revisions,
            RevisionStamp = source.Facts.RevisionStamp,
            DatabaseBytes = source.DatabaseBytes,
            ServerVersion = source.ServerVersion,
            ClientVersion = client.Version,
            PgDumpArguments = taken.Dump.Arguments,
            MadeAt = madeAt,
            Took = taken.Dump.Took,
            Jobs = options.Jobs,
            CompressionLevel = options.CompressionLevel,
            Tables = contents.Tables,
            ArchiveEntries = contents.Entries,
            Files = [.. names.Select(name => new BackupFile(name, read[name].Bytes, read[name].Sha256))],
            TotalBytes = read.Values.Sum(file => file.Bytes),
            RunId = run.RunId,
            Who = run.Who,
            WalPosition = taken.WalPosition,
            SnapshotId = taken.SnapshotId,
            SnapshotTakenAt = taken.At,
            GlobalsFile = GlobalsDump.FileName,
            Shape = source.Shape,
            Writes = source.Writes,
            Digest = taken.Digest.UnknownOptions() is { Count: > 0 } unknown ? taken.Digest.WithUnknownOptions(await archive.FindOptionsAsync(folder, unknown, cancellation)) : taken.Digest,
        };
    }
}

/// <summary>A backup that was just made.</summary>
/// <param name="Backup">The backup.</param>
/// <param name="Evidence">The record of it.</param>
public sealed record MadeBackup(BackupReference Backup, Evidence Evidence);

/// <summary>How evidence names a backup's folder: below the checkout relative to it, so that another job's checkout finds it.</summary>
public static class BackupLocation
{
    /// <summary>The folder as evidence holds it.</summary>
    public static string Relative(string folder, string root)
    {
        var relative = Path.GetRelativePath(root, folder);
        return Path.IsPathRooted(relative) || relative.Split(Path.DirectorySeparatorChar)[0] == ".." ? folder : relative.Replace('\\', '/');
    }

    /// <summary>The folder on this machine.</summary>
    public static string Absolute(string folder, string root) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder, root));
}
