using Aragora.Runbook.Adapters.Processes;

namespace Aragora.Runbook.Backups;

/// <summary>Compares the files of a backup with its manifest: names, sizes, SHA-256, and the archive's table of contents.</summary>
/// <param name="files">Names, sizes and SHA-256.</param>
/// <param name="client">pg_restore.</param>
/// <param name="commands">Starts it.</param>
internal sealed class BackupFilesCheck(BackupFiles files, PostgresClient client, ICommandRunner commands)
{
    /// <summary>Every difference; the table of contents is read only where the files are right: pg_restore may crash on damage, and says less about it.</summary>
    public async Task<IReadOnlyList<string>> DifferencesAsync(BackupReference backup, CancellationToken cancellation)
    {
        var differences = await files.DifferencesAsync(backup, cancellation);
        return differences.Count > 0 ? differences : await CompareContentsAsync(backup, cancellation);
    }

    private async Task<IReadOnlyList<string>> CompareContentsAsync(BackupReference backup, CancellationToken cancellation)
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
}
