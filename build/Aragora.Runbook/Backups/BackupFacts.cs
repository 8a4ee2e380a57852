namespace Aragora.Runbook.Backups;

/// <summary>A backup that was written, as evidence.</summary>
/// <param name="Folder">Its folder, relative to the root of the checkout where it lies below it, else absolute.</param>
/// <param name="ManifestSha256">SHA-256 of its <c>manifest.json</c>, hexadecimal.</param>
/// <param name="DatabaseBytes">Size of the database on the server, bytes.</param>
/// <param name="BackupBytes">Size of all files, bytes.</param>
/// <param name="Tables">Tables dumped.</param>
public sealed record BackupFacts(string Folder, string ManifestSha256, long DatabaseBytes, long BackupBytes, int Tables);

/// <summary>A backup that was restored and compared with its source's digest, as evidence.</summary>
/// <param name="Folder">Its folder, as in <see cref="BackupFacts"/>.</param>
/// <param name="ManifestSha256">SHA-256 of the manifest it was checked against.</param>
/// <param name="Files">Files whose SHA-256 was compared.</param>
/// <param name="Bytes">Bytes that were hashed.</param>
/// <param name="ArchiveEntries">Entries of the archive's table of contents.</param>
/// <param name="BackupMadeAt">When the backup was made, UTC.</param>
/// <param name="TablesCompared">Tables whose rows were compared.</param>
/// <param name="RowsCompared">Rows in them.</param>
/// <param name="RestoreTook">How long the restore took; null where it did not end well.</param>
public sealed record VerificationFacts(string Folder, string ManifestSha256, int Files, long Bytes, int ArchiveEntries, DateTimeOffset BackupMadeAt, int TablesCompared = 0, long RowsCompared = 0, TimeSpan? RestoreTook = null);
