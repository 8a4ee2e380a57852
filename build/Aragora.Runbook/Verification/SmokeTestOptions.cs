namespace Aragora.Runbook.Verification;

/// <summary>Which suite runs, and what it may do.</summary>
public sealed record SmokeTestOptions
{
    /// <summary>The pytest suite, a file or a folder; relative to the root of the checkout. Default: <c>tests/integration/test_database.py</c>.</summary>
    public string Suite { get; init; } = "tests/integration/test_database.py";

    /// <summary>Whether tests may write to production (<c>--allow-smoke-writes</c>): all of them run then, in ordinary sessions. Default: no.</summary>
    public bool AllowWrites { get; init; }

    /// <summary>The revision that the database is expected to be at, or <c>base</c>; null where the caller has no expectation: the suite is then told the one that is there.</summary>
    public string? ExpectedRevision { get; init; }

    /// <summary>The variables in which the suite finds the database's URL. Default: <c>DATABASE_URL</c> and <c>ARAGORA_POSTGRES_DSN</c>.</summary>
    public IReadOnlyList<string> UrlVariables { get; init; } = ["DATABASE_URL", "ARAGORA_POSTGRES_DSN"];

    /// <summary>The URL's scheme, for a suite that wants SQLAlchemy's. Default: <c>postgresql</c>.</summary>
    public string UrlScheme { get; init; } = "postgresql";

    /// <summary><c>statement_timeout</c> of the sessions on production. Default: 30 seconds.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the whole suite may take before it is ended. Default: 10 minutes.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What a failure means. Default: nothing was changed before.</summary>
    public AfterFailure AfterFailure { get; init; } = AfterFailure.Clean;

    /// <summary>The hash of the migrations tree, for the evidence.</summary>
    public string? TreeHash { get; init; }
}
