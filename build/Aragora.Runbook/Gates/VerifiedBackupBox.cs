using Aragora.Runbook.Backups;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Gates;

/// <summary>A backup of this very database, taken since its last migration, was restored and compared, and that has not expired.</summary>
internal sealed class VerifiedBackupBox(RunContext run) : IGateBox
{
    /// <summary>The command that ticks it.</summary>
    public const string Command = "./build.sh VerifyBackup";

    private readonly BackupEvidence backups = new(run);

    /// <inheritdoc/>
    public BoxState Look(GateSubject subject)
    {
        var search = backups.FindVerification(subject.Production);
        return new BoxState(GateBox.VerifiedBackup, search.Found is not null, search.Text, Command);
    }
}
