using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Restores;

namespace Aragora.Runbook.Backups;

/// <summary>What a backup is, in its own <c>manifest.json</c>.</summary>
public sealed record BackupManifest
{
    /// <summary>The newest format that this code writes and reads.</summary>
    public const int CurrentFormat = 2;

    /// <summary>The format of this file.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>The environment that was dumped.</summary>
    public required TargetEnvironment Environment { get; init; }

    /// <summary>The database that was dumped, by what it is.</summary>
    public required DatabaseIdentity Database { get; init; }

    /// <summary>Its revisions, equal before and after the dump.</summary>
    public required IReadOnlyList<string> Revisions { get; init; }

    /// <summary>The stamp of its <c>alembic_version</c>, equal before and after the dump; null without that table.</summary>
    public string? RevisionStamp { get; init; }

    /// <summary>Size of the database on the server, bytes.</summary>
    public required long DatabaseBytes { get; init; }

    /// <summary>The server's version, such as 15.18.</summary>
    public required string ServerVersion { get; init; }

    /// <summary>The version of pg_dump, such as 15.18.</summary>
    public required string ClientVersion { get; init; }

    /// <summary>pg_dump's arguments.</summary>
    public required IReadOnlyList<string> PgDumpArguments { get; init; }

    /// <summary>When the dump began, UTC: what was committed later may be missing.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>How long the dump took.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>pg_dump's parallel jobs.</summary>
    public required int Jobs { get; init; }

    /// <summary>gzip's level, 0 for none.</summary>
    public required int CompressionLevel { get; init; }

    /// <summary>Tables whose rows are in the archive.</summary>
    public required int Tables { get; init; }

    /// <summary>Entries of the archive's table of contents.</summary>
    public required int ArchiveEntries { get; init; }

    /// <summary>Every file beside this one.</summary>
    public required IReadOnlyList<BackupFile> Files { get; init; }

    /// <summary>Size of all <see cref="Files"/>, bytes.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>The run that made it.</summary>
    public required string RunId { get; init; }

    /// <summary>Who made it.</summary>
    public required string Who { get; init; }

    /// <summary>The server's WAL position when the dump began, such as <c>0/15D6F48</c>.</summary>
    public string? WalPosition { get; init; }

    /// <summary>The exported snapshot that was dumped.</summary>
    public required string SnapshotId { get; init; }

    /// <summary>The server's clock when the snapshot was taken.</summary>
    public required DateTimeOffset SnapshotTakenAt { get; init; }

    /// <summary>What a server has to have for a restore.</summary>
    public required SourceShape Shape { get; init; }

    /// <summary>What the server had counted of writes just before the snapshot.</summary>
    public required WriteCounters Writes { get; init; }

    /// <summary>The content digest taken in the same snapshot.</summary>
    public required ContentDigest Digest { get; init; }

    /// <summary>The file with the cluster's roles, without passwords, relative to the folder; null where none was written.</summary>
    public string? GlobalsFile { get; init; }

    /// <summary>What the database said of itself when it was dumped.</summary>
    public DatabaseFacts DatabaseFacts() => new(Database, Revisions, RevisionStamp);

    /// <summary>The major version of the pg_dump that wrote the archive.</summary>
    public int ClientMajor() => int.TryParse(new string([.. ClientVersion.TakeWhile(char.IsAsciiDigit)]), out var major) ? major : 0;
}

/// <summary>One file of a backup.</summary>
/// <param name="Path">Relative to the backup's folder, with <c>/</c>.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Hexadecimal, lower case.</param>
public sealed record BackupFile(string Path, long Bytes, string Sha256);

/// <summary>A backup that is there, with the manifest as it is now.</summary>
/// <param name="Folder">Its folder, absolute.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="ManifestSha256">SHA-256 of <c>manifest.json</c>, hexadecimal.</param>
public sealed record BackupReference(string Folder, BackupManifest Manifest, string ManifestSha256)
{
    /// <summary>The folder's name.</summary>
    public string Name => Path.GetFileName(Folder);
}
