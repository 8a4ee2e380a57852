using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Backups;

/// <summary>The backups in a folder.</summary>
/// <param name="folder">The folder of all backups, absolute; it need not exist.</param>
/// <param name="run">Root, clock and log.</param>
public sealed class BackupCatalog(string folder, RunContext run)
{
    /// <summary>The name of the folder beside the backups that holds what was seen of them.</summary>
    public const string RecordsFolder = "evidence";

    /// <summary>Everything in the folder: whole backups, newest first; what is no usable one, with the reason; what is not finished.</summary>
    public BackupListing List()
    {
        var whole = new List<BackupReference>();
        var unusable = new List<UnusableBackup>();
        var partial = new List<string>();
        IEnumerable<string> folders = Directory.Exists(folder) ? Directory.EnumerateDirectories(folder) : [];
        foreach (var path in folders.Where(path => Path.GetFileName(path) != RecordsFolder).Order(StringComparer.Ordinal))
        {
            if (path.EndsWith(BackupFolder.PartialSuffix, StringComparison.Ordinal))
            {
                partial.Add(path);
                continue;
            }

            try
            {
                whole.Add(ManifestFile.Read(path));
            }
            catch (RefusedException refused)
            {
                unusable.Add(new UnusableBackup(path, refused.Why));
            }
        }

        return new BackupListing([.. whole.OrderByDescending(backup => backup.Manifest.MadeAt)], unusable, partial);
    }

    /// <summary>The newest whole backup of a database; null where there is none.</summary>
    public BackupReference? Newest(DatabaseIdentity database) => List().Backups.FirstOrDefault(backup => backup.Manifest.Database.IsSameDatabaseAs(database));

    /// <summary>The backup that a person named.</summary>
    /// <param name="nameOrPath">A folder's name in the folder of all backups, or a path; a relative one counts from the root of the checkout.</param>
    /// <param name="expected">The database it has to be of; null accepts any.</param>
    /// <exception cref="BadInputException">There is no such folder, or it lies outside of the folder of all backups and of the checkout.</exception>
    /// <exception cref="RefusedException">It is empty, unfinished, without a readable manifest, or of another database.</exception>
    public BackupReference Resolve(string nameOrPath, DatabaseIdentity? expected)
    {
        var path = Locate(nameOrPath);
        if (path.EndsWith(BackupFolder.PartialSuffix, StringComparison.Ordinal))
        {
            throw ManifestFile.Unusable(path, "it was never finished: the run that made it is still at work, or died");
        }

        if (!Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw ManifestFile.Unusable(path, "the folder is empty");
        }

        var backup = ManifestFile.Read(path);
        if (expected is not null && !backup.Manifest.Database.IsSameDatabaseAs(expected))
        {
            throw new RefusedException(
                $"{path} is a backup of another database.",
                $"it was taken from {backup.Manifest.Database}, and asked for is {expected}",
                Newest(expected) is { } fitting ? $"--backup {fitting.Name}   is the newest one of this database" : "./build.sh Backup   makes one of this database");
        }

        return backup;
    }

    /// <summary>Removes unfinished folders that nobody has written to for longer than <paramref name="age"/>.</summary>
    /// <returns>What was removed.</returns>
    public async Task<IReadOnlyList<string>> RemoveStalePartialsAsync(TimeSpan age)
    {
        var removed = new List<string>();
        foreach (var path in List().Partial)
        {
            if (LastWrite(path) is not { } last)
            {
                continue;
            }

            var idle = run.Clock.GetUtcNow() - last;
            if (idle <= age)
            {
                run.Log.Information("{Folder} is not finished: another run is at work, or died; it is removed when nobody has written to it for {Age}", path, ProgressSnapshot.Rough(age));
                continue;
            }

            await run.Journal.ActAsync("remove an unfinished backup", new { path, idle }, () =>
            {
                Directory.Delete(path, recursive: true);
                return Task.FromResult(path);
            });
            run.Log.Information("Removed {Folder}, which a run that died had left {Age} ago", path, ProgressSnapshot.Rough(idle));
            removed.Add(path);
        }

        return removed;
    }

    /// <summary>Null where another run has finished or removed it meanwhile.</summary>
    private static DateTimeOffset? LastWrite(string path)
    {
        try
        {
            return new DateTimeOffset(Directory.EnumerateFileSystemEntries(path, "*", SearchOption.AllDirectories).Select(File.GetLastWriteTimeUtc).Append(Directory.GetLastWriteTimeUtc(path)).Max(), TimeSpan.Zero);
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string Locate(string nameOrPath)
    {
        var given = nameOrPath.Trim();
        if (given.Length == 0 || given.Contains('\0', StringComparison.Ordinal))
        {
            throw new BadInputException("--backup names nothing.", "it is empty, or holds a zero byte", "give the name of a folder in " + folder);
        }

        var isName = given.AsSpan().IndexOfAny('/', '\\') < 0;
        var path = Path.TrimEndingDirectorySeparator(isName && given is not ("." or "..") ? Path.Combine(folder, given) : Path.GetFullPath(given, run.Root));

        // A link is followed first: what it points to has to be allowed as well.
        var target = Directory.Exists(path) && new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true) is { } link ? link.FullName : path;
        if (!IsBelow(target, folder) && !IsBelow(target, run.Root))
        {
            throw new BadInputException($"--backup {given} lies outside of where backups are.", $"it leads to {target}, which is neither below {folder} nor below the checkout", $"name its parent with --backup-directory, then the folder's name with --backup");
        }

        if (!Directory.Exists(path))
        {
            var there = List().Backups.Take(5).Select(backup => backup.Name).ToList();
            throw new BadInputException($"There is no backup {given}.", $"{path} does not exist", there.Count > 0 ? $"--backup {there[0]}   (there are: {string.Join(", ", there)})" : "./build.sh Backup   makes one");
        }

        return path;
    }

    private static bool IsBelow(string path, string parent) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(parent)) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

/// <summary>What is in a folder of backups.</summary>
/// <param name="Backups">Whole ones, newest first.</param>
/// <param name="Unusable">Folders that are no backup.</param>
/// <param name="Partial">Unfinished folders.</param>
public sealed record BackupListing(IReadOnlyList<BackupReference> Backups, IReadOnlyList<UnusableBackup> Unusable, IReadOnlyList<string> Partial);

/// <summary>A folder among the backups that is none.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Reason">Why.</param>
public sealed record UnusableBackup(string Folder, string Reason);
