using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Flow;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Migrations;
using Aragora.Runbook.Verification;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Flow;

/// <summary>MigrateProduction between two real databases: the gate is asked by the migration itself.</summary>
public sealed class ProductionGateFlowTests(RealServer server)
{
    private static readonly Uri Health = new("http://127.0.0.1:1/health");
    private readonly RunContext run = RealServer.NewRun();

    [Fact]
    public async Task Every_open_box_is_named_in_the_checklists_order_and_nothing_is_moved()
    {
        var (tree, staging, production) = await DatabasesAsync();
        var window = $"{TimeProvider.System.GetUtcNow().AddDays(3).DayOfWeek} 00:00-24:00 UTC";

        var refusal = await Should.ThrowAsync<RefusedException>(() => MigrateAsync(tree, staging, production, new GateOptions { Window = MaintenanceWindow.Parse(window) }));

        refusal.What.ShouldBe("The gate to production is closed: VerifiedBackup, StagingMigrated, RollbackPrepared, MaintenanceWindow, TeamNotified and DashboardsOpen are not ticked.");
        refusal.Why.ShouldContain("r2000 (Step r2000) has no downgrade");
        refusal.Next.ShouldContain("--attest TeamNotified,DashboardsOpen");
        refusal.Next.Split("--override").Length.ShouldBe(2);
        (await DatabaseInspector.ReadAsync(production, CancellationToken.None)).Revisions.ShouldBe(["r1000"]);
        run.Evidence.ReadAll().Accepted.ShouldNotContain(evidence => evidence.Environment == TargetEnvironment.Production && evidence.Kind == EvidenceKinds.Gate);
    }

    [Fact]
    public async Task A_gate_that_is_passed_leaves_its_record_before_production_is_migrated()
    {
        var (tree, staging, production) = await DatabasesAsync();
        var options = new GateOptions
        {
            Attested = Enum.GetValues<AttestableBox>().ToHashSet(),
            Overridden = new HashSet<GateBox> { GateBox.VerifiedBackup, GateBox.StagingMigrated, GateBox.RollbackPrepared },
            Because = "a drill",
        };

        var fact = await MigrateAsync(tree, staging, production, options);

        fact.Value.ShouldBe("r1000 → r2000 (1 migration); OVERRIDDEN: VerifiedBackup, StagingMigrated, RollbackPrepared");
        var records = run.Evidence.ReadAll().Accepted.Where(evidence => evidence.Environment == TargetEnvironment.Production).Reverse().ToList();
        records.Select(evidence => evidence.Kind).TakeLast(2).ShouldBe([EvidenceKinds.Gate, EvidenceKinds.Migration]);
        records[^2].Revisions.ShouldBe(["r1000"]);
        records[^2].FactsAs<GateFacts>().Boxes.Count(box => box.Because == "a drill").ShouldBe(3);
        JournalReader.Read(run.Journal.Path).Overrides.Count.ShouldBe(3);
    }

    private async Task<StepFact> MigrateAsync(TestTree tree, DatabaseEnvironment staging, DatabaseEnvironment production, GateOptions gate)
    {
        var verdict = new RunVerdict();
        var suite = Path.Combine(run.Root, "test_smoke.py");
        await File.WriteAllTextAsync(suite, "def test_nothing(): pass\n");
        var options = new RunbookOptions
        {
            Scheduled = new HashSet<string>(["MigrateProduction"], StringComparer.Ordinal),
            Named = new HashSet<string>(["MigrateProduction"], StringComparer.Ordinal),
            Backup = new BackupOptions(),
            Migrator = new MigratorOptions(),
            SmokeTest = new SmokeTestOptions { Suite = suite },
            HealthCheck = new HealthCheckOptions(),
            Gate = gate,
        };
        var environments = new RunbookEnvironments([staging, production], null!, run.Log);
        var loaded = new LoadedTree(tree.Reader, () => tree.Project);
        var verification = new VerificationFlow(run, options, environments, loaded, server.Commands, tree.Python, verdict);
        var flow = new MigrationFlow(run, options, environments, loaded, verification, new ProductionGate(run, gate), _ => tree.Migrator(run), verdict);
        return await flow.MigrateProductionAsync(CancellationToken.None);
    }

    /// <summary>Both at the first revision; the second one has no downgrade.</summary>
    private async Task<(TestTree Tree, DatabaseEnvironment Staging, DatabaseEnvironment Production)> DatabasesAsync()
    {
        var tree = (await TestTree.NewAsync(server)).AddTables(1);
        var staging = await server.NewDatabaseAsync(TargetEnvironment.Staging) with { HealthUrl = Health };
        var production = await server.NewDatabaseAsync() with { HealthUrl = Health };
        foreach (var database in new[] { staging, production })
        {
            await tree.Migrator(run).MigrateAsync(database, await tree.ReadAsync(), "head", gate: null, CancellationToken.None);
        }

        tree.Add("r2000", "r1000", "op.execute('CREATE TABLE t2 (id int)')", "pass");
        return (tree, staging, production);
    }
}
