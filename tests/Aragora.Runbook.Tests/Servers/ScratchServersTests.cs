using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Servers;

public sealed class ScratchServersTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CommandRunner commands = new(TimeProvider.System);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Several_at_once_are_apart_and_leave_nothing()
    {
        var scratch = New();
        await using (var first = await scratch.StartAsync("verify", Shape(), null, CancellationToken.None))
        await using (var second = await scratch.StartAsync("rehearse", Shape(), null, CancellationToken.None))
        {
            first.Server.Url.Port.ShouldNotBe(second.Server.Url.Port);
            (await first.Server.IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
            (await second.Server.IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
        }

        Directory.EnumerateFileSystemEntries(folder["scratch"]).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_a_dead_run_left_is_erased_by_the_next_and_what_a_living_run_uses_is_not()
    {
        await using var living = await New().StartAsync("living", Shape(), null, CancellationToken.None);

        // A run that died: its server runs, its lock file is there, and nobody holds it.
        var run = RealServer.NewRun();
        var abandoned = Path.Combine(folder["scratch"], "abandoned");
        var left = await new ServerProvider(run, commands, new ServerBinaryProvider(run, commands)).StartAsync(Shape() with { Folder = abandoned }, null, CancellationToken.None);
        await File.WriteAllTextAsync(abandoned + ".owner", "");

        await New().ReapAsync(CancellationToken.None);

        Directory.Exists(abandoned).ShouldBeFalse();
        (await left.IsRunningAsync(CancellationToken.None)).ShouldBeFalse();
        (await living.Server.IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task One_that_cannot_be_erased_does_not_keep_the_others()
    {
        // A container, and no engine answers.
        var held = Directory.CreateDirectory(folder["scratch/a-held"]).FullName;
        await new ServerState { Container = "gone", Major = 15, Port = 1, Password = "x" }.WriteAsync(held, CancellationToken.None);
        var abandoned = Directory.CreateDirectory(folder["scratch/b-abandoned"]).FullName;
        await File.WriteAllTextAsync(held + ".owner", "");
        await File.WriteAllTextAsync(abandoned + ".owner", "");
        var run = RealServer.NewRun();
        var provider = new ServerProvider(run, commands, new ServerBinaryProvider(run, commands)) { ConnectAsync = _ => Task.FromResult<Aragora.Runbook.Adapters.Docker.DockerEngine?>(null) };

        await new ScratchServers(run, provider, folder["scratch"]).ReapAsync(CancellationToken.None);

        Directory.Exists(abandoned).ShouldBeFalse();
        File.Exists(held + ".owner").ShouldBeTrue();
    }

    private static ThrowawayServerOptions Shape() => new() { Folder = "" };

    private ScratchServers New()
    {
        var run = RealServer.NewRun();
        return new ScratchServers(run, new ServerProvider(run, commands, new ServerBinaryProvider(run, commands)), folder["scratch"]);
    }
}
