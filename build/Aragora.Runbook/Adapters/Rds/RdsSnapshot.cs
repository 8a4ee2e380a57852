namespace Aragora.Runbook.Adapters.Rds;

/// <summary>What a snapshot is of: an instance, or an Aurora cluster.</summary>
public enum SnapshotKind
{
    /// <summary>An instance of its own.</summary>
    Instance,

    /// <summary>An Aurora cluster, which is snapshotted as a whole.</summary>
    Cluster,
}

/// <summary>A snapshot, as RDS describes it.</summary>
public sealed record RdsSnapshot
{
    /// <summary>What it is of.</summary>
    public required SnapshotKind Kind { get; init; }

    /// <summary>Its name within account and region.</summary>
    public required string Identifier { get; init; }

    /// <summary>Its name in the whole of AWS.</summary>
    public required string Arn { get; init; }

    /// <summary>The name that the instance or cluster had when it was taken.</summary>
    public required string SourceIdentifier { get; init; }

    /// <summary>What that instance or cluster is whatever its name; null where RDS does not say.</summary>
    public string? SourceResourceId { get; init; }

    /// <summary>Such as <c>creating</c>, <c>available</c>, <c>deleting</c>, <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary><c>manual</c> for those that somebody asked for, <c>automated</c> for RDS's own.</summary>
    public required string Type { get; init; }

    /// <summary>Such as <c>postgres</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>Such as <c>15.8</c>.</summary>
    public required string EngineVersion { get; init; }

    /// <summary>The size of the storage that it is of, GiB; for Aurora what RDS says, often 0 or 1.</summary>
    public int StorageGib { get; init; }

    /// <summary>Whether it is encrypted.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>How much of it is made, percent.</summary>
    public int Percent { get; init; }

    /// <summary>When it was taken, UTC; null while RDS does not say, as in its beginning.</summary>
    public DateTimeOffset? TakenAt { get; init; }

    /// <summary>Its tags.</summary>
    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    /// <summary>Whether it is whole.</summary>
    public bool IsAvailable => Status == "available";

    /// <summary>Whether it is being made.</summary>
    public bool IsCreating => Status is "creating" or "pending";
}

/// <summary>How many manual snapshots there may be, and are.</summary>
/// <param name="Used">There are.</param>
/// <param name="Most">There may be.</param>
public sealed record SnapshotQuota(long Used, long Most);
