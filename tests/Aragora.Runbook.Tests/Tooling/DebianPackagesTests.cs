using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Tests.Applications;
using Aragora.Runbook.Tooling;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Tooling;

/// <summary>Real apt-get simulations against this machine's packages and a repository of our own; the installation itself is a stand-in, for a test installs nothing.</summary>
public sealed class DebianPackagesTests(RealServer server)
{
    private readonly List<string> lines = [];

    [Fact]
    public async Task An_installation_that_would_upgrade_a_running_servers_package_is_refused()
    {
        var apt = await AptAsync("Package: wants-newer-server\nDepends: $server (>= 99)", "Package: $server\nDepends: $needs");
        var package = $"postgresql-{server.Server.Binaries.Major}";

        var why = await InstallAsync(apt, "wants-newer-server");

        why.ShouldStartWith($"refused: installing wants-newer-server would upgrade {package} ");
        why.ShouldMatch($@" → 99999, which the running server {server.Server.Binaries["postgres"]} \(process \d+\) uses$");
        apt.Installations.ShouldBeEmpty();
    }

    [Fact]
    public async Task So_is_one_that_would_restart_its_service()
    {
        var apt = await AptAsync("Package: wants-newer-service\nDepends: postgresql-common (>= 9999)", "Package: postgresql-common\nDepends: postgresql-client-common", "Package: postgresql-client-common");

        var why = await InstallAsync(apt, "wants-newer-service");

        why.ShouldStartWith("refused: installing wants-newer-service would upgrade postgresql-common ");
        why.ShouldEndWith(", and restart its service while a PostgreSQL server runs");
        apt.Installations.ShouldBeEmpty();
    }

    [Fact]
    public async Task So_is_one_that_would_remove_a_package()
    {
        var apt = await AptAsync("Package: goes-not-with-tzdata\nConflicts: tzdata");

        (await InstallAsync(apt, "goes-not-with-tzdata")).ShouldStartWith("refused: installing goes-not-with-tzdata would remove ");
        apt.Installations.ShouldBeEmpty();
    }

    [Fact]
    public async Task Any_other_upgrade_is_said_before_it_is_done()
    {
        var apt = await AptAsync("Package: wants-newer-data\nDepends: tzdata (>= 9999)", "Package: tzdata");

        (await InstallAsync(apt, "wants-newer-data")).ShouldBe("installed");

        lines.ShouldContain(line => line.StartsWith("Installing wants-newer-data upgrades tzdata ", StringComparison.Ordinal) && line.EndsWith(" → 99999, of which no running server uses a file", StringComparison.Ordinal));
        apt.Installations.ShouldBe(["apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold -o APT::Get::Upgrade-By-Source-Package=false install -y --no-install-recommends --no-upgrade --no-remove wants-newer-data"]);
    }

    [Theory]
    [InlineData("/usr/lib/postgresql/15/bin/postgres", "which the running server /usr/lib/postgresql/15/bin/postgres (process 7) uses")]
    [InlineData("/opt/timescale/bin/postmaster", "which the running server /opt/timescale/bin/postmaster (process 7) uses")]
    [InlineData("/usr/bin/psql", null)]
    public async Task A_library_that_a_server_has_loaded_is_a_part_of_it(string program, string? refusal)
    {
        var apt = await AptAsync("Package: wants-newer-data\nDepends: tzdata (>= 9999)", "Package: tzdata");
        var running = new RunningProgram(7, program, [program, "/usr/share/zoneinfo/UTC"]);

        (await InstallAsync(apt, "wants-newer-data", [running])).ShouldEndWith(refusal ?? "installed");
    }

    [Fact]
    public async Task A_service_is_not_restarted_while_its_program_runs_and_without_one_its_upgrade_is_said()
    {
        var apt = await AptAsync("Package: wants-newer-service\nDepends: postgresql-common (>= 9999)", "Package: postgresql-common\nDepends: postgresql-client-common", "Package: postgresql-client-common");

        (await InstallAsync(apt, "wants-newer-service", [new RunningProgram(7, "/usr/bin/dash", ["/usr/bin/dash"])])).ShouldBe("installed");
        (await InstallAsync(apt, "wants-newer-service", [new RunningProgram(7, "/usr/bin/pg_ctlcluster", ["/usr/bin/pg_ctlcluster"])])).ShouldEndWith("and restart its service with /usr/bin/pg_ctlcluster (process 7)");
    }

