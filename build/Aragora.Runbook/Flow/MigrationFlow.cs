using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Flow;

/// <summary>MigrateStaging and MigrateProduction.</summary>
public sealed class MigrationFlow(
    RunContext run,
    RunbookOptions options,
    RunbookEnvironments environments,
    LoadedTree tree,
    VerificationFlow verification,
    ProductionGate gate,
    Func<TargetEnvironment, Migrator> migrators,
    RunVerdict verdict)
{
    private string? requested;
    private GateFacts? passed;

    /// <summary>Staging at the revision asked for, with green smoke tests and health.</summary>
    public async Task<StepFact> MigrateStagingAsync(CancellationToken cancellation)
    {
        var staging = await environments.GetAsync(TargetEnvironment.Staging, cancellation);
        var loaded = await tree.GetAsync(cancellation);
        var target = await RequestedAsync(loaded, cancellation);
        if (!options.IsAnew("MigrateStaging"))
        {
            var now = await DatabaseInspector.ReadAsync(staging, cancellation);
            if (now.Revisions.All(revision => loaded.Find(revision) is not null))
            {
                var box = gate.LookAtStaging(now, RevisionTarget.Resolve(loaded, now.Revisions, target, MigrationDirection.Upgrade).Revision, loaded.Hash, StagingChecks.Of(run.Root, options.SmokeTest, staging));
                run.Log.Information("MigrateStaging: {Finding:l}", box.Finding);
                if (box.Ticked)
                {
                    return new StepFact("staging", box.Finding);
                }
            }
        }

        var result = await migrators(staging.Name).MigrateAsync(staging, loaded, target, (_, _, ended) => verification.RequirePossibleAsync(staging, ended), cancellation);
        var tests = await verification.SmokeTestAsync(staging, AfterFailure.NeedsPerson, cancellation);
        var health = await verification.HealthCheckAsync(staging, AfterFailure.NeedsPerson, cancellation);
        return new StepFact("staging", $"{Moved(result.Facts)}; {tests.Passed} tests passed, health {health.Status}");
    }

    /// <summary>Production at the revision asked for, if the gate opens.</summary>
    public async Task<StepFact> MigrateProductionAsync(CancellationToken cancellation)
    {
        var production = await environments.GetAsync(TargetEnvironment.Production, cancellation);
        var loaded = await tree.GetAsync(cancellation);
        var result = await migrators(production.Name).MigrateAsync(
            production, loaded, await RequestedAsync(loaded, cancellation), (now, target, ended) => PassGateAsync(production, now, target, loaded, ended), cancellation);
        if (!result.Facts.Moved && !verification.IsVerified(result.After))
        {
            // A run before this one moved it, and ended before it was verified.
            verdict.Moved(TargetEnvironment.Production);
        }

        return new StepFact("production", Moved(result.Facts) + Overridden);
    }

    /// <summary>"+1" counts from production where production is to be migrated: staging and production have to end at the same revision, also when the run is repeated.</summary>
    private async Task<string> RequestedAsync(MigrationsTree loaded, CancellationToken cancellation)
    {
        if (requested is null)
        {
            requested = options.Revision ?? "head";
            if (requested.StartsWith('+') && options.Scheduled.Contains("MigrateProduction"))
            {
                var now = await DatabaseInspector.ReadAsync(await environments.GetAsync(TargetEnvironment.Production, cancellation), cancellation);
                requested = RevisionTarget.Resolve(loaded, now.Revisions, requested, MigrationDirection.Upgrade).Revision;
            }
        }

        return requested;
    }

    private async Task PassGateAsync(DatabaseEnvironment production, DatabaseFacts now, RevisionTarget target, MigrationsTree loaded, CancellationToken cancellation)
    {
        await verification.RequirePossibleAsync(production, cancellation);
        var environment = await environments.GetAsync(TargetEnvironment.Staging, cancellation);
        var staging = await DatabaseInspector.ReadAsync(environment, cancellation);
        RunbookEnvironments.RequireTwoDatabases(staging, now);
        var subject = new GateSubject(now, staging, target.Revision, loaded.Hash, StagingChecks.Of(run.Root, options.SmokeTest, environment))
        {
            Pending = target.Steps,
            RestoreLacks = await new RestoreForesight(run).LacksAsync(production, now, cancellation),
            IsLocalStack = production.IsLocalStack,
        };
        passed = await gate.PassAsync(production, subject, cancellation);
    }

    private string Overridden => passed is null || passed.Boxes.All(box => box.Ticked) ? "" : $"; OVERRIDDEN: {string.Join(", ", passed.Boxes.Where(box => !box.Ticked).Select(box => box.Box))}";

    internal static string Moved(MigrationFacts facts) =>
        facts.Moved ? $"{facts.From.Named()} → {facts.To.Named()} ({facts.Applied.Count} {(facts.Applied.Count == 1 ? "migration" : "migrations")})" : $"already at {facts.To.Named()}, nothing to do";
}
