using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Counts what was written to the live database since a backup of it.</summary>
/// <param name="backup">The backup.</param>
/// <param name="live">The live database.</param>
/// <param name="facts">What it says of itself.</param>
public sealed class WritesSinceBackup(BackupManifest backup, ServerDatabase live, DatabaseFacts facts)
{
    /// <summary>Counts, in a session of the live database.</summary>
    public async Task<LostWrites> CountAsync(PostgresSession inside, CancellationToken cancellation) =>
        WhyUnknown() is { } why ? LostWrites.Unknown(why) : LostWrites.Between(backup.Writes, await WriteCounters.ReadAsync(inside, cancellation));

    private string? WhyUnknown()
    {
        if (backup.Database.DatabaseOid != live.Oid)
        {
            return live.Mark is { State: MarkState.Restored } mark
                ? $"the backup is of the database that run {mark.Run} replaced {Reporting.Measures.Moment(mark.At)}; what was written since cannot be compared with it"
                : "the backup is of the database that was replaced, and put back since";
        }

        return backup.Database.Timeline != facts.Identity.Timeline ? "another server was promoted since, and what it counts is its own"
            : WalPosition.IsBeyond(backup.WalPosition, facts.WalPosition) ? "the server was set back since"
            : null;
    }
}
