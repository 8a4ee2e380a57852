namespace Aragora.Runbook.Rollbacks;

/// <summary>A database that was exchanged for a restored copy, as evidence.</summary>
/// <param name="From">Revisions before.</param>
/// <param name="To">Revisions after, read from the database.</param>
/// <param name="Folder">The backup's folder, as in <see cref="Backups.BackupFacts"/>.</param>
/// <param name="ManifestSha256">SHA-256 of its manifest.</param>
/// <param name="BackupMadeAt">When the backup was made, UTC.</param>
/// <param name="RestoreTook">How long pg_restore took.</param>
/// <param name="Unavailable">From the fence to the exchange: how long nobody was let in.</param>
/// <param name="LostWrites">Writes since the backup, counted behind the fence; null where that was not known, and accepted.</param>
/// <param name="KeptDatabase">The name that the replaced database bears now.</param>
public sealed record RestoreFacts(
    IReadOnlyList<string> From,
    IReadOnlyList<string> To,
    string Folder,
    string ManifestSha256,
    DateTimeOffset BackupMadeAt,
    TimeSpan RestoreTook,
    TimeSpan Unavailable,
    long? LostWrites,
    string KeptDatabase)
{
    /// <summary>The application that was stopped and started around it; null where none was named.</summary>
    public Applications.ApplicationFacts? Application { get; init; }
}
