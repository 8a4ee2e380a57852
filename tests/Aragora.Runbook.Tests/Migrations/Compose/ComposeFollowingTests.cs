using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

/// <summary>The build was killed; its container was not.</summary>
public sealed class ComposeFollowingTests(RealServer server)
{
    private const string DeadRun = "20261125T020000Z-dead";

    [Fact]
    public async Task A_killed_runs_container_is_followed_from_its_first_line_to_its_end_and_no_second_one_is_started()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1).Add("r2000", "r1000", "op.execute('SELECT pg_sleep(15)')\nprint('slept')"));
        await StartAsDeadRunAsync(scene, "r2000");
        await scene.UntilAsync("query LIKE '%pg_sleep(15)%'", Task.Delay(-1));

        var result = await scene.MigrateAsync();

        result.Facts.To.ShouldBe(["r2000"]);
        (await scene.RevisionAsync()).ShouldBe("r2000");
        scene.Log.All.ShouldContain(line => line.Contains($"Run \"{DeadRun}\" started this migration and did not see its end: following container aragora-migration-production-", StringComparison.Ordinal));
        scene.Log.All.Count(line => line.Contains("Running upgrade  -> r1000", StringComparison.Ordinal)).ShouldBe(1);
        scene.Log.All.ShouldContain("slept");
        scene.Log.All.ShouldNotContain(line => line.StartsWith("Asking ", StringComparison.Ordinal));
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_followed_migration_that_fails_is_told_with_its_own_words()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "op.execute('SELECT pg_sleep(15)')\nop.execute('SELECT 1/0')"));
        await StartAsDeadRunAsync(scene, "r1000");
        await scene.UntilAsync("query LIKE '%pg_sleep(15)%'", Task.Delay(-1));

        var told = await Should.ThrowAsync<FailedCleanException>(scene.MigrateAsync());

        told.Message.ShouldContain("DivisionByZero");
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_a_dead_run_left_finished_is_removed_and_told()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "import os\nassert not os.path.exists('/srv/fail')\nop.execute('CREATE TABLE t1 (id int)')"));
        scene.Write(scene.Service(more: ["volumes:", "  - /etc/hostname:/srv/fail"]));
        var name = await StartAsDeadRunAsync(scene, "r1000");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await scene.Engine.StateAsync(name, deadline.Token))!.IsRunning)
        {
            await Task.Delay(50, deadline.Token);
        }

        scene.Write(scene.Service());
        await scene.MigrateAsync();

        (await scene.RevisionAsync()).ShouldBe("r1000");
        scene.Log.All.ShouldContain(line => line.Contains($"Removed {name}, which an earlier run left behind (exited, exit code 1)", StringComparison.Ordinal));
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_databases_container_is_neither_followed_nor_removed()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "op.execute('SELECT pg_sleep(60)')"));
        await StartAsDeadRunAsync(scene, "r1000");
        var other = await server.NewDatabaseAsync();

        (await scene.Runner().FindRunningAsync(scene.Environment, CancellationToken.None))!.RunId.ShouldBe(DeadRun);
        (await scene.Runner().FindRunningAsync(other, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_running_container_that_shows_up_under_the_lock_is_not_joined_by_a_second()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "op.execute('SELECT pg_sleep(60)')"));
        await StartAsDeadRunAsync(scene, "r1000");
        var request = new RunnerRequest(scene.Environment, MigrationDirection.Upgrade, "r1000", new LockBudget(), "aragora-migrate-second") { RunId = "second", TreeHash = "x" };

        var refusal = await Should.ThrowAsync<RefusedException>(scene.Runner().RunAsync(request, _ => { }, CancellationToken.None));

        refusal.Message.ShouldContain($"of run {DeadRun}");
        refusal.Next.ShouldContain("it is followed");
        (await scene.OneOffsAsync()).ShouldHaveSingleItem();
    }

    /// <summary>What a run does until it is killed: it starts the container as the runner does, and then nothing.</summary>
    private static async Task<string> StartAsDeadRunAsync(ComposeScene scene, string revision)
    {
        var tree = await scene.Tree.ReadAsync();
        var identity = (await Aragora.Runbook.Environments.DatabaseInspector.ReadAsync(scene.Environment, CancellationToken.None)).Identity;
        var request = new RunnerRequest(scene.Environment, MigrationDirection.Upgrade, revision, new LockBudget(), "aragora-migrate-" + DeadRun) { RunId = DeadRun, TreeHash = tree.Hash };
        var project = await scene.Reader().ReadAsync(scene.Environment, CancellationToken.None);
        var name = ComposeRunner.NameOf(scene.Environment, identity);
        var alembic = AlembicCommand.Of([], project.Service.Command!, project.Service.Environment);
        var arguments = project.Run(name, OneOffLabels.For(request, identity), ComposeRunner.Variables(project.Service, request), null, alembic.To(request.Direction, request.Revision));
        await new OneOffContainer(scene.Run, scene.Commands, scene.Engine, scene.Options, name).StartAsync(project, scene.Environment, arguments, CancellationToken.None);
        return name;
    }
}
