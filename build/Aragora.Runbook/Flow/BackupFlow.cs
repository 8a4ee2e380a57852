using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Rollbacks;

namespace Aragora.Runbook.Flow;

/// <summary>Backup and VerifyBackup of production: each finds valid evidence, or makes it.</summary>
public sealed class BackupFlow(RunContext run, RunbookOptions options, RunbookEnvironments environments, ScratchDatabases scratch, ICommandRunner commands)
{
    private readonly BackupEvidence evidence = new(run);

    /// <summary>The snapshot beside the dump. Default: none.</summary>
    public SnapshotFlow? Snapshots { get; init; }

    private BackupCatalog Catalog => new(options.Backup.FolderBelow(run.Root), run);

    /// <summary>A backup of production as it is now.</summary>
    public async Task<StepFact> BackupAsync(CancellationToken cancellation)
    {
        var production = await environments.GetAsync(TargetEnvironment.Production, cancellation);
        if (options.BackupName is not null)
        {
            return new StepFact("backup", $"none made: --backup {options.BackupName} names one");
        }

        if (!options.IsAnew("Backup"))
        {
            var search = evidence.FindBackup(await DatabaseInspector.ReadAsync(production, cancellation));
            run.Log.Information("Backup: {Finding}", search.Text);
            if (search.Backup is { } found)
            {
                return new StepFact("backup", With(await SnapshotAsync(production, found, cancellation), $"{found.Name}, {search.Text}"));
            }
        }

        var made = await new BackupStep(run, production, options.Backup, commands).RunAsync(cancellation);
        return new StepFact("backup", With(await SnapshotAsync(production, made.Backup, cancellation), $"{made.Backup.Name}, {DataSize.Text(made.Backup.Manifest.TotalBytes)}"));
    }

    private async Task<string?> SnapshotAsync(DatabaseEnvironment production, BackupReference dump, CancellationToken cancellation) =>
        Snapshots is null ? null : await Snapshots.BackupAsync(production, dump, options.IsAnew("Backup"), cancellation);

    private static string With(string? snapshot, string dump) => snapshot is null ? dump : $"{dump}; {snapshot}";

    /// <summary>A backup of production that was restored and compared.</summary>
    public async Task<StepFact> VerifyBackupAsync(CancellationToken cancellation)
    {
        var production = await environments.GetAsync(TargetEnvironment.Production, cancellation);
        var now = await DatabaseInspector.ReadAsync(production, cancellation);
        var named = await NamedAsync(production, now.Identity, cancellation);
        if (!options.IsAnew("VerifyBackup"))
        {
            var search = evidence.FindVerification(now, named ?? evidence.FindBackup(now).Backup);
            run.Log.Information("VerifyBackup: {Finding}", search.Text);
            if (search.Backup is { } found)
            {
                if (await new BackupFiles(run, ProgressViews.For(run.Log, run.Clock)).DifferencesAsync(found, cancellation) is not [var changed, ..])
                {
                    return new StepFact("verified", $"{found.Name}, {search.Text}; its files are unchanged since");
                }

                run.Log.Warning("{Backup:l} was changed since it was verified ({Change:l}), and is verified anew", found.Name, changed);
            }
        }

        var backup = named ?? evidence.FindBackup(now).Backup ?? throw new RefusedException(
            "There is no backup of production as it is now to verify.",
            evidence.FindBackup(now).Text,
            "./build.sh Backup VerifyBackup   (or name an older one with --backup)");
        var verified = await new VerifyBackupStep(run, production, options.Backup, scratch, commands).RunAsync(backup, cancellation);
        return new StepFact("verified", $"{backup.Name}: restored in {ProgressSnapshot.Rough(verified.Facts.RestoreTook ?? TimeSpan.Zero)}, {verified.Facts.RowsCompared} rows of {verified.Facts.TablesCompared} tables compared");
    }

    /// <summary>After a restore the older backups are of the database whose place it took; they can be restored again, and so verified.</summary>
    private async Task<BackupReference?> NamedAsync(DatabaseEnvironment production, DatabaseIdentity now, CancellationToken cancellation)
    {
        if (options.BackupName is not { } name)
        {
            return null;
        }

        var folder = Catalog.Resolve(name, expected: null).Folder;
        var restorable = await new RestorableBackups(run, options.Backup).ListAsync(production, cancellation);
        return restorable.FirstOrDefault(one => one.Backup.Folder == folder)?.Backup ?? Catalog.Resolve(name, now);
    }
}
