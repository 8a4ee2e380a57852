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
        var commands = new Recorder("Inst postgresql-16 (16.9 Debian:13/stable [amd64])\nConf postgresql-16 (16.9 Debian:13/stable [amd64])\n");
        var looks = 0;
        var provider = new ServerBinaryProvider(run, commands)
        {
            MayInstall = true,
            FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>(looks++ == 0 ? [] : [new ServerBinaries("/x", 16, "16.1")]),
        };
        Assert.SkipUnless(File.Exists("/etc/postgresql-common/createcluster.conf"), "would write the machine's configuration");

        (await provider.FindOrInstallAsync(16, CancellationToken.None))!.Folder.ShouldBe("/x");

        const string Asked = "-o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold";
        commands.Seen.ShouldBe(
        [
            $"apt-get {Asked} --simulate -o APT::Get::Upgrade-By-Source-Package=false install -y --no-install-recommends --no-upgrade postgresql-16",
            $"apt-get {Asked} -o APT::Get::Upgrade-By-Source-Package=false install -y --no-install-recommends --no-upgrade --no-remove postgresql-16",
        ]);
        run.Journal.Dispose();
        (await File.ReadAllTextAsync(run.Journal.Path)).ShouldContain("install postgresql-16");
    }

    [Fact]
    public async Task What_is_installed_and_out_of_sight_is_not_upgraded_and_the_message_says_so()
    {
        var run = RealServer.NewRun();
        var commands = new Recorder("postgresql-15 is already the newest version (15.18-0+deb12u1).\n");
        var provider = new ServerBinaryProvider(run, commands) { MayInstall = true, FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>([]) };
        var servers = new ServerProvider(run, commands, provider) { ConnectAsync = _ => Task.FromResult<Aragora.Runbook.Adapters.Docker.DockerEngine?>(null) };

        var refusal = await Should.ThrowAsync<BadInputException>(() => servers.StartAsync(new ThrowawayServerOptions { Folder = folder["s"] }, 15, CancellationToken.None));
        (await servers.HasProgramsAsync(15, CancellationToken.None)).ShouldBeFalse();

        refusal.Message.ShouldContain("they were not installed (postgresql-15 is installed already, and what is wanted of it was not found)");
        refusal.Next.ShouldBe("dpkg -L postgresql-15 | grep /bin/   shows the folder; put it on the PATH; or start Docker; then repeat the command");
        commands.Seen.ShouldHaveSingleItem().ShouldContain("--simulate");
    }

    private sealed class Recorder(string simulation) : ICommandRunner
    {
        public List<string> Seen { get; } = [];

        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            Seen.Add(command.ToString());
            return Task.FromResult(new CommandResult(0, simulation, "", TimeSpan.Zero));
        }
    }
}
