using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Whether a backup may take a database's place: it is of this very database, or of one whose place this one took.</summary>
public static class BackupLineage
{
    /// <summary>Whether it is.</summary>
    /// <param name="backup">The backup's manifest.</param>
    /// <param name="live">The live database.</param>
    /// <param name="mark">What restores wrote about it; null for nothing.</param>
    public static bool Holds(BackupManifest backup, DatabaseIdentity live, DatabaseMark? mark) =>
        backup.Database.IsSameDatabaseAs(live)
        || (backup.Database.IsSameDatabaseAs(live with { DatabaseOid = backup.Database.DatabaseOid }) && mark is not null && mark.Lineage.Contains(backup.Database.DatabaseOid));

    /// <summary>Refuses where it is not.</summary>
    public static void Require(DatabaseEnvironment environment, BackupReference backup, DatabaseIdentity live, DatabaseMark? mark)
    {
        if (backup.Manifest.Environment != environment.Name || !Holds(backup.Manifest, live, mark))
        {
            throw new RefusedException(
                $"{backup.Folder} is a backup of another database.",
                $"it was taken from {backup.Manifest.Environment.ToString().ToLowerInvariant()}'s {backup.Manifest.Database}, and {environment.DisplayName} is {live}",
                $"name one of this database with --backup; ./build.sh Rollback --target-environment {environment.Name} --strategy Restore lists them");
        }
    }
}
