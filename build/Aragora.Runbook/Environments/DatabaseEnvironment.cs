namespace Aragora.Runbook.Environments;

/// <summary>One environment of the Aragora API: its database, and where its health is asked.</summary>
public sealed record DatabaseEnvironment
{
    /// <summary>Which environment this is.</summary>
    public required TargetEnvironment Name { get; init; }

    /// <summary>The database, as libpq reads its URL.</summary>
    public required PostgresUrl Database { get; init; }

    /// <summary>The application's health endpoint; null where none was named.</summary>
    public Uri? HealthUrl { get; init; }

    /// <summary>Whether this is the throwaway stack that the build made itself.</summary>
    public bool IsLocalStack { get; init; }

    /// <summary>Tells a physical clone from its original: two environments with equal identities are refused unless each has its own.</summary>
    public string? EnvironmentId { get; init; }

    /// <summary>"staging" or "production", for messages.</summary>
    public string DisplayName => Name == TargetEnvironment.Production ? "production" : "staging";
}
