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
}

/// <summary>A move that was made, or was not needed.</summary>
/// <param name="Facts">Also in the evidence.</param>
/// <param name="Before">The database before.</param>
/// <param name="After">The database after, as it was read back.</param>
/// <param name="Evidence">The record that was written.</param>
public sealed record MigrationResult(MigrationFacts Facts, Journal.DatabaseFacts Before, Journal.DatabaseFacts After, Journal.Evidence Evidence);
