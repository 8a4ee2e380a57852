namespace Aragora.Runbook.Migrations;

/// <summary>How revisions are moved.</summary>
public sealed record MigratorOptions
{
    /// <summary>The timeouts of the migration's own session.</summary>
    public LockBudget Budget { get; init; } = new();

    /// <summary>How long to wait for another run on the same database. Default: zero, which refuses at once.</summary>
    public TimeSpan SingleFlightWait { get; init; } = TimeSpan.Zero;

    /// <summary>How often the guarding session proves that it still has the lock. Default: 2 seconds.</summary>
    public TimeSpan GuardHeartbeat { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Reads the migrations tree anew and returns its hash (<see cref="MigrationsTree.Hash"/>); asked right before Alembic starts, where another hash refuses, and
    /// after it ended, where another hash needs a person: nobody knows then which files ran. Default: null, which trusts the files not to change.
    /// </summary>
    public Func<CancellationToken, Task<string>>? CurrentTreeHash { get; init; }

    /// <summary>
    /// Told of a database that was moved, in either direction, as soon as that was read back and before evidence of it is written. Also told where a move failed on the way,
    /// or where the database cannot be asked any more: what may have changed counts as moved. Not told where nothing was to be done, or where it failed and left everything as it was.
    /// Default: null. It must not throw.
    /// </summary>
    public Action<Environments.DatabaseEnvironment>? Moved { get; init; }
}

/// <summary>A move that was made, or was not needed.</summary>
/// <param name="Facts">Also in the evidence.</param>
/// <param name="Before">The database before.</param>
/// <param name="After">The database after, as it was read back.</param>
/// <param name="Evidence">The record that was written.</param>
public sealed record MigrationResult(MigrationFacts Facts, Journal.DatabaseFacts Before, Journal.DatabaseFacts After, Journal.Evidence Evidence);
