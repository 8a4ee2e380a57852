using System.Text.Json;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Backups;

/// <summary>Finds evidence of backups and verifications that still holds for a database as it is now.</summary>
/// <param name="run">Evidence, clock and root.</param>
public sealed class BackupEvidence(RunContext run)
{
    /// <summary>The newest backup of this very database, at these revisions, taken since its last migration, not expired, and still there.</summary>
    /// <param name="now">The database as it is now, read live.</param>
    public BackupEvidenceSearch FindBackup(DatabaseFacts now) => Find(EvidenceKinds.Backup, "backed up", now, null);

    /// <summary>The newest verification of such a backup.</summary>
    /// <param name="now">The database as it is now, read live.</param>
    /// <param name="of">The backup that has to have been verified; null for any that holds.</param>
    public BackupEvidenceSearch FindVerification(DatabaseFacts now, BackupReference? of = null) => Find(EvidenceKinds.BackupVerification, "verified", now, of);

    private BackupEvidenceSearch Find(string kind, string verb, DatabaseFacts now, BackupReference? of)
    {
        var (accepted, unreadable) = run.Evidence.ReadAll();
        var rejected = unreadable.Select(file => $"{Path.GetFileName(file.Path)}: {file.Reason}").ToList();
        foreach (var evidence in accepted.Where(evidence => evidence.Kind == kind))
        {
            var (backup, reason) = Check(evidence, now);
            if (backup is not null && of is not null && (backup.Folder != of.Folder || backup.ManifestSha256 != of.ManifestSha256))
            {
                reason = $"it is about {backup.Name}, not about {of.Name}";
                backup = null;
            }

            if (backup is not null)
            {
                return new BackupEvidenceSearch(evidence, backup, $"{verb} {ProgressSnapshot.Rough(run.Clock.GetUtcNow() - evidence.MadeAt)} ago, still this database, these revisions", rejected);
            }

            rejected.Add($"{verb} {evidence.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC: {reason}");
        }

        return new BackupEvidenceSearch(null, null, rejected.Count == 0 ? (kind == EvidenceKinds.Backup ? "no record of a backup" : "no record of a backup that was verified") : $"no record that holds: {string.Join("; ", rejected)}", rejected);
    }

    private (BackupReference? Backup, string Reason) Check(Evidence evidence, DatabaseFacts now)
    {
        if (!evidence.Database.IsSameDatabaseAs(now.Identity))
        {
            return (null, $"it is of another database, {evidence.Database}");
        }

        var age = run.Clock.GetUtcNow() - evidence.MadeAt;
        if (run.Clock.GetUtcNow() >= evidence.ExpiresAt)
        {
            return (null, $"it expired {evidence.ExpiresAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
        }

        if (age < TimeSpan.Zero)
        {
            return (null, "it says that it was made in the future: a clock is wrong");
        }

        if (!evidence.Revisions.Order(StringComparer.Ordinal).SequenceEqual(now.Revisions.Order(StringComparer.Ordinal), StringComparer.Ordinal))
        {
            return (null, $"it was taken at revision {Named(evidence.Revisions)}, and the database is at {Named(now.Revisions)}");
        }

        if (evidence.RevisionStamp != now.RevisionStamp)
        {
            return (null, "it was taken before the last migration (which led back to the same revision)");
        }

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

    private static string Named(IReadOnlyList<string> revisions) => revisions.Count == 0 ? "none" : string.Join(", ", revisions);
}

/// <summary>What a search for evidence came to.</summary>
/// <param name="Found">The record that holds; null where none does.</param>
/// <param name="Backup">The backup it is about; null where none was found.</param>
/// <param name="Text">For people: <c>verified 40 min ago, still this database, these revisions</c>, or why there is nothing.</param>
/// <param name="Rejected">Each newer record that does not hold, with the reason.</param>
public sealed record BackupEvidenceSearch(Evidence? Found, BackupReference? Backup, string Text, IReadOnlyList<string> Rejected);
