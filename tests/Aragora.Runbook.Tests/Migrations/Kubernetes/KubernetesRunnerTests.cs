using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Clusters;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Kubernetes;

public sealed class KubernetesRunnerTests(TestCluster cluster, RealServer server, ClusterDatabase database, ImageBuilder images) : IClassFixture<TestCluster>
{
    [Fact]
    public async Task A_job_migrates_a_real_database_and_the_database_says_so()
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(3));

        var result = await scenario.MigrateAsync();

        result.Facts.Runner.ShouldBe("kubernetes");
        result.Facts.Applied.ShouldBe(["r1000", "r2000", "r3000"]);
        result.After.Revisions.ShouldBe(["r3000"]);
        var job = (await scenario.JobsAsync()).Where(job => job.Metadata.Annotations["aragora.build/run"] == scenario.Run.RunId).ShouldHaveSingleItem();
        job.Metadata.Annotations["aragora.build/revision"].ShouldBe("r3000");
        job.Metadata.Annotations["aragora.build/tree"].ShouldBe((await scenario.Tree.ReadAsync()).Hash);
        job.Metadata.Name.ShouldBe($"aragora-migration-production-{scenario.Run.RunId}");
        (await new JobClient(cluster.Cluster).ListAsync("aragora.build/purpose=image-check", CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_downgrade_runs_in_a_job_as_well()
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(2));
        await scenario.MigrateAsync();
        var run = RealServer.NewRun();

        var back = await new DowngradeRollback(run, server.Commands, scenario.Runner(run), new MigratorOptions()).RunAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "-1", acceptDataLoss: true, CancellationToken.None);

        back.After.Revisions.ShouldBe(["r1000"]);
        (await scenario.JobsAsync()).ShouldContain(job => job.Metadata.Annotations["aragora.build/direction"] == "downgrade");
    }

    [Fact]
    public async Task The_session_in_the_job_has_the_budget_and_the_name_that_were_asked_for()
    {
        const string Says = "for one in ('lock_timeout', 'statement_timeout', 'application_name'):\n    print(one, op.get_bind().exec_driver_sql('SHOW ' + one).scalar(), flush=True)";
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.Add("r1000", null, Says));
        var lines = new List<string>();
        var budget = new LockBudget { LockTimeout = TimeSpan.FromSeconds(7), StatementTimeout = TimeSpan.FromMinutes(3) };

        await scenario.Runner().RunAsync(new RunnerRequest(scenario.Environment, MigrationDirection.Upgrade, "r1000", budget, "aragora-migrate-" + scenario.Run.RunId) { RunId = scenario.Run.RunId, TreeHash = "x" }, lines.Add, CancellationToken.None);

        lines.ShouldContain("lock_timeout 7s");
        lines.ShouldContain("statement_timeout 3min");
        lines.ShouldContain($"application_name aragora-migrate-{scenario.Run.RunId}");
    }

    [Fact]
    public async Task An_image_with_another_tree_is_refused_and_the_files_are_named()
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(1));
        scenario.Tree.AddTables(2);

        var refusal = await Should.ThrowAsync<RefusedException>(() => scenario.MigrateAsync());

        refusal.What.ShouldBe($"{scenario.Image} holds another migrations tree than this checkout.");
        refusal.Why.ShouldContain("versions/r2000_step.py is missing there");
        (await scenario.JobsAsync()).ShouldNotContain(job => job.Metadata.Name.EndsWith(scenario.Run.RunId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_secret_that_leads_to_another_database_is_refused()
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(1));
        var other = await database.NewAsync();

        var refusal = await Should.ThrowAsync<RefusedException>(async () => await scenario.Migrator().MigrateAsync(other, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None));

        refusal.What.ShouldBe($"{scenario.Image} reaches another database than PRODUCTION_DATABASE_URL.");
    }

    [Fact]
    public async Task Another_image_under_the_name_that_was_checked_is_noticed_and_needs_a_person()
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(1));
        var pushed = await images.BuildAsync((await TestTree.NewAsync(server)).AddTables(1).Add("r1000", null, "op.execute('CREATE TABLE unexpected (id int)')").Folder);
        var runner = new SwitchingRunner(scenario.Runner(), () => server.Commands.RunAsync(new Command { Program = "docker", Arguments = ["tag", pushed, scenario.Image] }));

        var failure = await Should.ThrowAsync<NeedsPersonException>(async () => await new Migrator(scenario.Run, server.Commands, runner, new MigratorOptions()).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None));

        failure.What.ShouldContain("Another image runs in the Job");
        failure.Next.ShouldContain("--migration-image registry/repository@sha256:");
    }

    /// <summary>Lets something happen between the check and the migration.</summary>
    private sealed class SwitchingRunner(IMigrationRunner runner, Func<Task> between) : IMigrationRunner
    {
        public string Name => runner.Name;

        public async Task RequireReadyAsync(DatabaseEnvironment environment, DatabaseFacts now, MigrationsTree tree, CancellationToken cancellation)
        {
            await runner.RequireReadyAsync(environment, now, tree, cancellation);
            await between();
        }

        public Task<RunnerResult> RunAsync(RunnerRequest request, Action<string> onLine, CancellationToken cancellation) => runner.RunAsync(request, onLine, cancellation);
    }
}
