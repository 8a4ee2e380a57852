using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Docker;

/// <summary>Logs and ends, on the real engine.</summary>
public sealed class DockerEngineTests(RealServer server)
{
    private const string Image = "postgres:15";
    private static readonly string[] Role = ["org.aragora.tests"];

    [Fact]
    public async Task A_log_whose_stream_breaks_is_followed_without_losing_or_repeating_a_line()
    {
        using var local = await EngineAsync();
        using var proxy = new EngineBehindProxy(local.Address.Uri!.LocalPath);
        using var engine = (await DockerEngine.ConnectAsync(new EngineAddress(proxy.Address, "the test"), CancellationToken.None)).Engine!;
        var name = await StartAsync(local, "i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); sleep 0.01; done; printf 'no end of line'; exit 7");
        try
        {
            var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
            var following = engine.FollowAsync(name, lines.Enqueue, TimeSpan.FromSeconds(30), CancellationToken.None);
            var breaks = 0;
            while (!following.IsCompleted)
            {
                var told = lines.Count;
                await Task.WhenAny(following, Task.Delay(500));
                if (!following.IsCompleted && lines.Count > told)
                {
                    proxy.Break();
                    breaks++;
                }
            }

            var end = await following;

            breaks.ShouldBeGreaterThan(1);
            end.ShouldNotBeNull().ExitCode.ShouldBe(7);
            lines.Where(line => line.StartsWith("out", StringComparison.Ordinal)).ShouldBe(Enumerable.Range(0, 300).Select(i => $"out {i}"));
            lines.Where(line => line.StartsWith("err", StringComparison.Ordinal)).ShouldBe(Enumerable.Range(0, 300).Select(i => $"err {i}"));
            lines.Count(line => line == "no end of line").ShouldBe(1);
        }
        finally
        {
            await local.RemoveAsync(name, CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_log_that_is_rotated_while_the_engine_is_away_goes_on_where_it_was_and_what_is_lost_is_told()
    {
        using var local = await EngineAsync();
        using var proxy = new EngineBehindProxy(local.Address.Uri!.LocalPath);
        using var engine = (await DockerEngine.ConnectAsync(new EngineAddress(proxy.Address, "the test"), CancellationToken.None)).Engine!;
        var name = $"aragora-test-{Guid.NewGuid().ToString("N")[..10]}";

        // A file holds about 50 of these lines, and two files are kept.
        const string Script = "i=1000; say() { while [ $i -lt $1 ]; do echo line $i; i=$((i+1)); done; while [ ! -e /go-$1 ]; do sleep 0.05; done; }; say 1060; say 1120; say 1420";
        await DockerAsync("run", "--detach", "--name", name, "--label", Role[0], "--log-driver", "json-file", "--log-opt", "max-size=4k", "--log-opt", "max-file=2", "--entrypoint", "sh", Image, "-c", Script);
        try
        {
            await UntilAsync(async () => (await local.LogTailAsync(name, 1, CancellationToken.None)).Contains("line 1059", StringComparison.Ordinal));
            var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
            var following = engine.FollowAsync(name, lines.Enqueue, TimeSpan.FromSeconds(60), CancellationToken.None);
            await UntilAsync(() => Task.FromResult(lines.Contains("line 1059")));

            await AwayAsync(1060, 1119);
            (await local.LogTailAsync(name, 1000, CancellationToken.None)).ShouldNotContain("line 1000");
            await UntilAsync(() => Task.FromResult(lines.Contains("line 1119")));
            lines.ShouldBe(Enumerable.Range(1000, 120).Select(i => $"line {i}"));

            await AwayAsync(1120, 1419);
            await DockerAsync("exec", name, "touch", "/go-1420");
            (await following).ShouldNotBeNull().ExitCode.ShouldBe(0);
            var kept = lines.Skip(121).ToList();
            lines.ElementAt(120).ShouldBe("(the log was rotated while it could not be read: lines may be missing here)");
            kept.Count.ShouldBeInRange(40, 120);
            kept.ShouldBe(Enumerable.Range(1420 - kept.Count, kept.Count).Select(i => $"line {i}"));
        }
        finally
        {
            await local.RemoveAsync(name, CancellationToken.None);
        }

        async Task AwayAsync(int go, int last)
        {
            proxy.IsAway = true;
            proxy.Break();
            await DockerAsync("exec", name, "touch", $"/go-{go}");
            await UntilAsync(async () => (await local.LogTailAsync(name, 1, CancellationToken.None)).Contains($"line {last}", StringComparison.Ordinal));
            proxy.IsAway = false;
        }
    }

    [Fact]
    public async Task An_engine_that_stays_away_is_given_up_after_the_patience_and_the_container_goes_on()
    {
        using var local = await EngineAsync();
        var proxy = new EngineBehindProxy(local.Address.Uri!.LocalPath);
        using var engine = (await DockerEngine.ConnectAsync(new EngineAddress(proxy.Address, "the test"), CancellationToken.None)).Engine!;
        var name = await StartAsync(local, "echo first; sleep 60");
        try
        {
            var first = new TaskCompletionSource();
            var following = engine.FollowAsync(name, _ => first.TrySetResult(), TimeSpan.FromSeconds(1), CancellationToken.None);
            await first.Task.WaitAsync(TimeSpan.FromSeconds(30));
            proxy.Dispose();

            var lost = await Should.ThrowAsync<EngineLostException>(following);

            lost.Message.ShouldContain("did not answer for 1 s");
            (await local.StateAsync(name, CancellationToken.None))!.IsRunning.ShouldBeTrue();
        }
        finally
        {
            proxy.Dispose();
            await local.RemoveAsync(name, CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_container_that_is_not_there_has_no_end()
    {
        using var engine = await EngineAsync();

        (await engine.StateAsync("aragora-none", CancellationToken.None)).ShouldBeNull();
        (await engine.FollowAsync("aragora-none", _ => { }, TimeSpan.FromSeconds(1), CancellationToken.None)).ShouldBeNull();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(50, deadline.Token);
        }
    }

    private async Task DockerAsync(params string[] arguments)
    {
        var result = await server.Commands.RunAsync(new Command { Program = "docker", Arguments = arguments });
        result.Succeeded.ShouldBeTrue(result.Error);
    }

    private static async Task<DockerEngine> EngineAsync()
    {
        var engine = await DockerEngine.TryConnectAsync(CancellationToken.None);
        Assert.SkipWhen(engine is null, "no Docker engine answers");
        Assert.SkipUnless(await engine!.HasImageAsync(Image, CancellationToken.None), $"the image {Image} is not here, and tests fetch none");
        Assert.SkipUnless(engine.Address.Host.StartsWith("unix://", StringComparison.Ordinal), "the engine is not behind a Unix socket");
        return engine;
    }

    private static async Task<string> StartAsync(DockerEngine engine, string script)
    {
        var name = $"aragora-test-{Guid.NewGuid().ToString("N")[..10]}";
        var command = new ContainerRequest(name, Image, ["-c", script], new Dictionary<string, string>(StringComparer.Ordinal), Role.ToDictionary(label => label, _ => "", StringComparer.Ordinal), 5432) { Entrypoint = ["sh"] };
        await engine.RunAsync(command, CancellationToken.None);
        return name;
    }
}
