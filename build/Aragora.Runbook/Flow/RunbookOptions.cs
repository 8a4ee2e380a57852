using Aragora.Runbook.Applications;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Benchmarks;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Flow;

/// <summary>What a person asked for in this run: the host's parameters, mapped once.</summary>
public sealed record RunbookOptions
{
    /// <summary>The targets that run, the dependencies among them, by name.</summary>
    public required IReadOnlySet<string> Scheduled { get; init; }

    /// <summary>The targets that were named on the command line: these are done anew.</summary>
    public required IReadOnlySet<string> Named { get; init; }

    /// <summary>Whether all evidence is made anew.</summary>
    public bool Fresh { get; init; }

    /// <summary>The environment of SmokeTest, HealthCheck, Status and Rollback; null where none was said.</summary>
    public TargetEnvironment? TargetEnvironment { get; init; }

    /// <summary>The revision asked for; null for the default.</summary>
    public string? Revision { get; init; }

    /// <summary>How backups are made.</summary>
    public required BackupOptions Backup { get; init; }

    /// <summary>An older backup to verify, or the one to restore; null for the newest.</summary>
    public string? BackupName { get; init; }

    /// <summary>How revisions are moved.</summary>
    public required MigratorOptions Migrator { get; init; }

    /// <summary>What the person says to production's gate.</summary>
    public GateOptions Gate { get; init; } = new();

    /// <summary>How smoke tests run.</summary>
    public required SmokeTestOptions SmokeTest { get; init; }

    /// <summary>How health is asked.</summary>
    public required HealthCheckOptions HealthCheck { get; init; }

    /// <summary>How Rollback goes back.</summary>
    public RollbackStrategy Strategy { get; init; } = RollbackStrategy.Auto;

    /// <summary>How many writes since its backup a restore may lose; null where nothing was said.</summary>
    public AcceptedWrites? AcceptLostWrites { get; init; }

    /// <summary>Whether a downgrade may destroy data.</summary>
    public bool AcceptDataLoss { get; init; }

    /// <summary>How the application is stopped and started around a restore.</summary>
    public ApplicationOptions Application { get; init; } = new();

    /// <summary>What Preflight asks beside the databases: the runners, each for its environment. Default: nothing.</summary>
    public IReadOnlyList<EnvironmentCheck> Surroundings { get; init; } = [];

    /// <summary>What the benchmark measures.</summary>
    public BenchmarkOptions Benchmark { get; init; } = new();

    /// <summary>Whether Rollback restores beside and moves nothing: then there is nothing to verify afterwards. Default: no.</summary>
    public bool NothingMoves { get; init; }

    /// <summary>The message of a new migration.</summary>
    public string? Message { get; init; }

    /// <summary>Whether Alembic compares the models with the database for a new migration.</summary>
    public bool Autogenerate { get; init; }

    /// <summary>Whether this target's work is done even where valid evidence is found.</summary>
    public bool IsAnew(string target) => Fresh || Named.Contains(target);
}

/// <summary>The one fact of a target that matters, for the summary.</summary>
/// <param name="Name">Such as "revision".</param>
/// <param name="Value">Such as "a1b2 → c3d4".</param>
public sealed record StepFact(string Name, string Value);
