using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Reporting;

/// <summary>What a database is at the end of a run, or why that is not known.</summary>
/// <param name="Environment">Which environment.</param>
/// <param name="Facts">What it said of itself; null where it could not be asked.</param>
/// <param name="Unreadable">Why it could not be asked; null where it could.</param>
public sealed record DatabaseState(TargetEnvironment Environment, DatabaseFacts? Facts, string? Unreadable)
{
    /// <summary>Asks, and never throws for what the database does: this is read when something has failed already.</summary>
    /// <param name="environment">Which environment.</param>
    /// <param name="patience">How long it may take altogether.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellation">Ends it at once.</param>
    public static async Task<DatabaseState> ReadAsync(DatabaseEnvironment environment, TimeSpan patience, TimeProvider clock, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            return new DatabaseState(environment.Name, await DatabaseInspector.ReadAsync(environment, either.Token), null);
        }
        catch (RunbookException failure)
        {
            return new DatabaseState(environment.Name, null, $"{failure.What} {failure.Why}");
        }
        catch (NpgsqlException failure)
        {
            return new DatabaseState(environment.Name, null, failure.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new DatabaseState(environment.Name, null, $"it did not answer within {Measures.Duration(patience)}");
        }
    }

    /// <summary>One line.</summary>
    public override string ToString() => Facts switch
    {
        null => $"not known: {Unreadable}",
        { Revisions.Count: 0, RevisionStamp: null } => $"never migrated (no alembic_version); {Facts.Identity}",
        { Revisions.Count: 0 } => $"at the very beginning (alembic_version is empty); {Facts.Identity}",
        _ => $"at revision {string.Join(", ", Facts.Revisions)}; {Facts.Identity}",
    };
}
