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
        var answer = search.Find(new EvidenceQuery(kind, now) { About = FolderOf }, evidence =>
        {
            (backup, var reason) = Check(evidence, now);
            return backup is null ? reason
                : of is not null && (backup.Folder != of.Folder || backup.ManifestSha256 != of.ManifestSha256) ? $"it is about {backup.Name}, not about {of.Name}"
                : kind == EvidenceKinds.Backup ? Damage(backup, now)
                : evidence.FactsAs<VerificationFacts>().RestoreTook is null ? "it was only read, not restored and compared (by an older build)"
                : null;
        });
        if (answer.Found is not { } found || backup is null)
        {
            return new BackupEvidenceSearch(null, null, answer.Text, answer.Rejected);
        }

        var dumped = ProgressSnapshot.Rough(run.Clock.GetUtcNow() - backup.Manifest.MadeAt);
        var text = kind == EvidenceKinds.Backup ? answer.Text : $"verified {search.Age(found)} ago, dumped {dumped} ago, still this database, these revisions";
        return new BackupEvidenceSearch(found, backup, text, answer.Rejected);
    }

    /// <summary>A dump whose newest verification is red is no backup.</summary>
    private string? Damage(BackupReference backup, DatabaseFacts now)
    {
        var newest = run.Evidence.ReadAll().Accepted.FirstOrDefault(evidence =>
            evidence.Kind == EvidenceKinds.BackupVerification && now.MayBe(evidence.Database) && FolderOf(evidence) == backup.Folder);
        return newest is { Failure: { } failure } ? $"it was found damaged {newest.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC: {failure}" : null;
    }

    /// <summary>The folder on this machine that a record is about; null where it names none.</summary>
    private string? FolderOf(Evidence evidence)
    {
        try
        {
            return Names(evidence).Folder is { Length: > 0 } folder ? BackupLocation.Absolute(folder, run.Root) : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or ArgumentException)
        {
            // Check tells why, where it matters.
            return null;
        }
    }

    private static (string? Folder, string? ManifestSha256) Names(Evidence evidence)
    {
        if (evidence.Kind == EvidenceKinds.Backup)
        {
            var made = evidence.FactsAs<BackupFacts>();
            return (made.Folder, made.ManifestSha256);
        }

        var verified = evidence.FactsAs<VerificationFacts>();
        return (verified.Folder, verified.ManifestSha256);
    }

    private (BackupReference? Backup, string Reason) Check(Evidence evidence, DatabaseFacts now)
    {
        var (folder, hash) = Names(evidence);
        if (string.IsNullOrEmpty(folder) || folder.Contains('\0', StringComparison.Ordinal) || hash is null)
        {
            return (null, "it names no folder");
        }

        var (backup, reason) = CheckFiles(BackupLocation.Absolute(folder, run.Root), hash);
        if (backup is null)
        {
            return (null, reason);
        }

        // The record of a dump is written at its end; a verification's lifetime counts from the dump's beginning.
        var expires = backup.Manifest.MadeAt + (evidence.ExpiresAt - evidence.MadeAt);
        return evidence.Kind == EvidenceKinds.Backup && expires <= run.Clock.GetUtcNow() ? (null, $"it expired {expires.UtcDateTime:yyyy-MM-dd HH:mm} UTC")
            : WalPosition.IsBeyond(backup.Manifest.WalPosition, now.WalPosition)
                ? (null, $"it was taken at the WAL position {backup.Manifest.WalPosition}, which the server ({now.WalPosition}) has not reached: the server was set back since")
            // Whether it was taken before or after the point where the two histories part, the server tells only a superuser.
            : backup.Manifest.Database.Timeline != now.Identity.Timeline
                ? (null, $"it was taken on the server's timeline {backup.Manifest.Database.Timeline}, and the server is on {now.Identity.Timeline}: it failed over or was set back since, and the backup may hold what the database never had")
            : (backup, "");
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
/// <param name="Text">For people: <c>verified 40 min ago, dumped 2 h ago, still this database, these revisions</c>, or why there is nothing.</param>
/// <param name="Rejected">Each newer record that does not hold, with the reason.</param>
public sealed record BackupEvidenceSearch(Evidence? Found, BackupReference? Backup, string Text, IReadOnlyList<string> Rejected);
