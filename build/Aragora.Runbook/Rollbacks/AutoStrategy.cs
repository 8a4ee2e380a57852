using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Chooses the least destructive way back that works, and says why. Where both destroy something, a person chooses, knowing what each costs.</summary>
/// <param name="run">Clock and evidence.</param>
/// <param name="commands">Asks git where an unknown revision comes from.</param>
/// <param name="backups">What could be restored.</param>
public sealed class AutoStrategy(RunContext run, ICommandRunner commands, RestorableBackups backups)
{
    /// <summary>Chooses.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="tree">The tree.</param>
    /// <param name="revision">The revision asked for.</param>
    /// <param name="backup">The backup that was named, which is then restored; null for the newest verified one at that revision.</param>
    /// <param name="acceptDataLoss">Whether downgrades may destroy data.</param>
    /// <param name="acceptedWrites">What a restore may lose; null where nothing was said.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="RefusedException">Both ways destroy something, or cannot be gone, and neither was accepted.</exception>
    public async Task<StrategyChoice> ChooseAsync(DatabaseEnvironment environment, MigrationsTree tree, string revision, string? backup, bool acceptDataLoss, AcceptedWrites? acceptedWrites, CancellationToken cancellation)
    {
        var facts = await DatabaseInspector.ReadAsync(environment, cancellation);
        var (target, obstacle, remedy) = await PlanAsync(environment, tree, facts, revision, cancellation);
        if (backup is not null)
        {
            var named = await new BackupChoice(backups).ChooseAsync(environment, backup, target?.Revision ?? revision, cancellation);
            return new StrategyChoice(RollbackStrategy.Restore, "a backup was named (--backup)", target?.Revision ?? revision, named);
        }

        if (target is { Steps.Count: 0 })
        {
            return new StrategyChoice(RollbackStrategy.Downgrade, $"the database is at {target.Revision} already", target.Revision, null);
        }

        var losses = target?.Steps.Where(step => step.DowngradeDestroys is not null).ToList() ?? [];
        if (target is not null && obstacle is null && (losses.Count == 0 || acceptDataLoss))
        {
            var why = losses.Count == 0 ? "every step has a downgrade, and none destroys data" : "what the downgrades destroy was accepted, and no write since is lost";
            return new StrategyChoice(RollbackStrategy.Downgrade, why, target.Revision, null);
        }

        var wanted = target?.Revision ?? revision;
        var restorable = await new BackupChoice(backups).FindAsync(environment, wanted, cancellation);
        if (restorable is not null && acceptedWrites is not null)
        {
            var why = obstacle is null ? "the downgrades destroy data" : "there is no way back by downgrades";
            return new StrategyChoice(RollbackStrategy.Restore, $"{why}, and what the restore may lose was accepted ({acceptedWrites})", wanted, restorable);
        }

        throw await BothCostAsync(environment, wanted, obstacle, remedy, losses, restorable, cancellation);
    }

    /// <summary>The plan of a downgrade, and what makes it impossible.</summary>
    private async Task<(RevisionTarget? Target, string? Obstacle, string? Remedy)> PlanAsync(DatabaseEnvironment environment, MigrationsTree tree, DatabaseFacts facts, string revision, CancellationToken cancellation)
    {
        try
        {
            await new RevisionOrigin(run, commands).RequireKnownAsync(tree, environment, facts.Revisions, cancellation);
            var target = RevisionTarget.Resolve(tree, facts.Revisions, revision, MigrationDirection.Downgrade);
            return (target, target.Steps.FirstOrDefault(step => !step.HasDowngrade) is { } irreversible ? $"{irreversible} has no downgrade" : null, null);
        }
        catch (RefusedException unplannable)
        {
            return (null, $"{unplannable.What} {unplannable.Why}".TrimEnd(), unplannable.Next);
        }
    }

    private async Task<RefusedException> BothCostAsync(DatabaseEnvironment environment, string revision, string? obstacle, string? remedy, List<Revision> losses, RestorableBackup? restorable, CancellationToken cancellation)
    {
        const string Indent = "        ";
        var command = $"./build.sh Rollback --target-environment {environment.Name} --strategy";
        var why = new List<string> { obstacle is null ? $"Downgrade keeps what was written since, and destroys {string.Join("; ", losses.Select(step => $"{step}: {step.DowngradeDestroys}"))}" : $"Downgrade is not possible: {obstacle}" };
        var next = new List<string>();
        if (obstacle is null)
        {
            next.Add($"{command} Downgrade --revision {revision} --accept-data-loss");
        }
        else if (!string.IsNullOrEmpty(remedy))
        {
            next.Add(remedy);
        }

        if (restorable is not null)
        {
            var lost = await RestorableBackups.WritesSinceAsync(environment, restorable, cancellation);
            why.Add($"Restore loses what was written since its backup, {lost.Text} so far: {backups.Text(restorable)}");
            next.Add($"{command} Restore --backup {restorable.Backup.Name} --accept-lost-writes {lost.Total?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? AcceptedWrites.UnknownWord}");
        }
        else
        {
            why.Add($"Restore is not possible: there is no verified backup of {environment.DisplayName} at {revision}{(environment.Name == TargetEnvironment.Staging ? ", and there never is one of staging: Backup is for production" : "")}");
        }

        if (next.Count == 0)
        {
            next.Add($"{command} Restore   lists the backups there are; or call somebody: ./build.sh Contacts");
        }

        return new RefusedException(
            obstacle is not null && restorable is null ? $"As it stands, there is no way back to {revision} for the {environment.DisplayName} database." : $"Every way back to {revision} costs the {environment.DisplayName} database something, and it was not said which is to be paid.",
            string.Join(Environment.NewLine + Indent, why.Select(line => LogText.Safe(line))),
            string.Join(Environment.NewLine + Indent, next));
    }
}

/// <summary>The way back that was chosen.</summary>
/// <param name="Strategy">Downgrade or Restore.</param>
/// <param name="Why">Why, for people.</param>
/// <param name="Revision">Where it leads.</param>
/// <param name="Backup">What is restored; null for a downgrade.</param>
public sealed record StrategyChoice(RollbackStrategy Strategy, string Why, string Revision, RestorableBackup? Backup);
