using Aragora.Runbook.Backups;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Gates;

/// <summary>There are two ways back: every pending revision has a downgrade, and how long a restore of the verified backup takes was measured.</summary>
/// <remarks>A downgrade that destroys data does not close the gate, and nor does a restore that the live server would refuse as it is: Rollback says both again. They are said here, since now is the time to know them.</remarks>
internal sealed class RollbackPreparedBox(RunContext run) : IGateBox
{
    private readonly BackupEvidence backups = new(run);

    /// <inheritdoc/>
    public BoxState Look(GateSubject subject)
    {
        var missing = subject.Pending.Where(step => !step.HasDowngrade).ToList();
        var restore = backups.FindVerification(subject.Production).Found?.FactsAs<VerificationFacts>().RestoreTook;
        var complaints = missing
            .Select(step => $"{step} has no downgrade ({step.File}: it does nothing, or only raises)")
            .Concat(restore is null ? ["how long a restore takes is not known, since no verified backup holds"] : [])
            .ToList();
        if (complaints.Count > 0)
        {
            var next = missing.Select(step => $"write the downgrade of {step.Id}, then ./build.sh MigrateStaging").Concat(restore is null ? [VerifiedBackupBox.Command] : []);
            return new BoxState(GateBox.RollbackPrepared, false, string.Join("; ", complaints), string.Join("; then ", next));
        }

        var losses = subject.Pending.Where(step => step.DowngradeDestroys is not null).Select(step => $"the downgrade of {step.Id} destroys {step.DowngradeDestroys}");
        var lacks = subject.RestoreLacks.Select(lack => $"as it stands, a restore would be refused: {lack}");
        var downgrades = $"{Measures.Count(subject.Pending.Count, "pending revision")} with {(subject.Pending.Count == 1 ? "a downgrade" : "downgrades")}";
        return new BoxState(GateBox.RollbackPrepared, true, string.Join("; ", [$"{downgrades}, a restore takes {ProgressSnapshot.Rough(restore!.Value)}", .. losses, .. lacks]), VerifiedBackupBox.Command);
    }
}
