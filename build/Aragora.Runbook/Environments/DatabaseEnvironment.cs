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

    /// <summary>How the database is reached, where not directly: <see cref="Database"/> then leads to the near end on this machine. Null for directly.</summary>
    public IDatabaseRoute? Route { get; init; }

    /// <summary>host:port for messages and records; with a route its far end, which stays the same from run to run.</summary>
    public string Endpoint => Route?.Endpoint ?? Database.Endpoint;

    /// <summary>What messages call it, where it is not the environment's own database; such as "scratch" for a trial of its backup.</summary>
    public string? Label { get; init; }

    /// <summary>The environment variable that names the database: <c>STAGING_DATABASE_URL</c> or <c>PRODUCTION_DATABASE_URL</c>; for a labelled one that names its server, such as <c>SCRATCH_SERVER_URL</c>.</summary>
    public string UrlVariable => Label is null ? UrlVariableOf(Name) : $"{Label.ToUpperInvariant()}_SERVER_URL";

    /// <summary>The same of an environment whose database was not named.</summary>
    public static string UrlVariableOf(TargetEnvironment name) => name == TargetEnvironment.Production ? "PRODUCTION_DATABASE_URL" : "STAGING_DATABASE_URL";

    /// <summary>"staging" or "production", or the label, for messages.</summary>
    public string DisplayName => Label is not null ? Label : Name == TargetEnvironment.Production ? "production" : "staging";
}
