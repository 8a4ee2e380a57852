using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Servers;

public sealed class ServerBinaryProviderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_installation_asks_nothing_keeps_configuration_and_waits_for_another_package_manager() =>
        string.Join(' ', ServerBinaryProvider.InstallArguments("postgresql")).ShouldBe(
            "-o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold install -y --no-install-recommends postgresql");

    [Fact]
    public async Task Without_programs_packages_or_engine_the_message_says_what_to_install()
    {
        var run = RealServer.NewRun();
        var commands = new CommandRunner(TimeProvider.System);
        var none = new ServerBinaryProvider(run, commands) { MayInstall = false, FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>([]) };
        var servers = new ServerProvider(run, commands, none) { ConnectAsync = _ => Task.FromResult<Aragora.Runbook.Adapters.Docker.DockerEngine?>(null) };

        var refusal = await Should.ThrowAsync<BadInputException>(() => servers.StartAsync(new ThrowawayServerOptions { Folder = folder["s"] }, 15, CancellationToken.None));

        refusal.Message.ShouldContain("no PostgreSQL 15 server");
        refusal.Message.ShouldContain("then repeat the command");
        Directory.Exists(folder["s"]).ShouldBeFalse();
    }

    [Fact]
    public async Task Where_installing_is_allowed_it_is_done_once_journalled_and_the_programs_are_found_afterwards()
    {
        var run = RealServer.NewRun();
        var commands = new Recorder();
        var looks = 0;
        var provider = new ServerBinaryProvider(run, commands)
        {
            MayInstall = true,
            FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>(looks++ == 0 ? [] : [new ServerBinaries("/x", 16, "16.1")]),
        };
        Assert.SkipUnless(File.Exists("/etc/postgresql-common/createcluster.conf"), "would write the machine's configuration");

        (await provider.FindOrInstallAsync(16, CancellationToken.None))!.Folder.ShouldBe("/x");

        commands.Seen.ShouldBe(["apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold install -y --no-install-recommends postgresql-16"]);
        run.Journal.Dispose();
        (await File.ReadAllTextAsync(run.Journal.Path)).ShouldContain("install postgresql-16");
    }

    private sealed class Recorder : ICommandRunner
    {
        public List<string> Seen { get; } = [];

        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            Seen.Add(command.ToString());
            return Task.FromResult(new CommandResult(0, "", "", TimeSpan.Zero));
        }
    }
}
