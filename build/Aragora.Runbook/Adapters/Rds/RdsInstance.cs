namespace Aragora.Runbook.Adapters.Rds;

/// <summary>An instance, as RDS describes it.</summary>
public sealed record RdsInstance
{
    /// <summary>The status of an instance that lets people in.</summary>
    public const string Available = "available";

    /// <summary>Its name within account and region; a rename changes it.</summary>
    public required string Identifier { get; init; }

    /// <summary>Its name in the whole of AWS; a rename changes it as well.</summary>
    public required string Arn { get; init; }

    /// <summary>What it is whatever its name, such as <c>db-ABCDEFGHIJKL</c>.</summary>
    public required string ResourceId { get; init; }

    /// <summary>Such as <c>available</c>, <c>creating</c>, <c>modifying</c>, <c>renaming</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Such as <c>postgres</c> or <c>aurora-postgresql</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>Such as <c>15.8</c>.</summary>
    public required string EngineVersion { get; init; }

    /// <summary>The Aurora cluster that it is part of; null for an instance of its own.</summary>
    public string? ClusterIdentifier { get; init; }

    /// <summary>The instance that it replicates; null for a primary.</summary>
    public string? ReplicaOf { get; init; }

    /// <summary>The host name of its endpoint; null until it has one.</summary>
    public string? Address { get; init; }

    /// <summary>The port of its endpoint; null until it has one.</summary>
    public int? Port { get; init; }

    /// <summary>Its storage, GiB.</summary>
    public int StorageGib { get; init; }

    /// <summary>Whether its storage is encrypted.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>Whether AWS keeps its master password in Secrets Manager, and changes it.</summary>
    public bool HasManagedPassword { get; init; }

    /// <summary>What was asked for and is not yet so, for people; empty where there is nothing.</summary>
    public required IReadOnlyList<string> Pending { get; init; }

    /// <summary>Its tags.</summary>
    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    /// <summary>How it is set up.</summary>
    public required InstanceSettings Settings { get; init; }

    /// <summary>Whether it lets people in.</summary>
    public bool IsAvailable => Status == Available;

    /// <summary>host:port, for people; the status where there is no endpoint yet.</summary>
    public string Endpoint => Address is null ? $"(no endpoint, {Status})" : $"{Address}:{Port}";
}

/// <summary>An Aurora cluster, as RDS describes it.</summary>
/// <param name="Identifier">Its name.</param>
/// <param name="ResourceId">What it is whatever its name.</param>
/// <param name="Status">Such as <c>available</c>.</param>
/// <param name="Engine">Such as <c>aurora-postgresql</c>.</param>
/// <param name="Address">The host name of the writer's endpoint.</param>
/// <param name="Port">Its port.</param>
/// <param name="IsEncrypted">Whether its storage is encrypted.</param>
/// <param name="Members">Its instances.</param>
public sealed record RdsCluster(string Identifier, string ResourceId, string Status, string Engine, string? Address, int? Port, bool IsEncrypted, IReadOnlyList<string> Members);
