using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

public sealed class ComposeChecksTests(RealServer server)
{
    [Fact]
    public async Task What_would_stop_a_migration_in_Compose_is_found_before_and_nothing_is_started()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1));

        (await AskAsync(scene, "compose-engine")).ShouldBeOfType<Finding.Ok>().Text.ShouldContain(scene.Engine.Version);
        (await AskAsync(scene, "compose-service")).ShouldBeOfType<Finding.Ok>().Text.ShouldBe($"aragora-api, read by {scene.Tool}");
        (await AskAsync(scene, "compose-image")).ShouldBeOfType<Finding.Ok>().Text.ShouldBe($"{scene.Image} is here");

        scene.Write(scene.Service(more: ["labels:", "  x: ${ARAGORA_TEST_UNSET}"]));
        (await AskAsync(scene, "compose-service")).ShouldBeOfType<Finding.Warning>().Text.ShouldContain("not set, and so empty there: ARAGORA_TEST_UNSET");

        scene.Write(scene.Service().Replace(scene.Image, "127.0.0.1:9/aragora/none:1", StringComparison.Ordinal));
        (await AskAsync(scene, "compose-image")).ShouldBeOfType<Finding.Refusal>().Text.ShouldContain("127.0.0.1:9/aragora/none:1 is not here, and its registry does not give it");

        scene.Write(scene.Service(more: ["build: ."]).Replace(scene.Image, "aragora-never-built:1", StringComparison.Ordinal));
        (await AskAsync(scene, "compose-image")).ShouldBeOfType<Finding.Ok>().Text.ShouldBe("aragora-never-built:1 is not here, and is built by Compose");

        await Should.ThrowAsync<RefusedException>(AskAsync(scene, "compose-service", scene.Options with { Service = "web" }));
        (await scene.OneOffsAsync()).ShouldBeEmpty();
    }

    private async Task<Finding> AskAsync(ComposeScene scene, string id, ComposeOptions? options = null) =>
        await new ComposeChecks(server.Commands, scene.Reader(options)).Of(TargetEnvironment.Production, _ => Task.FromResult(scene.Environment)).Single(check => check.Id == id).Run(CancellationToken.None);
}
