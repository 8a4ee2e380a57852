using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Flow;

/// <summary>MigrateStaging, MigrateProduction and Rollback.</summary>
public sealed class MigrationFlow(
    RunContext run,
    RunbookOptions options,
    RunbookEnvironments environments,
    LoadedTree tree,
    VerificationFlow verification,
    ProductionGate gate,
    Migrator migrator,
    DowngradeRollback downgrade,
    RunVerdict verdict)
{
    private string Requested => options.Revision ?? "head";

    /// <summary>Staging at the revision asked for, with green smoke tests and health.</summary>
    public async Task<StepFact> MigrateStagingAsync(CancellationToken cancellation)
    {
        var staging = await environments.GetAsync(TargetEnvironment.Staging, cancellation);
        var loaded = await tree.GetAsync(cancellation);
        if (!options.IsAnew("MigrateStaging"))
        {
            var now = await DatabaseInspector.ReadAsync(staging, cancellation);
            var target = RevisionTarget.Resolve(loaded, now.Revisions, Requested, MigrationDirection.Upgrade);
            var box = gate.LookAtStaging(now, target.Revision, loaded.Hash);
            run.Log.Information("MigrateStaging: {Finding}", box.Finding);
            if (box.Ticked)
            {
                return new StepFact("staging", box.Finding);
            }
        }

        var result = await migrator.MigrateAsync(staging, loaded, Requested, gate: null, cancellation);
        var tests = await verification.SmokeTestAsync(staging, AfterFailure.NeedsPerson, cancellation);
        var health = await verification.HealthCheckAsync(staging, AfterFailure.NeedsPerson, cancellation);
        return new StepFact("staging", $"{Moved(result.Facts)}; {tests.Passed} tests passed, health {health.Status}");
    }

    /// <summary>Production at the revision asked for, if the gate opens.</summary>
    public async Task<StepFact> MigrateProductionAsync(CancellationToken cancellation)
    {
        var production = await environments.GetAsync(TargetEnvironment.Production, cancellation);
        var loaded = await tree.GetAsync(cancellation);
        var result = await migrator.MigrateAsync(production, loaded, Requested, (now, target, ended) => PassGateAsync(now, target.Revision, loaded, ended), cancellation);
        if (result.Facts.Moved)
        {
            verdict.Moved(production);
        }

        return new StepFact("production", Moved(result.Facts));
    }

    /// <summary>A database taken back.</summary>
    public async Task<StepFact> RollbackAsync(CancellationToken cancellation)
    {
        if (options.TargetEnvironment is null && !environments.IsLocalStack)
        {
            throw new BadInputException("Rollback wants its environment said.", "on anything but the local stack none is assumed", "./build.sh Rollback --target-environment Production --strategy Downgrade --revision -1");
        }

        var revision = options.Revision ?? throw new BadInputException(
            "Rollback wants to know how far.", "no revision is assumed", "./build.sh Rollback --strategy Downgrade --revision -1   (or a revision id, or base)");
        var environment = await environments.GetAsync(options.TargetEnvironment ?? TargetEnvironment.Production, cancellation);
        var result = await downgrade.RunAsync(environment, await tree.GetAsync(cancellation), revision, options.AcceptDataLoss, cancellation);
        verdict.Moved(environment);
        return new StepFact(environment.DisplayName, Moved(result.Facts));
    }

    private async Task PassGateAsync(DatabaseFacts production, string revision, MigrationsTree loaded, CancellationToken cancellation)
    {
        var staging = await DatabaseInspector.ReadAsync(await environments.GetAsync(TargetEnvironment.Staging, cancellation), cancellation);
        var subject = new GateSubject(production, staging, revision, loaded.Hash);
        var boxes = await run.Journal.ActAsync("pass the gate to production", subject, () => Task.FromResult(gate.Pass(subject)));
        foreach (var box in boxes)
        {
            run.Log.Information("[x] {Box}: {Finding}", box.Box, box.Finding);
        }
    }

    private static string Moved(MigrationFacts facts) =>
        facts.Moved ? $"{Names(facts.From)} → {Names(facts.To)} ({facts.Applied.Count} {(facts.Applied.Count == 1 ? "migration" : "migrations")})" : $"already at {Names(facts.To)}, nothing to do";

    private static string Names(IReadOnlyList<string> revisions) => revisions.Count == 0 ? RevisionTarget.Base : string.Join(", ", revisions);
}
