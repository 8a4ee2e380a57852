using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Snapshots;

namespace Aragora.Runbook.Flow;

/// <summary>What RDS has to do with a run: a snapshot beside the dump, pruning, the rollback by snapshot, what is left of it. Without an instance that was named it does nothing, and makes no client.</summary>
/// <param name="run">The run.</param>
/// <param name="backup">Where dumps are.</param>
/// <param name="options">Production's instance; null where none was named.</param>
/// <param name="environments">The environments.</param>
/// <param name="tree">The migrations tree.</param>
/// <param name="fit">Which application runs on which schema.</param>
public sealed class SnapshotFlow(RunContext run, BackupOptions backup, RdsOptions? options, RunbookEnvironments environments, LoadedTree tree, SchemaFit fit)
{
    private readonly Lazy<RdsApi> rds = new(() => new RdsApi());

    /// <summary>A migration that goes on without its run. Default: null, nobody is asked.</summary>
    public Func<DatabaseEnvironment, CancellationToken, Task<RunningMigration?>>? Running { get; init; }

    /// <summary>What Preflight asks.</summary>
    public IReadOnlyList<EnvironmentCheck> Checks => options is null ? [] : new RdsChecks(() => rds.Value, options, cancellation => environments.GetAsync(TargetEnvironment.Production, cancellation)).All;

    /// <summary>The snapshot beside a dump; where that is wanted, what has expired is pruned afterwards.</summary>
    /// <param name="production">Production.</param>
    /// <param name="dump">The dump.</param>
    /// <param name="anew">Whether a whole snapshot that is there does not count.</param>
    /// <param name="cancellation">Cancels the waiting.</param>
    /// <returns>For the summary; null where no instance was named.</returns>
    public async Task<string?> BackupAsync(DatabaseEnvironment production, BackupReference dump, bool anew, CancellationToken cancellation)
    {
        if (options is null)
        {
            return null;
        }

        try
        {
            var now = await DatabaseInspector.ReadAsync(production, cancellation);
            var made = await new SnapshotStep(run, rds.Value, options).RunAsync(production, now, dump, await tree.HashAsync(cancellation), anew, cancellation);
            return options.Prune ? $"snapshot {made.Snapshot}, {Told(await PruneAsync(options, cancellation))}" : $"snapshot {made.Snapshot}";
        }
        catch (RunbookException failure) when (failure is not NeedsPersonException)
        {
            run.Log.Warning("The dump {Dump:l} is whole; its snapshot is what failed", dump.Name);
            throw;
        }
    }

    /// <summary>Prunes, or says what it would.</summary>
    public async Task<StepFact> PruneAsync(CancellationToken cancellation) => new("snapshots", Told(await PruneAsync(Required("PruneSnapshots"), cancellation)));

    /// <summary>The rollback by snapshot.</summary>
    public async Task<StepFact> RollbackAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        if (environment.Name != TargetEnvironment.Production || environments.IsLocalStack)
        {
            throw new BadInputException("--strategy Snapshot is for production's RDS instance.", $"{environment.DisplayName} was asked for", "--target-environment Production");
        }

        var result = await new SnapshotRollback(run, rds.Value, Required("--strategy Snapshot"), new BackupCatalog(backup.FolderBelow(run.Root), run)) { Fit = fit.RequireAsync, Running = Running }.RunAsync(environment, cancellation);
        return new StepFact(environment.DisplayName, result.Switched is { } switched
            ? switched.WasOver ? $"nothing was restored: it is what an earlier run restored from {switched.Snapshot}, at {switched.To.Named()}; the old instance is kept as {switched.KeptInstance}" : $"{(switched.From is { } from ? $"{from.Named()} → " : "")}{switched.To.Named()} from {switched.Snapshot}, {(switched.Unavailable is { } away ? $"unavailable for {Measures.Duration(away)}" : "unavailable for a time that nobody measured")}; the old instance is kept as {switched.KeptInstance}"
            : $"{result.Restored.Snapshot} is restored and looked into at {result.Restored.Endpoint}; nothing was moved");
    }

    /// <summary>What rollbacks by snapshot left; quick, and silent where no instance was named.</summary>
    /// <returns>Why nobody bears production's name; null where somebody does, or nobody could be asked.</returns>
    public async Task<RunbookException?> ShowAsync(CancellationToken cancellation)
    {
        if (options is null)
        {
            return null;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.LookPatience);
        try
        {
            var left = SnapshotLeftovers.Tell(await rds.Value.ListInstancesAsync(patience.Token), options.InstanceIdentifier);
            foreach (var line in left.Lines)
            {
                run.Log.Information("RDS: {Line:l}", line);
            }

            if (left.Trouble is { } trouble)
            {
                run.Log.Error("{Trouble:l}", trouble.Message);
            }

            return left.Trouble;
        }
        catch (RunbookException unasked)
        {
            run.Log.Warning("RDS could not be asked: {What:l} {Why:l}", unasked.What, unasked.Why);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            run.Log.Warning("RDS did not answer within {Patience:l}", Measures.Duration(options.LookPatience));
        }

        return null;
    }

    private async Task<PruneResult> PruneAsync(RdsOptions named, CancellationToken cancellation) => await new SnapshotPruning(run, rds.Value, named).RunAsync(cancellation);

    private static string Told(PruneResult result) => result.DryRun ? $"{result.Expired.Count} of {result.Ours} snapshots of ours have expired (dry run)" : $"{result.Expired.Count} of {result.Ours} snapshots of ours deleted";

    private RdsOptions Required(string what) => options ?? throw new BadInputException($"{what} wants to know production's RDS instance.", "none was named", $"{RdsOptions.InstanceSwitch} <instance>");
}
