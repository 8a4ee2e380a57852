using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Migrations;

/// <summary>Where Alembic runs: on this machine, later in a Kubernetes Job or a Compose service. It moves revisions; what it achieved is read from the database by the migrator.</summary>
public interface IMigrationRunner
{
    /// <summary>For messages: "local", "kubernetes", "docker compose".</summary>
    string Name { get; }

    /// <summary>Runs <c>alembic upgrade</c> or <c>alembic downgrade</c> to its end, streaming its output.</summary>
    Task<RunnerResult> RunAsync(RunnerRequest request, Action<string> onLine, CancellationToken cancellation);
}

/// <summary>Which way.</summary>
public enum MigrationDirection
{
    /// <summary><c>alembic upgrade</c>.</summary>
    Upgrade,

    /// <summary><c>alembic downgrade</c>.</summary>
    Downgrade,
}

/// <summary>What a runner is asked to do.</summary>
/// <param name="Environment">The database.</param>
/// <param name="Direction">Which way.</param>
/// <param name="Revision">Alembic's target: a revision id, or <c>base</c>. Relative ones are resolved before.</param>
/// <param name="Budget">Timeouts of the migration's own session.</param>
/// <param name="ApplicationName">Shown in <c>pg_stat_activity</c>: <c>aragora-migrate-&lt;run id&gt;</c>.</param>
public sealed record RunnerRequest(DatabaseEnvironment Environment, MigrationDirection Direction, string Revision, LockBudget Budget, string ApplicationName);

/// <summary>How the runner's process ended.</summary>
/// <param name="ExitCode">Alembic's exit code.</param>
/// <param name="Tail">Its last lines, masked.</param>
/// <param name="Took">How long it ran.</param>
public sealed record RunnerResult(int ExitCode, string Tail, TimeSpan Took);

/// <summary>The timeouts that a migration's own session runs under.</summary>
public sealed record LockBudget
{
    /// <summary>PostgreSQL's <c>lock_timeout</c>: how long a statement may queue for a lock. Default: 5 seconds.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>PostgreSQL's <c>statement_timeout</c>. Default: none (zero): a validated index may take hours.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.Zero;

    /// <summary>PostgreSQL's <c>idle_in_transaction_session_timeout</c>. Default: 10 minutes.</summary>
    public TimeSpan IdleInTransactionTimeout { get; init; } = TimeSpan.FromMinutes(10);
}
