using System.Text.Json;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Backups;

/// <summary>Finds evidence of backups and verifications that still holds for a database as it is now.</summary>
/// <param name="run">Evidence, clock and root.</param>
public sealed class BackupEvidence(RunContext run)
{
    private readonly EvidenceSearch search = new(run.Evidence, run.Clock);

    /// <summary>The newest backup of this very database, at these revisions, taken since its last migration, not expired, and still there.</summary>
    /// <param name="now">The database as it is now, read live.</param>
    public BackupEvidenceSearch FindBackup(DatabaseFacts now) => Find(EvidenceKinds.Backup, now, null);

    /// <summary>The newest verification of such a backup.</summary>
    /// <param name="now">The database as it is now, read live.</param>
    /// <param name="of">The backup that has to have been verified; null for any that holds.</param>
    public BackupEvidenceSearch FindVerification(DatabaseFacts now, BackupReference? of = null) => Find(EvidenceKinds.BackupVerification, now, of);

    private BackupEvidenceSearch Find(string kind, DatabaseFacts now, BackupReference? of)
    {
        BackupReference? backup = null;
        var answer = search.Find(new EvidenceQuery(kind, now), evidence =>
        {
            (backup, var reason) = Check(evidence);
            return backup is null ? reason
                : of is not null && (backup.Folder != of.Folder || backup.ManifestSha256 != of.ManifestSha256) ? $"it is about {backup.Name}, not about {of.Name}"
                : null;
        });
        return new BackupEvidenceSearch(answer.Found, answer.Found is null ? null : backup, answer.Text, answer.Rejected);
    }

    private (BackupReference? Backup, string Reason) Check(Evidence evidence)
    {
        try
        {
            var (folder, hash) = evidence.Kind == EvidenceKinds.Backup
                ? (evidence.FactsAs<BackupFacts>() is var made ? (made.Folder, made.ManifestSha256) : default)
                : (evidence.FactsAs<VerificationFacts>() is var verified ? (verified.Folder, verified.ManifestSha256) : default);
            return folder is null || hash is null ? (null, "it names no folder") : CheckFiles(BackupLocation.Absolute(folder, run.Root), hash);
        }
        catch (JsonException malformed)
        {
            return (null, $"its facts cannot be read: {malformed.Message}");
        }
    }

    /// <summary>Names and sizes, not contents: those are VerifyBackup's.</summary>
    private static (BackupReference? Backup, string Reason) CheckFiles(string folder, string hash)
    {
        if (!Directory.Exists(folder))
        {
            return (null, $"{folder} is gone");
        }

        BackupReference backup;
        try
        {
            backup = ManifestFile.Read(folder);
        }
        catch (RefusedException refused)
        {
            return (null, $"{folder}: {refused.Why}");
        }

        if (backup.ManifestSha256 != hash)
        {
            return (null, $"the manifest in {folder} was edited since");
        }

        var changed = backup.Manifest.Files.FirstOrDefault(file => new FileInfo(Path.Combine(folder, file.Path)) is var there && (!there.Exists || there.Length != file.Bytes));
        return changed is null ? (backup, "") : (null, $"{changed.Path} in {folder} is gone or has another size");
    }
}

/// <summary>What a search for evidence came to.</summary>
/// <param name="Found">The record that holds; null where none does.</param>
/// <param name="Backup">The backup it is about; null where none was found.</param>
/// <param name="Text">For people: <c>verified 40 min ago, still this database, these revisions</c>, or why there is nothing.</param>
/// <param name="Rejected">Each newer record that does not hold, with the reason.</param>
public sealed record BackupEvidenceSearch(Evidence? Found, BackupReference? Backup, string Text, IReadOnlyList<string> Rejected);
