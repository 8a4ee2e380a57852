using Aragora.Runbook.Backups;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;

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

    /// <summary>The same, and every file of the backup read again: what was verified may have been changed since.</summary>
    /// <param name="subject">What the gate is asked about.</param>
    /// <param name="cancellation">Cancels the reading.</param>
    public async Task<BoxState> ReadAsync(GateSubject subject, CancellationToken cancellation)
    {
        var search = backups.FindVerification(subject.Production);
        if (search.Backup is not { } backup)
        {
            return Look(subject);
        }

        IReadOnlyList<string> changed;
        try
        {
            changed = await new BackupFiles(run, ProgressViews.For(run.Log, run.Clock)).DifferencesAsync(backup, cancellation);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return new BoxState(GateBox.VerifiedBackup, false, $"{backup.Folder} cannot be read: {unreadable.Message}", "let this user read it, then repeat the command");
        }

        return changed.Count == 0
            ? new BoxState(GateBox.VerifiedBackup, true, $"{search.Text}: {backup.Name}, manifest {backup.ManifestSha256[..12]}, its {Measures.Count(backup.Manifest.Files.Count, "file")} read again and unchanged", Command)
            : new BoxState(GateBox.VerifiedBackup, false, $"{backup.Folder} was changed since it was verified: {string.Join("; ", changed.Take(3))}", "./build.sh Backup VerifyBackup --fresh");
    }
}
