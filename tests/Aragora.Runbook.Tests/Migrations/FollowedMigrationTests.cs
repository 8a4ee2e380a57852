using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

/// <summary>What a dead run started where it goes on without it: a Job, a container.</summary>
public sealed class FollowedMigrationTests(RealServer server)
{
    private const string DeadRun = "20261125T020000Z-dead";
    private const string ItsSessions = "aragora-migrate-" + DeadRun;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_migration_that_a_dead_run_started_is_followed_to_its_end_and_no_second_one_is_started()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var read = await tree.AddTables(1).Add("r2000", "r1000", "op.execute('SELECT pg_sleep(5)')").ReadAsync();
        var started = tree.Runner(run).RunAsync(new RunnerRequest(environment, MigrationDirection.Upgrade, "r2000", new LockBudget(), ItsSessions), _ => { }, None);
        await AtWorkAsync(environment, started);
        var runner = new FakeRemoteRunner(new RunningMigration("job aragora/dead", DeadRun, MigrationDirection.Upgrade, "r2000", read.Hash, ItsSessions)) { Work = started };

        var result = await new Migrator(run, server.Commands, runner, new MigratorOptions()).MigrateAsync(environment, read, "head", (_, _, _) => throw new InvalidOperationException("the gate was asked"), None);

        result.Facts.To.ShouldBe(["r2000"]);
        runner.Asked.ShouldBe(["run following job aragora/dead as " + ItsSessions]);
        run.Evidence.ReadAll().Accepted.ShouldHaveSingleItem().Kind.ShouldBe(EvidenceKinds.Migration);
    }

    [Fact]
    public async Task One_that_a_run_left_while_this_one_waited_for_its_lock_is_followed_too()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var read = await tree.AddTables(1).ReadAsync();
        var runner = new FakeRemoteRunner(new RunningMigration("job aragora/pending", DeadRun, MigrationDirection.Upgrade, "r1000", read.Hash, ItsSessions)) { AppearsAt = 2, Start = () => tree.Runner(run).RunAsync(new RunnerRequest(environment, MigrationDirection.Upgrade, "r1000", new LockBudget(), ItsSessions), _ => { }, None) };

        await new Migrator(run, server.Commands, runner, new MigratorOptions()).MigrateAsync(environment, read, "head", (_, _, _) => throw new InvalidOperationException("the gate was asked"), None);

        runner.Asked.ShouldBe(["run following job aragora/pending as " + ItsSessions]);
    }

    [Theory]
    [InlineData("r1000", "", "it goes to r1000, and r2000 is asked for")]
    [InlineData("r2000", "0123456789abcdef", "it runs another migrations tree (0123456789ab…)")]
    public async Task One_that_goes_elsewhere_or_runs_another_tree_is_named_and_nothing_is_started(string revision, string treeHash, string why)
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var read = await tree.AddTables(2).ReadAsync();
        var runner = new FakeRemoteRunner(new RunningMigration("job aragora/dead", DeadRun, MigrationDirection.Upgrade, revision, treeHash.Length > 0 ? treeHash : read.Hash, ItsSessions));

        var refusal = await Should.ThrowAsync<RefusedException>(() => new Migrator(run, server.Commands, runner, new MigratorOptions()).MigrateAsync(environment, read, "head", gate: null, None));

        refusal.Message.ShouldContain($"job aragora/dead, started by run {DeadRun}");
        refusal.Message.ShouldContain(why);
        runner.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_nothing_runs_the_gate_is_asked_first_and_then_the_runner_whether_it_is_ready()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var runner = new FakeRemoteRunner(null) { NotReady = new RefusedException("the image holds another tree", "", "build it") };

        var refusal = await Should.ThrowAsync<RefusedException>(async () => await new Migrator(run, server.Commands, runner, new MigratorOptions()).MigrateAsync(environment, await tree.AddTables(1).ReadAsync(), "head", GateAsync, None));

        refusal.What.ShouldBe("the image holds another tree");
        runner.Asked.ShouldBe(["gate", "ready"]);

        Task GateAsync(DatabaseFacts database, RevisionTarget target, CancellationToken cancellation)
        {
            runner.Asked.Add("gate");
            return Task.CompletedTask;
        }
    }

    private static async Task AtWorkAsync(DatabaseEnvironment environment, Task migration)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await new Aragora.Runbook.Guards.MigrationSessions(environment).ListAsync(deadline.Token)).Count == 0)
        {
            migration.IsCompleted.ShouldBeFalse("it ended before it could be followed");
            await Task.Delay(20, deadline.Token);
        }
    }

    private sealed class FakeRemoteRunner(RunningMigration? running) : IMigrationRunner
    {
        public string Name => "fake";

        private int looks;

        public Task<RunnerResult>? Work { get; init; }

        public Func<Task<RunnerResult>>? Start { get; init; }

        /// <summary>At which look it is there.</summary>
        public int AppearsAt { get; init; } = 1;

        public RefusedException? NotReady { get; init; }

        public List<string> Asked { get; } = [];

        public Task<RunningMigration?> FindRunningAsync(DatabaseEnvironment environment, CancellationToken cancellation) => Task.FromResult(++looks < AppearsAt ? null : running);

        public Task RequireReadyAsync(DatabaseEnvironment environment, DatabaseFacts now, MigrationsTree tree, CancellationToken cancellation)
        {
            Asked.Add("ready");
            return NotReady is null ? Task.CompletedTask : Task.FromException(NotReady);
        }

        public Task<RunnerResult> RunAsync(RunnerRequest request, Action<string> onLine, CancellationToken cancellation)
        {
            Asked.Add($"run following {request.Following?.Name} as {request.ApplicationName}");
            return Work ?? Start!();
        }
    }
}
