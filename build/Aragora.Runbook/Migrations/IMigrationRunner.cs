using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Migrations;

/// <summary>Where Alembic runs.</summary>
public enum Runner
{
    /// <summary>As a child of this process.</summary>
    Local,

    /// <summary>As a one-off container of a Compose service.</summary>
    DockerCompose,

    /// <summary>As a Kubernetes Job.</summary>
    Kubernetes,
}

/// <summary>Runs Alembic, on this machine, in a Kubernetes Job or in a Compose service. It moves revisions; what it achieved is read from the database by the migrator.</summary>
public interface IMigrationRunner
{
    /// <summary>For messages: "local", "kubernetes", "docker compose".</summary>
    string Name { get; }

    /// <summary>A migration of this environment that an earlier run started, and that is at work without it; null where there is none. It is followed to its end instead of a second one being started.</summary>
    Task<RunningMigration?> FindRunningAsync(DatabaseEnvironment environment, CancellationToken cancellation) => Task.FromResult<RunningMigration?>(null);

    /// <summary>Makes sure that what would run is the tree at hand, and that it reaches this very database. Asked under the database's lock, before anything moves.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="now">The database as it is.</param>
    /// <param name="tree">The tree at hand: the one that was rehearsed.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="Outcomes.RefusedException">It is another tree, or another database, or it cannot run there.</exception>
    Task RequireReadyAsync(DatabaseEnvironment environment, DatabaseFacts now, MigrationsTree tree, CancellationToken cancellation) => Task.CompletedTask;

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
public sealed record RunnerRequest(DatabaseEnvironment Environment, MigrationDirection Direction, string Revision, LockBudget Budget, string ApplicationName)
{
    /// <summary>The run that asks.</summary>
    public string RunId { get; init; } = "";

    /// <summary>The hash of the tree at hand.</summary>
    public string TreeHash { get; init; } = "";

    /// <summary>What is followed to its end instead of being started; null to start.</summary>
    public RunningMigration? Following { get; init; }
}

/// <summary>A migration that is at work, though the run that started it is not.</summary>
/// <param name="Name">What a person looks for, such as <c>job aragora/aragora-migration-20261125t1702-3f9c</c>.</param>
/// <param name="RunId">The run that started it.</param>
/// <param name="Direction">Which way.</param>
/// <param name="Revision">Its target.</param>
/// <param name="TreeHash">The tree it was started for.</param>
/// <param name="ApplicationName">The name of its sessions.</param>
public sealed record RunningMigration(string Name, string RunId, MigrationDirection Direction, string Revision, string TreeHash, string ApplicationName);

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
