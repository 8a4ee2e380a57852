using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Servers;

public sealed class ContainerServerTests : IDisposable
{
    private const int Major = 15;
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_containers_arguments_are_settings_alone() =>
        string.Join(' ', ContainerServer.Arguments(new ThrowawayServerOptions { Folder = "/x" })).ShouldBe(
            "-c dynamic_shared_memory_type=mmap -c fsync=off -c full_page_writes=off -c lc_messages=C -c listen_addresses=* -c logging_collector=off "
            + "-c max_prepared_transactions=10 -c max_wal_senders=0 -c port=5432 -c wal_level=minimal");

    [Fact]
    public void An_engine_on_another_machine_is_not_used()
    {
        new EngineAddress("tcp://10.0.0.1:2375", "DOCKER_HOST").IsLocal.ShouldBeFalse();
        new EngineAddress("unix:///run/user/1000/podman/podman.sock", "DOCKER_HOST").IsLocal.ShouldBeTrue();
    }

    [Fact]
    public async Task A_container_answers_survives_a_stop_and_leaves_nothing_when_erased()
    {
        using var engine = await EngineAsync();
        var server = await StartAsync(engine);
        (await server.IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
        if (OperatingSystem.IsLinux())
        {
            Listening.At(server.Url.Port).ShouldBeSubsetOf(["127.0.0.1"]);
        }

        await server.StopAsync(CancellationToken.None);
        (await server.IsRunningAsync(CancellationToken.None)).ShouldBeFalse();
        var again = await StartAsync(engine);
        again.Url.Password.ShouldBe(server.Url.Password);
        (await again.IsRunningAsync(CancellationToken.None)).ShouldBeTrue();

        await again.EraseAsync(CancellationToken.None);
        await again.EraseAsync(CancellationToken.None);
        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
        (await engine.ListAsync(ContainerServer.FolderLabel, CancellationToken.None)).ShouldNotContain(one => one.Value == folder["server"]);
    }

    [Fact]
    public async Task A_container_whose_folder_is_gone_is_removed_by_the_next_run()
    {
        using var engine = await EngineAsync();
        var server = await StartAsync(engine);
        Directory.Delete(folder["server"], recursive: true);

        await ContainerServer.ReapAsync(engine, CancellationToken.None);

        (await server.IsRunningAsync(CancellationToken.None)).ShouldBeFalse();
        (await engine.ListAsync(ContainerServer.FolderLabel, CancellationToken.None)).ShouldNotContain(one => one.Value == folder["server"]);
    }

    [Fact]
    public async Task A_container_that_dies_at_its_start_says_why_at_once()
    {
        using var engine = await EngineAsync();
        var started = TimeProvider.System.GetTimestamp();
        var options = new ThrowawayServerOptions { Folder = folder["server"], Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["shared_buffers"] = "plenty" } };

        var told = await Should.ThrowAsync<Aragora.Runbook.Outcomes.FailedCleanException>(ContainerServer.StartAsync(engine, Major, options, new Aragora.Runbook.Journal.SecretMask(), CancellationToken.None));

        told.What.ShouldContain($"(postgres:{Major}) ended with exit code 1.");
        told.Why.ShouldContain("invalid value for parameter \"shared_buffers\": \"plenty\"");
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(options.Patience / 2);
        await (await ContainerServer.FindAsync(engine, options, new Aragora.Runbook.Journal.SecretMask(), CancellationToken.None))!.EraseAsync(CancellationToken.None);
        (await engine.ListAsync(ContainerServer.FolderLabel, CancellationToken.None)).ShouldNotContain(one => one.Value == folder["server"]);
    }

    [Fact]
    public async Task A_container_of_another_file_system_on_the_same_engine_is_left_alone_for_a_day()
    {
        using var engine = await EngineAsync();
        var name = $"aragora-throwaway-{Guid.NewGuid().ToString("N")[..10]}";
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [ContainerServer.FolderLabel] = folder["nowhere"], [ContainerServer.SurroundingsLabel] = "another-job mnt:[1]" };
        await engine.RunAsync(new ContainerRequest(name, ContainerServer.ImageOf(Major), [], new Dictionary<string, string>(StringComparer.Ordinal) { ["POSTGRES_PASSWORD"] = "x" }, labels, 5432), CancellationToken.None);
        try
        {
            (await ContainerServer.ReapAsync(engine, CancellationToken.None)).ShouldNotContain(name);
            (await engine.StateAsync(name, CancellationToken.None)).ShouldNotBeNull();
        }
        finally
        {
            await engine.RemoveAsync(name, CancellationToken.None);
        }
    }

    [Fact]
    public async Task Without_programs_the_provider_takes_a_container_and_finds_it_again()
    {
        using var engine = await EngineAsync();
        var run = RealServer.NewRun();
        var commands = new CommandRunner(TimeProvider.System);
        var none = new ServerBinaryProvider(run, commands) { MayInstall = false, FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>([]) };
        var servers = new ServerProvider(run, commands, none);
        var options = new ThrowawayServerOptions { Folder = folder["server"] };

        var server = await servers.StartAsync(options, Major, CancellationToken.None);
        server.ShouldBeOfType<ContainerServer>();
        (await servers.FindAsync(options, CancellationToken.None))!.Url.Port.ShouldBe(server.Url.Port);

        await servers.EraseAsync(options, CancellationToken.None);
        (await servers.FindAsync(options, CancellationToken.None)).ShouldBeNull();
    }

    private static async Task<DockerEngine> EngineAsync()
    {
        var engine = await DockerEngine.TryConnectAsync(CancellationToken.None);
        Assert.SkipWhen(engine is null, "no Docker engine answers");
        Assert.SkipUnless(await engine!.HasImageAsync(ContainerServer.ImageOf(Major), CancellationToken.None), $"the image {ContainerServer.ImageOf(Major)} is not here, and tests fetch none");
        return engine;
    }

    private Task<ContainerServer> StartAsync(DockerEngine engine) =>
        ContainerServer.StartAsync(engine, Major, new ThrowawayServerOptions { Folder = folder["server"] }, new Aragora.Runbook.Journal.SecretMask(), CancellationToken.None);
}
