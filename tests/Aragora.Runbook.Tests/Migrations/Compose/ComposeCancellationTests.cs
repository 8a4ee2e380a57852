using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

public sealed class ComposeCancellationTests(RealServer server)
{
    [Theory]
    [InlineData("op.execute('CREATE TABLE half (a int)')\nop.execute('SELECT pg_sleep(300)')", "query LIKE '%pg_sleep(300)%'")]
    [InlineData("op.execute('CREATE TABLE half (a int)')\nop.execute('SET application_name = \\'aragora-migrate-asleep\\'')\ntime.sleep(300)", "application_name = 'aragora-migrate-asleep'")]
    public async Task A_cancelled_migration_rolls_back_and_its_container_is_gone(string upgrade, string atWork)
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, upgrade));
        using var cancel = new CancellationTokenSource();

        var migration = scene.MigrateAsync(cancellation: cancel.Token);
        await scene.UntilAsync(atWork, migration);
        await cancel.CancelAsync();
        var told = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => migration);

        told.Message.ShouldContain("migrate production was cancelled. The database is unchanged, at base");
        (await scene.OneOffsAsync()).ShouldBeEmpty();
        (await new MigrationSessions(scene.Environment).ListAsync(CancellationToken.None)).ShouldBeEmpty();
        await using var lease = await new SingleFlight(RealServer.NewRun()).AcquireAsync(scene.Environment, TimeSpan.Zero, CancellationToken.None);
    }

    [Fact]
    public async Task A_cancellation_while_Compose_waits_for_a_dependency_leaves_no_container_of_ours()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1));
        scene.Write(scene.Service(more: ["depends_on:", "  slow:", "    condition: service_healthy"]) + $$"""
              slow:
                image: {{ComposeScene.BaseImage}}
                command: ["sleep", "600"]
                healthcheck:
                  test: ["CMD", "false"]
                  interval: 1s
                  start_period: 300s
                  retries: 300
            """);
        using var cancel = new CancellationTokenSource();

        var migration = scene.MigrateAsync(cancellation: cancel.Token);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await scene.Engine.FindAllAsync([$"com.docker.compose.project={scene.Id}", "com.docker.compose.service=slow"], deadline.Token)).Count == 0)
        {
            migration.IsCompleted.ShouldBeFalse();
            await Task.Delay(50, deadline.Token);
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => migration);

        (await scene.OneOffsAsync()).ShouldBeEmpty();
        (await scene.RevisionAsync()).ShouldBe("");
    }

    [Fact]
    public async Task A_killed_client_of_Compose_alone_leaves_its_container_running()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "op.execute('SELECT pg_sleep(300)')"));
        using var cancel = new CancellationTokenSource();
        var client = server.Commands.RunAsync(
            new Command { Program = scene.Tool.Program, Arguments = [.. scene.Tool.Prefix, "-f", scene.File, "-p", scene.Id, "run", "--rm", "-T", "aragora-api"], Grace = TimeSpan.Zero },
            cancellation: cancel.Token);
        await scene.UntilAsync("query LIKE '%pg_sleep(300)%'", client);
        var container = (await scene.OneOffsAsync()).ShouldHaveSingleItem();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client);

        // Neither --rm nor the client's end does anything to it: that is why the runner goes to the engine.
        (await scene.Engine.StateAsync(container.Name, CancellationToken.None))!.IsRunning.ShouldBeTrue();
    }
}
