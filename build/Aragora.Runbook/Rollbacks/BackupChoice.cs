using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Which backup a restore goes back to: the one that was named, or the newest verified one at the revision that was named; never one that nobody chose.</summary>
/// <param name="backups">What there is.</param>
public sealed class BackupChoice(RestorableBackups backups)
{
    private const int Shown = 10;
    private const int ShortestPrefix = 4;

    /// <summary>Chooses.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="name">The backup that was named; null for none.</param>
    /// <param name="revision">The revision that was named, resolved: a revision id, the beginning of one, or <c>base</c>; null for none.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="BadInputException">The named backup is at another revision than the named one.</exception>
    /// <exception cref="RefusedException">Nothing was named, or no verified backup is at that revision; the message lists what there is.</exception>
    public async Task<RestorableBackup> ChooseAsync(DatabaseEnvironment environment, string? name, string? revision, CancellationToken cancellation)
    {
        if (name is not null)
        {
            var named = await backups.NamedAsync(environment, name, cancellation);
            return revision is null || IsAt(named.Backup.Manifest, revision) ? named : throw new BadInputException(
                $"{named.Backup.Name} is not at revision {revision}.",
                $"it is at {named.Backup.Manifest.Revisions.Named()}, and a restore leads to where its backup is",
                $"leave --revision away, or name another backup: {await ListedAsync(environment, cancellation)}");
        }

        if (revision is not null && await FindAsync(environment, revision, cancellation) is { } found)
        {
            return found;
        }

        throw new RefusedException(
            revision is null ? "A restore wants to know which backup." : $"There is no verified backup of {environment.DisplayName} at revision {revision}.",
            await ListedAsync(environment, cancellation),
            environment.Name == TargetEnvironment.Staging
                ? $"./build.sh Rollback --target-environment {environment.Name} --strategy Downgrade --revision {revision ?? "-1"}"
                : $"./build.sh Rollback --target-environment {environment.Name} --strategy Restore --backup <one of these>");
    }

    /// <summary>The newest verified backup at a revision; null where there is none.</summary>
    public async Task<RestorableBackup?> FindAsync(DatabaseEnvironment environment, string revision, CancellationToken cancellation) =>
        (await backups.ListAsync(environment, cancellation)).FirstOrDefault(backup => backup.IsVerified && IsAt(backup.Backup.Manifest, revision));

    private async Task<string> ListedAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var all = await backups.ListAsync(environment, cancellation);
        return all.Count == 0
            ? "there is no backup of this database here" + (environment.Name == TargetEnvironment.Staging ? ", and there never is one of staging: Backup is for production" : "")
            : "there are: " + string.Join(Environment.NewLine + "        ", all.Take(Shown).Select(backups.Text)) + (all.Count > Shown ? $"{Environment.NewLine}        and {all.Count - Shown} older ones" : "");
    }

    private static bool IsAt(BackupManifest manifest, string revision) =>
        revision == RevisionTarget.Base ? manifest.Revisions.Count == 0
        : manifest.Revisions is [var only] && (only == revision || (revision.Length >= ShortestPrefix && only.StartsWith(revision, StringComparison.Ordinal)));
}
