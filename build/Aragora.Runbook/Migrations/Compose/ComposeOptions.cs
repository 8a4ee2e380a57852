namespace Aragora.Runbook.Migrations.Compose;

/// <summary>Which Compose service runs migrations, and how long what may take.</summary>
public sealed record ComposeOptions
{
    /// <summary>The file where neither a parameter nor Compose itself names one, relative to the root.</summary>
    public const string FallbackFile = "migrations/compose.yaml";

    /// <summary>The checkout: where Compose looks for its file.</summary>
    public required string Root { get; init; }

    /// <summary>Compose files, absolute, each adding to those before it. Default: none, which leaves the choice to Compose, and takes <see cref="FallbackFile"/> where it would find none.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Compose's project. Default: null, which leaves the choice to Compose.</summary>
    public string? Project { get; init; }

    /// <summary>The service whose image holds the migrations and whose environment holds the URL. Default: <c>aragora-api</c>.</summary>
    public string Service { get; init; } = "aragora-api";

    /// <summary>How long a container may take to start: to fetch or build images, and until what it depends on is healthy. Default: 15 minutes.</summary>
    public TimeSpan StartPatience { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long the service may take to say which tree and which database it sees, once it is started. Default: 2 minutes.</summary>
    public TimeSpan CheckPatience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long Compose may take to read its files. Default: 1 minute.</summary>
    public TimeSpan ReadPatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the engine may be away while a migration is followed. Default: 1 minute.</summary>
    public TimeSpan EnginePatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long Alembic has to roll back by itself after its statement was cancelled. Default: 5 seconds.</summary>
    public TimeSpan RollbackPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a container has from SIGTERM to SIGKILL. Default: 3 seconds.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the database server has to take a request to cancel or to end the migration's sessions. Default: 5 seconds.</summary>
    public TimeSpan ServerPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the engine has to stop and remove a container. Default: 30 seconds.</summary>
    public TimeSpan CleanUpPatience { get; init; } = TimeSpan.FromSeconds(30);
}
