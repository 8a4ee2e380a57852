using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

/// <summary>Each failure for real, with a message of its own, before anything is moved.</summary>
public sealed class ComposeFailureStoriesTests(RealServer server)
{
    [Fact]
    public async Task An_image_with_another_tree_is_refused_and_nothing_is_moved()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1));
        scene.Tree.Add("r2000", "r1000", "pass");

        var refusal = await Should.ThrowAsync<RefusedException>(scene.MigrateAsync());

        refusal.What.ShouldBe($"The service aragora-api ({scene.Image}) holds another migrations tree than this checkout.");
        refusal.Why.ShouldContain("versions/r2000_step.py is missing there");
        await UnmovedAsync(scene);
    }

    [Fact]
    public async Task A_service_that_reaches_another_database_is_refused()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1));
        var other = await server.NewDatabaseAsync();
        scene.Write(scene.Service(other.Database.ToSecretUrl("postgresql")));

        var refusal = await Should.ThrowAsync<RefusedException>(scene.MigrateAsync());

        refusal.What.ShouldContain("reaches another database than PRODUCTION_DATABASE_URL");
        refusal.Message.ShouldNotContain(scene.Environment.Database.Password!);
        await UnmovedAsync(scene);
    }

    [Fact]
    public async Task A_missing_image_a_missing_service_and_a_missing_file_are_told_apart()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1), build: false);
        var image = await Should.ThrowAsync<RefusedException>(scene.MigrateAsync());
        image.What.ShouldBe($"The image {scene.Image} is not here, and cannot be pulled.");
        image.Next.ShouldContain($"docker pull {scene.Image}");

        var service = await Should.ThrowAsync<RefusedException>(scene.MigrateAsync(options: scene.Options with { Service = "web" }));
        service.What.ShouldBe($"There is no service web in {scene.File}.");
        service.Why.ShouldBe("the services there are aragora-api");

        var file = await Should.ThrowAsync<BadInputException>(scene.MigrateAsync(options: scene.Options with { Files = ["/nonexistent/compose.yaml"] }));
        file.What.ShouldBe("There is no Compose file /nonexistent/compose.yaml.");
        await UnmovedAsync(scene);
    }

    [Fact]
    public async Task A_broken_file_a_variable_that_is_not_set_and_a_lone_dollar_are_told_apart_without_what_the_file_holds()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1), build: false);
        scene.Write(scene.Service(more: ["comand: x"]));
        var broken = await Should.ThrowAsync<BadInputException>(scene.MigrateAsync());
        broken.What.ShouldBe($"Compose cannot read {scene.File}.");
        broken.Why.ShouldContain("comand");

        scene.Write(scene.Service(more: ["  PW: ${ARAGORA_TEST_UNSET:?ask the team}", "  OTHER: hunter-twelve"]));
        var unset = await Should.ThrowAsync<BadInputException>(scene.MigrateAsync());
        unset.What.ShouldBe($"The variable ARAGORA_TEST_UNSET, which {scene.File} wants, is not set.");
        unset.Why.ShouldBe("ask the team");
        unset.Message.ShouldNotContain("hunter-twelve");
        unset.Message.ShouldNotContain(scene.Environment.Database.Password!);

        scene.Write(scene.Service(more: ["  PW: hunter$ twelve"]));
        var dollar = await Should.ThrowAsync<BadInputException>(scene.MigrateAsync());
        dollar.What.ShouldContain("has a \"$\" that Compose takes for a variable");
        dollar.Message.ShouldNotContain("hunter");
    }

    [Fact]
    public async Task A_dependency_that_does_not_become_healthy_is_named_with_what_it_says()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1));
        scene.Write(scene.Service(more: ["depends_on:", "  sick:", "    condition: service_healthy"]) + $$"""
              sick:
                image: {{ComposeScene.BaseImage}}
                command: ["sh", "-c", "echo disk quota exceeded >&2; sleep 600"]
                healthcheck:
                  test: ["CMD-SHELL", "echo no answer on 5432; exit 1"]
                  interval: 1s
                  retries: 1
            """);

        var refusal = await Should.ThrowAsync<RefusedException>(scene.MigrateAsync());

        refusal.What.ShouldBe("What the service aragora-api depends on does not come up.");
        refusal.Why.ShouldContain("is unhealthy; its health check says: no answer on 5432; its log ends: disk quota exceeded");
        await UnmovedAsync(scene);
    }

    [Fact]
    public async Task Out_of_memory_is_told_with_the_limit()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "x = bytearray(300 * 1024 * 1024)\nx[::4096] = b'1' * len(x[::4096])"));
        scene.Write(scene.Service(more: ["mem_limit: 96m", "memswap_limit: 96m"]));

        var told = await Should.ThrowAsync<FailedCleanException>(scene.MigrateAsync());

        told.What.ShouldContain("ran out of memory and was killed (exit code 137)");
        told.Why.ShouldContain("its limit is 96 MiB. The database is unchanged, at base");
        told.Next.ShouldContain("raise mem_limit");
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("kill", "was killed \\(exit code 137\\)")]
    [InlineData("stop -t 1", "was killed \\(exit code 137\\)")]
    [InlineData("rm -f", "was killed \\(exit code 137\\)|is gone, and nobody knows how it ended")]
    public async Task A_container_that_somebody_ends_is_told_as_that(string act, string said)
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.Add("r1000", null, "op.execute('SELECT pg_sleep(300)')"));
        var migration = scene.MigrateAsync();
        await scene.UntilAsync("query LIKE '%pg_sleep(300)%'", migration);

        await scene.DockerAsync([.. act.Split(' '), (await scene.OneOffsAsync()).ShouldHaveSingleItem().Name]);
        var told = await Should.ThrowAsync<NeedsPersonException>(migration);

        told.Message.ShouldMatch(said);
        told.Message.ShouldContain("still at work: pid");
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_program_that_is_not_in_the_image_and_one_that_may_not_be_executed_are_told_apart()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1));
        scene.Write(scene.Service(command: "[\"/opt/none/alembic\", \"-c\", \"/srv/tree/alembic.ini\", \"upgrade\", \"head\"]"));
        var missing = await Should.ThrowAsync<FailedCleanException>(scene.MigrateAsync());
        missing.Message.ShouldContain("The program is not in the image of the service aragora-api (exit code 127)");
        missing.Why.ShouldContain("/opt/none/alembic");

        scene.Write(scene.Service(command: "[\"/srv/tree/alembic\", \"-c\", \"/srv/tree/alembic.ini\", \"upgrade\", \"head\"]", more: ["volumes:", $"  - {Program(scene, UnixFileMode.UserRead)}:/srv/tree/alembic"]));
        var denied = await Should.ThrowAsync<FailedCleanException>(scene.MigrateAsync());
        denied.Message.ShouldContain("may not be executed in the image of the service aragora-api (exit code 126)");

        Program(scene, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var foreign = await Should.ThrowAsync<FailedCleanException>(scene.MigrateAsync());
        foreign.Message.ShouldContain("is of another kind of machine");
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_this_user_may_not_ask_the_engine_the_group_is_named()
    {
        var address = new EngineAddress("unix:///var/run/docker.sock", "the usual place");
        Assert.SkipUnless(File.Exists("/var/run/docker.sock"), "there is no socket of an engine");

        var told = await ComposeEngine.ExplainAsync(new EngineConnection(null, address, Denied: true, "Permission denied"), server.Commands, CancellationToken.None);

        told.What.ShouldBe("This user may not ask the Docker engine at unix:///var/run/docker.sock (the usual place).");
        told.Next.ShouldMatch(@"^sudo usermod -aG \w+ ");
    }

    /// <summary>A file that is no program of this machine.</summary>
    private static string Program(ComposeScene scene, UnixFileMode mode)
    {
        var path = Path.Combine(scene.Folder, "program");
        File.WriteAllText(path, "no program at all\n");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no execute bits on Windows");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode | UnixFileMode.UserWrite);
        }

        return path;
    }

    private static async Task UnmovedAsync(ComposeScene scene)
    {
        (await scene.RevisionAsync()).ShouldBe("");
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }
}
