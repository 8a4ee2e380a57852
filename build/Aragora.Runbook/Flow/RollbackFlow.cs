using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Rollbacks;

namespace Aragora.Runbook.Flow;

/// <summary>Rollback: a database taken back, by downgrades or by a backup.</summary>
public sealed class RollbackFlow(RunContext run, RunbookOptions options, RunbookEnvironments environments, LoadedTree tree, VerificationFlow verification, Func<TargetEnvironment, DowngradeRollback> downgrades, RestoreRollback restore, SchemaFit fit, ApplicationFlow application, ICommandRunner commands)
{
    private readonly RestorableBackups backups = new(run, options.Backup);

    /// <summary>The rollback by snapshot. Default: none.</summary>
    public SnapshotFlow? Snapshots { get; init; }

    /// <summary>Takes it back.</summary>
    public async Task<StepFact> RollbackAsync(CancellationToken cancellation)
    {
        if (options.TargetEnvironment is null && !environments.IsLocalStack)
        {
            throw new BadInputException("Rollback wants its environment said.", "on anything but the local stack none is assumed", "./build.sh Rollback --target-environment Production --revision -1");
        }

        RequireFitting();
        var environment = await environments.GetAsync(options.TargetEnvironment ?? TargetEnvironment.Production, cancellation);
        if (options.Scheduled.Contains("HealthCheck") && !options.NothingMoves)
        {
            await verification.RequirePossibleAsync(environment, cancellation);
        }

        if (options.Strategy == RollbackStrategy.Snapshot && Snapshots is not null)
        {
            if (options.NothingMoves)
            {
                await application.PutBackLeftoversAsync(environment, cancellation);
                return await Snapshots.RollbackAsync(environment, cancellation);
            }

            // An application that a run left stopped would write what the exchange of names then loses.
            await application.TellLeftoversAsync(environment, cancellation);
            var fact = await Snapshots.RollbackAsync(environment, cancellation);
            await application.PutBackLeftoversAsync(environment, cancellation);
            return fact;
        }

        var choice = await ChooseAsync(environment, cancellation);
        if (choice.Backup is { } backup)
        {
            run.Log.Information("The backup: {Backup:l}", backups.Text(backup));
            if (!backup.IsVerified)
            {
                run.Log.Warning("No verification vouches for it: its content is compared with its manifest before anything is exchanged");
            }

            await fit.RequireAsync(environment, backup.Backup.Manifest.Revisions, cancellation);
            var restored = await restore.RunAsync(environment, backup.Backup, cancellation);
            return new StepFact(environment.DisplayName, $"{restored.Facts.From.Named()} → {restored.Facts.To.Named()} from {backup.Backup.Name}, unavailable for {Measures.Duration(restored.Facts.Unavailable)}{(restored.Facts.Application is { } away ? $", the application for {Measures.Duration(away.Unavailable)}" : "")}; the old one is kept as {restored.Facts.KeptDatabase}");
        }

        await application.PutBackLeftoversAsync(environment, cancellation);
        var result = await downgrades(environment.Name).RunAsync(environment, await tree.GetAsync(cancellation), choice.Revision, options.AcceptDataLoss, cancellation);
        return new StepFact(environment.DisplayName, MigrationFlow.Moved(result.Facts));
    }

    /// <summary>What was said has to make sense together, before anything is asked.</summary>
    private void RequireFitting()
    {
        if (options.Strategy == RollbackStrategy.Snapshot)
        {
            RequireFittingSnapshot();
            return;
        }

        if (options.Revision is null && (options.BackupName is null || options.Strategy == RollbackStrategy.Downgrade) && options.Strategy != RollbackStrategy.Restore)
        {
            throw new BadInputException(
                "Rollback wants to know how far.",
                "no revision is assumed, and no backup",
                $"./build.sh Rollback --target-environment {options.TargetEnvironment ?? TargetEnvironment.Production} --revision -1   (or a revision id, or base); or --strategy Restore --backup <name>");
        }

        if (options.Strategy == RollbackStrategy.Downgrade && (options.BackupName is not null || options.AcceptLostWrites is not null))
        {
            throw new BadInputException("--backup and --accept-lost-writes do not go with --strategy Downgrade.", "a downgrade restores nothing", "leave them away, or use --strategy Restore");
        }

        if (options.Strategy == RollbackStrategy.Restore && options.AcceptDataLoss)
        {
            throw new BadInputException("--accept-data-loss does not go with --strategy Restore.", "it accepts what downgrades destroy; a restore loses writes", "--accept-lost-writes <number>");
        }
    }

    private void RequireFittingSnapshot()
    {
        if (options.Revision is not null || options.BackupName is not null || options.AcceptDataLoss)
        {
            throw new BadInputException("--revision, --backup and --accept-data-loss do not go with --strategy Snapshot.", "a snapshot leads to where it was taken, and loses writes", "--snapshot-identifier <name>, and for a switch --accept-lost-writes <number>");
        }
    }

    private async Task<StrategyChoice> ChooseAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        if (options.Strategy == RollbackStrategy.Downgrade)
        {
            return new StrategyChoice(RollbackStrategy.Downgrade, "it was asked for", options.Revision!, null);
        }

        if (options.Strategy == RollbackStrategy.Auto && options.Revision is { } revision)
        {
            var choice = await new AutoStrategy(run, commands, backups).ChooseAsync(environment, await tree.GetAsync(cancellation), revision, options.BackupName, options.AcceptDataLoss, options.AcceptLostWrites, cancellation);
            run.Log.Information("Rollback by {Strategy}: {Why:l}", choice.Strategy, choice.Why);
            return choice;
        }

        var chosen = await new BackupChoice(backups).ChooseAsync(environment, options.BackupName, await WantedAsync(environment, cancellation), cancellation);
        return new StrategyChoice(RollbackStrategy.Restore, options.Strategy == RollbackStrategy.Auto ? "a backup was named (--backup)" : "it was asked for", chosen.Backup.Manifest.Revisions.Named(), chosen);
    }

    /// <summary>A number of steps is counted from where the database is; a revision needs neither the database nor the tree.</summary>
    private async Task<string?> WantedAsync(DatabaseEnvironment environment, CancellationToken cancellation) =>
        options.Revision is ['-' or '+', ..] relative
            ? RevisionTarget.Resolve(await tree.GetAsync(cancellation), (await DatabaseInspector.ReadAsync(environment, cancellation)).Revisions, relative, MigrationDirection.Downgrade).Revision
            : options.Revision;
}
