using Aragora.Runbook.Flow;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Snapshots;

/// <summary>What is said of RDS, mapped once.</summary>
sealed partial class Build
{
    private RdsOptions? MapRds(RunbookOptions options) => string.IsNullOrWhiteSpace(ProductionDbInstanceIdentifier) ? null : new RdsOptions
    {
        InstanceIdentifier = ProductionDbInstanceIdentifier,
        Retention = SnapshotRetention?.Value ?? TimeSpan.FromDays(30),
        Deadline = SnapshotDeadline?.Value ?? TimeSpan.FromHours(2),
        Prune = PruneAfterBackup,
        DryRun = !NoDryRun,
        SnapshotIdentifier = SnapshotIdentifier,
        Switch = Switch ?? SwitchMode.Print,
        Accepted = options.AcceptLostWrites ?? AcceptedWrites.None,
        Moved = options.Migrator.Moved,
    }.Validated();

    /// <summary>What is said of RDS needs an instance, and a target or strategy that it is for.</summary>
    private void CheckRds()
    {
        var prunes = PruneAfterBackup || ExecutionPlan.Any(target => target.Name == nameof(PruneSnapshots));
        if (string.IsNullOrWhiteSpace(ProductionDbInstanceIdentifier) && (prunes || SnapshotIdentifier is not null || Switch is not null || Strategy == RollbackStrategy.Snapshot))
        {
            throw new BadInputException("Production's RDS instance is not named.", "snapshots are made of it, pruned and restored", $"{RdsOptions.InstanceSwitch} <instance>");
        }

        if (NoDryRun && !prunes)
        {
            throw new BadInputException("--no-dry-run does nothing here.", "it is for pruning, and nothing is pruned", "./build.sh PruneSnapshots --no-dry-run, or Backup --prune-snapshots --no-dry-run");
        }

        if ((SnapshotIdentifier is not null || Switch is not null) && Strategy != RollbackStrategy.Snapshot)
        {
            throw new BadInputException($"{(Switch is not null ? "--switch" : "--snapshot-identifier")} does nothing here.", "it is for Rollback --strategy Snapshot", "./build.sh Rollback --target-environment Production --strategy Snapshot --snapshot-identifier <name>");
        }
    }
}
