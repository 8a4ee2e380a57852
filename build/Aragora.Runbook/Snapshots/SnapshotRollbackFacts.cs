namespace Aragora.Runbook.Snapshots;

/// <summary>A restored and checked instance, as evidence.</summary>
/// <param name="Snapshot">The snapshot.</param>
/// <param name="Instance">The restored instance, by the name it has at the moment of the record.</param>
/// <param name="Endpoint">Where it is reached.</param>
/// <param name="Revisions">Its revision, read from it.</param>
/// <param name="Tables">How many tables were seen.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Differences">Settings in which it differs from its original; empty for none.</param>
public sealed record SnapshotRestoreFacts(string Snapshot, string Instance, string Endpoint, IReadOnlyList<string> Revisions, int Tables, long Rows, IReadOnlyList<string> Differences);

/// <summary>An instance that took its original's name, as evidence.</summary>
/// <param name="From">Revisions before; null where the original could not be read, or had given its name up already.</param>
/// <param name="To">Revisions after, read through the database URL.</param>
/// <param name="Snapshot">The snapshot.</param>
/// <param name="SnapshotTakenAt">When it was taken, UTC.</param>
/// <param name="LostWrites">Writes since the snapshot at most; null where that was not known, and accepted, or where another run has counted them.</param>
/// <param name="Unavailable">From the first rename to the restored database answering at the URL; null where another run had begun, or the answer to the rename was lost: nobody has measured it then.</param>
/// <param name="KeptInstance">The name that the original bears now.</param>
public sealed record SnapshotRollbackFacts(IReadOnlyList<string>? From, IReadOnlyList<string> To, string Snapshot, DateTimeOffset? SnapshotTakenAt, long? LostWrites, TimeSpan? Unavailable, string KeptInstance)
{
    /// <summary>Whether an earlier run had done all of it: this one only looked.</summary>
    public bool WasOver { get; init; }
}

/// <summary>What a rollback by snapshot came to.</summary>
/// <param name="Restored">What was restored and checked.</param>
/// <param name="Switched">The exchange of names; null where nothing was moved.</param>
public sealed record SnapshotRollbackResult(SnapshotRestoreFacts Restored, SnapshotRollbackFacts? Switched);
