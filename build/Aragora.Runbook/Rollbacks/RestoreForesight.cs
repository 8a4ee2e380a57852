using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Whether the live server would take the verified backup back, asked before production is migrated: the trial was made on a server that lacks nothing.</summary>
public sealed class RestoreForesight(RunContext run)
{
    /// <summary>What a restore of the newest verified backup would be refused for today, one line each with what to type; none where there is no such backup.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="now">The database as it is.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<IReadOnlyList<string>> LacksAsync(DatabaseEnvironment environment, DatabaseFacts now, CancellationToken cancellation)
    {
        if (new BackupEvidence(run).FindVerification(now).Backup is not { } backup)
        {
            return [];
        }

        await using var session = await MaintenanceDatabase.OpenAsync(environment, "aragora-inspect", cancellation);
        return [.. (await new RestoreNeeds(session, backup.Manifest.Shape).FindAsync(cancellation)).Select(lack => $"{lack.Why} ({lack.Next})")];
    }
}
