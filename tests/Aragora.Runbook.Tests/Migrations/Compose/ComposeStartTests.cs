using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

/// <summary>Compose starts the container for real, and then fails, or is killed: what it says afterwards is not what happened.</summary>
public sealed class ComposeStartTests(RealServer server)
{
    private const string Said = "was started, and Compose then said that it failed";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_migration_that_is_at_work_when_Compose_fails_or_is_killed_is_ended_and_not_called_unstarted(bool killed)
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "op.execute('SELECT pg_sleep(300)')"));
        var compose = new FailsAfterStart(server.Commands, () => scene.UntilAsync("query LIKE '%pg_sleep(300)%'", Task.Delay(-1)), killed);

        var told = await Should.ThrowAsync<NeedsPersonException>(MigrateAsync(scene, compose));

        compose.Started.ShouldBe(1);
        told.What.ShouldContain(Said);
        told.Why.ShouldContain("the migration may have begun; it is ended, and the database is asked where it stands");
        told.Why.ShouldContain("the database is at base as before");
        told.Message.ShouldNotContain("nothing was moved");
        scene.Log.All.ShouldContain("Cancelling the migration's statement, so that Alembic rolls back");
        await NothingIsLeftAsync(scene);
        (await scene.RevisionAsync()).ShouldBe("");
    }

    [Fact]
    public async Task A_migration_that_was_done_before_Compose_failed_is_told_with_where_the_database_is()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1));
        var compose = new FailsAfterStart(server.Commands, () => EndedAsync(scene), killed: false);

        var told = await Should.ThrowAsync<NeedsPersonException>(MigrateAsync(scene, compose));

        told.What.ShouldContain(Said);
        told.Why.ShouldContain("The database is at r1000, where it was to be");
        told.Message.ShouldNotContain("nothing was moved");
        await NothingIsLeftAsync(scene);
        (await scene.RevisionAsync()).ShouldBe("r1000");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_container_that_was_made_and_never_ran_is_refused_and_gone(bool killed)
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1));

        // As Compose leaves it where it dies between making a container and starting it.
        var compose = new FailsAfterStart(server.Commands, () => Task.CompletedTask, killed) { OnlyMakes = scene.Image };

        var told = await Should.ThrowAsync<FailedCleanException>(MigrateAsync(scene, compose));

        told.Message.ShouldContain("nothing was moved");
        told.Message.ShouldContain("The database is unchanged, at base");
        await NothingIsLeftAsync(scene);
    }

    private static async Task EndedAsync(ComposeScene scene)
    {
        var name = await NameAsync(scene);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await scene.Engine.StateAsync(name, deadline.Token) is not { Status: "exited" })
        {
            await Task.Delay(50, deadline.Token);
        }
    }

    private static async Task NothingIsLeftAsync(ComposeScene scene)
    {
        (await scene.Engine.StateAsync(await NameAsync(scene), CancellationToken.None)).ShouldBeNull();
        (await scene.OneOffsAsync()).ShouldBeEmpty();
        (await new MigrationSessions(scene.Environment).ListAsync(CancellationToken.None)).ShouldBeEmpty();
    }

    private static async Task<string> NameAsync(ComposeScene scene) =>
        ComposeRunner.NameOf(scene.Environment, (await DatabaseInspector.ReadAsync(scene.Environment, CancellationToken.None)).Identity);

    private static async Task<MigrationResult> MigrateAsync(ComposeScene scene, ICommandRunner compose)
    {
        var runner = new ComposeRunner(scene.Run, compose, scene.Reader(), new ImageCheck(scene.Commands, scene.Tree.Python, scene.Tree.Project), scene.Options);
        return await new Migrator(scene.Run, scene.Commands, runner, new MigratorOptions()).MigrateAsync(scene.Environment, await scene.Tree.ReadAsync(), "head", gate: null, CancellationToken.None);
    }

    /// <summary>Compose as it is, but for the container that migrates: that it starts, and fails after <paramref name="then"/>, or is killed there.</summary>
    private sealed class FailsAfterStart(ICommandRunner commands, Func<Task> then, bool killed) : ICommandRunner
    {
        public int Started { get; private set; }

        /// <summary>The image of a container that is made in its place, and not started; null for Compose's own, which runs.</summary>
        public string? OnlyMakes { get; init; }

        public async Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            if (NameOf(command) is not { } name)
            {
                return await commands.RunAsync(command, onLine, cancellation);
            }

            var made = OnlyMakes is null ? command : new Command { Program = "docker", Arguments = ["create", "--name", name, OnlyMakes] };
            var result = await commands.RunAsync(made, onLine, cancellation);
            result.Succeeded.ShouldBeTrue(result.Error);
            Started++;
            await then();
            return killed ? throw new OperationCanceledException("the client of Compose was killed") : result with { ExitCode = 1, Error = "Error response from daemon: unexpected EOF" };
        }

        private static string? NameOf(Command command) =>
            command.Arguments.SkipWhile(argument => argument != "--name").ElementAtOrDefault(1) is { } name && name.StartsWith("aragora-migration-", StringComparison.Ordinal) ? name : null;
    }
}
