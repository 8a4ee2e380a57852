using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Outcomes;
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
}
