namespace Aragora.Runbook.Snapshots;

/// <summary>A snapshot that was seen to be there, as evidence.</summary>
/// <param name="Snapshot">Its name.</param>
/// <param name="Arn">Its name in the whole of AWS.</param>
/// <param name="Source">The instance or cluster that it is of.</param>
/// <param name="Engine">Engine and version.</param>
/// <param name="StorageGib">The size of its storage, GiB.</param>
/// <param name="IsEncrypted">Whether it is encrypted.</param>
/// <param name="TakenAt">When it was taken, as RDS says, UTC.</param>
/// <param name="ExpiresAt">From when on it may be pruned, UTC.</param>
/// <param name="WasFound">Whether an earlier run had begun or made it.</param>
public sealed record SnapshotFacts(string Snapshot, string Arn, string Source, string Engine, int StorageGib, bool IsEncrypted, DateTimeOffset? TakenAt, DateTimeOffset? ExpiresAt, bool WasFound);
