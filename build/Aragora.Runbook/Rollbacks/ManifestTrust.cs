using System.Text.Json;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Whether a backup's manifest, which its restored content is compared with, is the one that was written.</summary>
/// <param name="evidence">The records there are.</param>
public sealed class ManifestTrust(EvidenceStore evidence)
{
    /// <summary>Refuses a manifest that records contradict; and, where records are signed, one that no record vouches for.</summary>
    public void Require(BackupReference backup)
    {
        var hashes = evidence.ReadAll().Accepted
            .Where(record => record.Green && record.RunId == backup.Manifest.RunId && record.Kind == EvidenceKinds.Backup)
            .Select(Facts).OfType<BackupFacts>()
            .Where(facts => Path.GetFileName(facts.Folder) == backup.Name)
            .Select(facts => facts.ManifestSha256)
            .ToList();
        if (hashes.Any(hash => hash != backup.ManifestSha256))
        {
            throw new RefusedException($"The manifest of {backup.Name} was edited since the backup was made.", "its SHA-256 is another one than the record of the dump says, and what is restored could be compared with nothing", "name another backup with --backup");
        }

        if (hashes.Count == 0 && evidence.IsSigned)
        {
            throw new RefusedException(
                $"There is no signed record of the dump of {backup.Name}.",
                "an evidence key was given: a manifest that anybody may have written does not decide what production becomes",
                "name the folder that holds the dump's records with --evidence-directory");
        }
    }

    private static BackupFacts? Facts(Evidence record)
    {
        try
        {
            return record.FactsAs<BackupFacts>() is { Folder: not null, ManifestSha256: not null } facts ? facts : null;
        }
        catch (JsonException)
        {
            // Facts of another build: as good as no record.
            return null;
        }
    }
}
