using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

public sealed class ComposeRunnerTests(RealServer server)
{
    [Fact]
    public async Task A_service_migrates_a_real_database_within_the_budget_and_leaves_no_container()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree
            .Add("r1000", null, "print('lock_timeout is', op.get_bind().exec_driver_sql('SHOW lock_timeout').scalar(), 'as', op.get_bind().exec_driver_sql('SHOW application_name').scalar())\nop.execute('CREATE TABLE t1 (id int)')"));

        var result = await scene.MigrateAsync(migrator: new MigratorOptions { Budget = new LockBudget { LockTimeout = TimeSpan.FromSeconds(7) } });

        (await scene.RevisionAsync()).ShouldBe("r1000");
        result.Facts.To.ShouldBe(["r1000"]);
        result.Facts.Runner.ShouldBe("docker compose");
        scene.Log.All.ShouldContain($"lock_timeout is 7s as aragora-migrate-{scene.Run.RunId}");
        scene.Log.All.ShouldContain(line => line.Contains("Running upgrade  -> r1000", StringComparison.Ordinal));
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_failing_revision_is_told_as_where_Alembic_runs_here_and_no_secret_is_logged()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1).Add("r2000", "r1000", "import os\nprint('the URL is', os.environ['DATABASE_URL'])\nop.execute('SELECT 1/0')"));

        var told = await Should.ThrowAsync<NeedsPersonException>(scene.MigrateAsync());

        told.Message.ShouldContain("migrate production failed in r2000");
        told.Message.ShouldContain("DivisionByZero");
        told.Message.ShouldContain("The database is at r1000: 1 of 2 revisions are committed");
        scene.Log.All.ShouldContain(line => line.StartsWith("the URL is ", StringComparison.Ordinal));
        scene.Log.All.ShouldNotContain(line => line.Contains(scene.Environment.Database.Password!, StringComparison.Ordinal));
        System.IO.File.ReadAllText(scene.Run.Journal.Path).ShouldNotContain(scene.Environment.Database.Password!);
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_image_than_was_checked_is_stopped_and_a_person_is_called()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "op.execute('SELECT pg_sleep(300)')"));
        var (runner, tree) = (scene.Runner(), await scene.Tree.ReadAsync());
        await runner.RequireReadyAsync(scene.Environment, await DatabaseInspector.ReadAsync(scene.Environment, CancellationToken.None), tree, CancellationToken.None);

        scene.Tree.Add("r2000", "r1000", "pass");
        await scene.BuildImageAsync();
        var told = await Should.ThrowAsync<NeedsPersonException>(runner.RunAsync(new RunnerRequest(scene.Environment, MigrationDirection.Upgrade, "r1000", new LockBudget(), "aragora-migrate-x"), _ => { }, CancellationToken.None));

        told.What.ShouldContain("was started from another image than was checked");
        (await scene.OneOffsAsync()).ShouldBeEmpty();
        (await scene.RevisionAsync()).ShouldBe("");
    }

    [Fact]
    public async Task A_downgrade_goes_the_same_way()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(2));
        await scene.MigrateAsync();

        await new DowngradeRollback(scene.Run, scene.Commands, scene.Runner(), new MigratorOptions()).RunAsync(scene.Environment, await scene.Tree.ReadAsync(), "r1000", acceptDataLoss: true, CancellationToken.None);

        (await scene.RevisionAsync()).ShouldBe("r1000");
        scene.Log.All.ShouldContain(line => line.Contains("Running downgrade r2000 -> r1000", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_long_log_is_followed_to_its_last_line_each_line_once()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "import sys\nfor i in range(20000):\n    print('line', i, 'x' * 100, file=sys.stdout if i % 2 else sys.stderr)\nprint('long', 'y' * 100000)"));

        await scene.MigrateAsync();

        scene.Log.All.Count(line => line.StartsWith("line ", StringComparison.Ordinal)).ShouldBe(20000);
        scene.Log.All.ShouldContain(line => line.StartsWith("long yyy", StringComparison.Ordinal) && line.Length == 100005);
    }
}
