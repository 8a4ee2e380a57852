using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Backups;

/// <summary>Compares the files of a backup with its manifest: names, sizes, SHA-256. Each is read whole.</summary>
/// <param name="run">Its clock.</param>
/// <param name="view">Shows how far it is.</param>
internal sealed class BackupFiles(RunContext run, IProgressView view)
{
    private static readonly TimeSpan ShowEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Every difference.</summary>
    public async Task<IReadOnlyList<string>> DifferencesAsync(BackupReference backup, CancellationToken cancellation)
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
}
