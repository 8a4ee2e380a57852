using System.IO.Compression;
using System.Security.Cryptography;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tooling;
using Serilog;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Tooling;

public sealed class PythonToolsTests
{
    private readonly CommandRunner commands = new(TimeProvider.System);
    private readonly string root = TestFolders.New("python");

    [Fact]
    public async Task What_is_there_is_found_once_and_asked_once()
    {
        var counting = new CountingRunner(commands);
        using var tools = new PythonTools(counting, Quiet(), Options() with { SystemInterpreters = [], SearchPath = [FakePython("python3", "{\"version\": \"1.13.0\", \"driver\": \"psycopg2\"}")] });

        var first = await tools.AlembicAsync(CancellationToken.None);
        var second = await tools.AlembicAsync(CancellationToken.None);

        first.ShouldBe(second);
        first.Version.ShouldBe("1.13.0");
        first.Origin.ShouldBe("on the PATH");
        counting.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_interpreter_without_a_driver_does_not_count()
    {
        using var tools = new PythonTools(commands, Quiet(), Options() with { SystemInterpreters = [], SearchPath = [FakePython("python3", "{\"version\": \"1.13.0\", \"driver\": null}")] });

        var missing = await Should.ThrowAsync<BadInputException>(() => tools.AlembicAsync(CancellationToken.None));

        missing.Message.ShouldContain("the system's packages need root");
        missing.Next.ShouldContain("apt-get install alembic python3-psycopg2");
    }

    [Theory]
    [InlineData("#!/opt/some/bin/python3\nimport x\n", "/opt/some/bin/python3")]
    [InlineData("#!/opt/some/bin/python3 -I\n", "/opt/some/bin/python3")]
    [InlineData("#!/bin/sh\n'''exec' \"/with space/python\" \"$0\" \"$@\"\n' '''\n", "/with space/python")]
    [InlineData("#!/usr/bin/env bash\nexec pyenv\n", null)]
    [InlineData("", null)]
    public void The_interpreter_of_a_script_is_in_its_first_lines(string text, string? expected)
    {
        var script = Path.Combine(root, "alembic");
        File.WriteAllText(script, text);

        PythonCandidates.FromScript(script).ShouldBe(expected is null ? [] : [expected]);
    }

    [Fact]
    public async Task Requirements_go_into_a_virtual_environment_that_the_next_run_finds_again()
    {
        var python = await PythonWithVenvAsync();
        WriteWheel("alembic", "9.9");
        WriteWheel("sqlalchemy", "2.0");
        WriteWheel("psycopg", "3.1");
        var requirements = Path.Combine(root, "requirements.txt");
        File.WriteAllText(requirements, "alembic==9.9\nsqlalchemy==2.0\npsycopg==3.1\n");
        var options = Options() with
        {
            RequirementsFile = requirements,
            SystemInterpreters = [],
            SearchPath = [LinkTo(python)],
            PipEnvironment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["PIP_NO_INDEX"] = "1", ["PIP_FIND_LINKS"] = root },
        };
        var isolated = new IsolatingRunner(commands);
        using var tools = new PythonTools(isolated, Quiet(), options);
        using var next = new PythonTools(isolated, Quiet(), options);

        var tool = await tools.AlembicAsync(CancellationToken.None);
        var again = await next.AlembicAsync(CancellationToken.None);

        tool.Origin.ShouldBe("virtual environment");
        tool.Version.ShouldBe("9.9");
        tool.Driver.ShouldBe("psycopg");
        tool.Interpreter.ShouldStartWith(Path.Combine(root, ".nuke", "temp", "python-"));
        again.ShouldBe(tool);
        Directory.EnumerateFileSystemEntries(Path.Combine(root, ".nuke", "temp")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Without_a_registry_the_next_way_is_taken_and_nothing_half_made_is_left_not_even_by_a_killed_run()
    {
        var requirements = Path.Combine(root, "requirements.txt");
        File.WriteAllText(requirements, "alembic==1.13.0\n");

        // A Python whose virtual environments are made at once and whose pip reaches nothing.
        var folder = TestFolders.New("bin");
        var python = Path.Combine(folder, "python3");
        TestFolders.Script(python, "#!/bin/sh\ncase \"$1 $2\" in\n'-m venv') mkdir -p \"$3/bin\" && cp \"$0\" \"$3/bin/python\" ;;\n'-m pip') echo 'ERROR: No matching distribution found for alembic==1.13.0' >&2; exit 1 ;;\n*) cat > /dev/null; exit 1 ;;\nesac\n");
        using var tools = new PythonTools(commands, Quiet(), Options() with { RequirementsFile = requirements, SystemInterpreters = [], SearchPath = [folder] });

        // As a killed run leaves it.
        var orphan = Path.Combine(root, ".nuke", "temp", "python-0123.4567.partial");
        Directory.CreateDirectory(Path.Combine(orphan, "bin"));
        File.WriteAllText(orphan + ".owner", "");

        var missing = await Should.ThrowAsync<BadInputException>(() => tools.AlembicAsync(CancellationToken.None));

        missing.Message.ShouldContain("pip could not install");
        missing.Message.ShouldContain("No matching distribution found for alembic==1.13.0");
        Directory.EnumerateFileSystemEntries(Path.Combine(root, ".nuke", "temp")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Root_gets_the_systems_packages_and_the_lists_are_read_anew_only_when_needed()
    {
        var apt = new FakeApt();
        File.WriteAllText(Path.Combine(root, "apt-get"), "");
        using var tools = new PythonTools(apt, Quiet(), Options() with { MayInstallSystemPackages = true, SystemInterpreters = [FakePython("system-python", "")], SearchPath = [root] });

        var tool = await tools.PytestAsync(CancellationToken.None);

        tool.Origin.ShouldBe("system packages");
        const string Asked = "-o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold";
        apt.Lines.ShouldBe(
        [
            $"apt-get {Asked} --simulate -o APT::Get::Upgrade-By-Source-Package=false install -y --no-install-recommends --no-upgrade alembic python3-psycopg2 python3-pytest",
            $"apt-get {Asked} update",
            $"apt-get {Asked} --simulate -o APT::Get::Upgrade-By-Source-Package=false install -y --no-install-recommends --no-upgrade alembic python3-psycopg2 python3-pytest",
            $"apt-get {Asked} -o APT::Get::Upgrade-By-Source-Package=false install -y --no-install-recommends --no-upgrade --no-remove alembic python3-psycopg2 python3-pytest",
        ]);
    }

    private static Serilog.Core.Logger Quiet() => new LoggerConfiguration().CreateLogger();

    private PythonToolsOptions Options() => new() { Root = root, MayInstallSystemPackages = false, SearchPath = [] };

    private string FakePython(string name, string answer)
    {
        var folder = TestFolders.New("bin");
        var path = Path.Combine(folder, name);
        TestFolders.Script(path, $"#!/bin/sh\ncat > /dev/null\necho '{answer}'\n");
        return name == "python3" ? folder : path;
    }

    private async Task<string> PythonWithVenvAsync()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/bin");
        foreach (var candidate in folders.Select(folder => Path.Combine(folder, "python3")).Where(File.Exists))
        {
            var probe = await commands.RunAsync(new Command { Program = candidate, Arguments = ["-c", "import venv, ensurepip, sys; print(sys.executable)"] });
            if (probe.Succeeded)
            {
                return probe.Output.Trim();
            }
        }

        Assert.Skip("no Python with venv and ensurepip on this machine");
        return "";
    }

    private string LinkTo(string python)
    {
        var folder = TestFolders.New("bin");
        var path = Path.Combine(folder, "python3");
        TestFolders.Script(path, $"#!/bin/sh\nexec '{python}' \"$@\"\n");
        return folder;
    }

    /// <summary>The smallest wheel that pip accepts: a package with a version and nothing else.</summary>
    private void WriteWheel(string name, string version)
    {
        using var wheel = ZipFile.Open(Path.Combine(root, $"{name}-{version}-py3-none-any.whl"), ZipArchiveMode.Create);
        var files = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [$"{name}/__init__.py"] = $"__version__ = '{version}'\n",
            [$"{name}-{version}.dist-info/METADATA"] = $"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            [$"{name}-{version}.dist-info/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        };
        files[$"{name}-{version}.dist-info/RECORD"] = string.Join('\n', files.Select(file => $"{file.Key},sha256={Convert.ToBase64String(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(file.Value))).TrimEnd('=').Replace('+', '-').Replace('/', '_')},{file.Value.Length}")) + $"\n{name}-{version}.dist-info/RECORD,,\n";
        foreach (var (path, text) in files)
        {
            using var writer = new StreamWriter(wheel.CreateEntry(path).Open());
            writer.Write(text);
        }
    }

    private sealed class CountingRunner(ICommandRunner inner) : ICommandRunner
    {
        public int Count { get; private set; }

        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            Count++;
            return inner.RunAsync(command, onLine, cancellation);
        }
    }

    /// <summary>Hides packages that the machine's own Python may have, from every interpreter but the virtual environment's.</summary>
    private sealed class IsolatingRunner(ICommandRunner inner) : ICommandRunner
    {
        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default) =>
            command.Arguments is ["-", _] && !command.Program.Contains(".nuke", StringComparison.Ordinal)
                ? Task.FromResult(new CommandResult(1, "", "No module named alembic", TimeSpan.Zero))
                : inner.RunAsync(command, onLine, cancellation);
    }

    /// <summary>An apt-get that knows no package before its lists are read, and a Python that has them afterwards.</summary>
    private sealed class FakeApt : ICommandRunner
    {
        private bool updated;
        private bool installed;

        public List<string> Lines { get; } = [];

        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            if (command.Program != "apt-get")
            {
                return Task.FromResult(installed ? new CommandResult(0, "{\"version\": \"7.2\", \"driver\": \"psycopg2\"}", "", TimeSpan.Zero) : new CommandResult(1, "", "", TimeSpan.Zero));
            }

            command.Environment["DEBIAN_FRONTEND"].ShouldBe("noninteractive");
            Lines.Add(command.ToString().Replace("'", "", StringComparison.Ordinal));
            updated |= command.Arguments.Contains("update");
            installed |= updated && command.Arguments.Contains("install");
            return Task.FromResult(new CommandResult(updated ? 0 : 100, "Inst alembic (1.8.1-2 Debian:12/stable [all])\n", "E: Unable to locate package alembic", TimeSpan.Zero));
        }
    }
}