    [Fact]
    public void What_a_simulation_says_is_read_line_by_line()
    {
        var plan = PackagePlan.Parse(
            """
            The following packages will be upgraded:
            Inst libpq-dev [15.18-0+deb12u1] (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64]) []
            Inst libpq5:i386 [1:15.18] (1:15.20 Debian:12 [i386])
            Inst pgbouncer (1.18.0-1 Debian:12.15/oldstable [amd64])
            Remv mail-reader [1.0]
            Conf libpq-dev (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64])
            Conf pgbouncer (1.18.0-1 Debian:12.15/oldstable [amd64])
            Conf postgresql-15 (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64])
            """);

        plan.New.ShouldBe(["pgbouncer"]);
        plan.Removals.ShouldBe(["mail-reader"]);
        string.Join('\n', plan.Upgrades).ShouldBe(
            """
            libpq-dev 15.18-0+deb12u1 → 15.20-0+deb12u1
            libpq5 1:15.18 → 1:15.20
            postgresql-15 (half installed) → 15.20-0+deb12u1
            """);
        plan.IsEmpty.ShouldBeFalse();
        PackagePlan.Parse("0 upgraded, 0 newly installed, 0 to remove and 134 not upgraded.\n").IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_there_is_not_upgraded_though_the_registry_has_a_newer_one()
    {
        var apt = await AptAsync("Package: tzdata");

        (await InstallAsync(apt, "tzdata")).ShouldBe("tzdata is installed already, and what is wanted of it was not found");
        apt.Installations.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_to_be_prepared_is_prepared_only_where_something_is_installed()
    {
        var apt = await AptAsync("Package: brand-new", "Package: goes-not-with-tzdata\nConflicts: tzdata");
        var prepared = 0;
        Task Prepare(CancellationToken cancellation)
        {
            prepared++;
            return Task.CompletedTask;
        }

        (await new DebianPackages(apt, LogLines.To(lines)).InstallAsync(["goes-not-with-tzdata"], CancellationToken.None, Prepare)).ShouldNotBeNull();
        prepared.ShouldBe(0);
        (await new DebianPackages(apt, LogLines.To(lines)).InstallAsync(["brand-new"], CancellationToken.None, Prepare)).ShouldBeNull();
        prepared.ShouldBe(1);
    }

    [Fact]
    public async Task A_package_that_nobody_knows_has_the_lists_read_anew_once()
    {
        var apt = await AptAsync();

        (await InstallAsync(apt, "there-is-no-such-package")).ShouldStartWith("apt-get cannot install there-is-no-such-package: E: Unable to locate package");

        apt.Updates.ShouldBe(1);
        apt.Installations.ShouldBeEmpty();
    }

    private async Task<string> InstallAsync(SimulatedApt apt, string package, IReadOnlyList<RunningProgram>? programs = null)
    {
        var packages = programs is null ? new DebianPackages(apt, LogLines.To(lines)) : new DebianPackages(apt, LogLines.To(lines)) { ReadPrograms = () => programs };
        return (await packages.InstallAsync([package], CancellationToken.None))?.Why ?? "installed";
    }

    /// <summary>An apt-get with a repository of these packages alone, all of version 99999, and with this machine's own installed packages.</summary>
    private async Task<SimulatedApt> AptAsync(params string[] packages)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/apt-get"), "no Debian");
        var owned = await server.Commands.RunAsync(new Command { Program = "dpkg-query", Arguments = ["--search", server.Server.Binaries["postgres"]] });
        Assert.SkipUnless(owned.Succeeded, $"{server.Server.Binaries.Folder} is of no package");
        var package = owned.Output.Split(':')[0];
        var needs = (await server.Commands.RunAsync(new Command { Program = "dpkg-query", Arguments = ["--show", "--showformat", "${Depends}", package] })).Output.Trim();
        var folder = TestFolders.New("apt");
        foreach (var name in new[] { "hooks", "repository", "state/lists/partial", "cache/archives/partial" })
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
        }

        var stanzas = packages.Select(stanza => stanza.Replace("$server", package, StringComparison.Ordinal).Replace("$needs", needs, StringComparison.Ordinal));
        await File.WriteAllTextAsync(
            Path.Combine(folder, "repository", "Packages"),
            string.Concat(stanzas.Select(stanza => $"{stanza}\nVersion: 99999\nArchitecture: all\nMaintainer: tests\nFilename: ./none.deb\nSize: 1\nSHA256: {new string('0', 64)}\nDescription: none\n\n")));
        await File.WriteAllTextAsync(Path.Combine(folder, "sources.list"), $"deb [trusted=yes] file:{folder}/repository ./\n");
        var configuration = Path.Combine(folder, "apt.conf");
        await File.WriteAllTextAsync(
            configuration,
            $"""
            Dir::State "{folder}/state";
            Dir::State::status "/var/lib/dpkg/status";
            Dir::Cache "{folder}/cache";
            Dir::Etc::sourcelist "{folder}/sources.list";
            Dir::Etc::sourceparts "-";
            Dir::Etc::parts "{folder}/hooks";
            APT::Sandbox::User "root";
            """);
        var apt = new SimulatedApt(server.Commands, configuration);
        (await apt.RunAsync(new Command { Program = "apt-get", Arguments = ["update"] })).Error.ShouldBeEmpty();
        apt.Updates = 0;
        return apt;
    }

    /// <summary>Hands simulations, updates and questions on to the real programs, and notes an installation instead of making it.</summary>
    private sealed class SimulatedApt(ICommandRunner inner, string configuration) : ICommandRunner
    {
        public List<string> Installations { get; } = [];

        public int Updates { get; set; }

        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            Updates += command.Arguments.Contains("update") ? 1 : 0;
            if (command.Arguments.Contains("install") && !command.Arguments.Contains("--simulate"))
            {
                Installations.Add(command.ToString());
                return Task.FromResult(new CommandResult(0, "", "", TimeSpan.Zero));
            }

            var variables = new Dictionary<string, string?>(command.Environment, StringComparer.Ordinal) { ["APT_CONFIG"] = configuration };
            return inner.RunAsync(command with { Environment = variables }, onLine, cancellation);
        }
    }
}
