namespace Aragora.Runbook.Migrations;

/// <summary>What a migration or rollback did, as evidence.</summary>
/// <param name="Direction">Which way.</param>
/// <param name="From">Revisions before.</param>
/// <param name="To">Revisions after, read from the database.</param>
/// <param name="Applied">The revisions that ran, in order.</param>
/// <param name="Runner">Where Alembic ran.</param>
/// <param name="Moved">False where there was nothing to do.</param>
public sealed record MigrationFacts(MigrationDirection Direction, IReadOnlyList<string> From, IReadOnlyList<string> To, IReadOnlyList<string> Applied, string Runner, bool Moved);
