using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tooling;
using Serilog;

/// <summary>Builds and runs every test of this repository, and counts what really ran.</summary>
/// <param name="root">The root of the checkout.</param>
/// <param name="commands">Runs dotnet and pytest.</param>
/// <param name="python">Finds pytest.</param>
/// <param name="log">Where the lines go.</param>
sealed class TestSuites(string root, ICommandRunner commands, IPythonTools python, ILogger log)
{
    private const string Configuration = "debug";

    private string ResultsFolder => Path.Combine(root, "artifacts", "tests");

    /// <summary>Runs all suites; all of them, also after one has failed.</summary>
    /// <exception cref="FailedCleanException">A test failed, or a suite could not run, or nothing ran.</exception>
    public async Task<TestCount> RunAsync(CancellationToken cancellation)
    {
        await using var only = await OneAtATimeAsync(cancellation);
        if (Directory.Exists(ResultsFolder))
        {
            Directory.Delete(ResultsFolder, recursive: true);
        }

        Directory.CreateDirectory(ResultsFolder);
        var output = await BuildAsync(cancellation);
        var broken = new List<string>();
        var binaries = await ServerBinaries.FindAllAsync(commands, cancellation);
        var other = binaries.Count == 0 ? OtherPostgres.None("there is no installed one") : await new UnpackedPostgres(commands, log).GetAsync(binaries[0], cancellation);
        await File.WriteAllTextAsync(Path.Combine(ResultsFolder, "other-postgres"), other.ForCi, cancellation);
        foreach (var project in Directory.EnumerateFiles(Path.Combine(root, "tests"), "*.Tests.csproj", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            await RunDotNetAsync(Path.GetFileNameWithoutExtension(project), output, other.Programs, broken, cancellation);
        }

        await RunPytestAsync("tests/Bootstrap", new Dictionary<string, string?>(StringComparer.Ordinal), broken, cancellation);
        await RunMigrationTestsAsync(binaries, broken, cancellation);

        var count = Count(broken);
        await File.WriteAllTextAsync(Path.Combine(ResultsFolder, "summary.json"), JsonSerializer.Serialize(count, RunbookJson.Document), cancellation);
        log.Information("{Passed} passed, {Failed} failed, {Skipped} skipped", count.Passed, count.Failed, count.Skipped);
        return count.Failed == 0 && count.Passed > 0 && broken.Count == 0 ? count : throw new FailedCleanException(
            count.Failed > 0 ? $"{count.Failed} of {count.Passed + count.Failed} tests failed." : "The tests did not run.",
            string.Join(Environment.NewLine + "        ", broken),
            $"read the results in {ResultsFolder}");
    }

    private async Task<FileStream> OneAtATimeAsync(CancellationToken cancellation)
    {
        var path = Path.Combine(root, ".nuke", "temp", "tests.lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                if (isFirst)
                {
                    log.Information("Another test run of this checkout is under way: waiting for it");
                }

                await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            }
        }
    }

    private async Task<string> BuildAsync(CancellationToken cancellation)
    {
        log.Information("Building all projects");
        var solution = Path.Combine(root, "Aragora.Build.sln");
        var artifacts = await commands.RunAsync(DotNet("msbuild", Path.Combine(root, "build", "_build.csproj"), "-getProperty:ArtifactsPath"), cancellation: cancellation);
        var result = await commands.RunAsync(DotNet("build", solution, "--nologo", "-v:quiet", "-clp:NoSummary"), (line, _) => log.Information("{Line:l}", line), cancellation);
        return result.Succeeded && artifacts.Succeeded
            ? Path.Combine(artifacts.Output.Trim(), "bin")
            : throw new FailedCleanException("The solution does not compile.", result.Tail(), "read the compiler's messages above");
    }

    private async Task RunDotNetAsync(string name, string output, ServerBinaries? other, List<string> broken, CancellationToken cancellation)
    {
        log.Information("Running {Suite}", name);
        var results = Path.Combine(ResultsFolder, name + ".xml");
        var assembly = Path.Combine(output, name, Configuration, name + ".dll");
        var command = DotNet(assembly, "-noColor", "-noLogo", "-result-junit", results);
        command = command with { Environment = new Dictionary<string, string?>(command.Environment, StringComparer.Ordinal) { [UnpackedPostgres.Variable] = other?.Folder } };
        var result = await commands.RunAsync(command, (line, _) => log.Information("{Line:l}", line), cancellation);
        if (!result.Succeeded || !File.Exists(results))
        {
            broken.Add($"{name} ended with exit code {result.ExitCode}");
        }
    }

    /// <summary>The history of the migrations wants an empty database: it gets a throwaway server of its own.</summary>
    private async Task RunMigrationTestsAsync(IReadOnlyList<ServerBinaries> binaries, List<string> broken, CancellationToken cancellation)
    {
        if (binaries.Count == 0)
        {
            broken.Add("migrations/tests: no PostgreSQL server programs on this machine");
            return;
        }

        var options = new ThrowawayServerOptions { Folder = Path.Combine(Path.GetTempPath(), $"aragora-migrations-{Guid.NewGuid():N}") };
        var server = await ThrowawayServer.StartAsync(binaries[0], options, commands, new SecretMask(), cancellation);
        try
        {
            var variables = new Dictionary<string, string?>(StringComparer.Ordinal) { ["ARAGORA_SCRATCH_DATABASE_URL"] = server.Url.ToSecretUrl() };
            await RunPytestAsync("migrations/tests", variables, broken, cancellation);
        }
        finally
        {
            await server.EraseAsync(CancellationToken.None);
        }
    }

    private async Task RunPytestAsync(string suite, Dictionary<string, string?> variables, List<string> broken, CancellationToken cancellation)
    {
        log.Information("Running {Suite}", suite);
        var pytest = await python.PytestAsync(cancellation);
        var results = Path.Combine(ResultsFolder, suite.Replace('/', '-') + ".xml");
        var result = await commands.RunAsync(
            new Command
            {
                Program = pytest.Interpreter,
                Arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", results, Path.Combine(root, suite)],
                WorkingDirectory = root,
                Environment = variables,
            },
            (line, _) => log.Information("{Line:l}", line),
            cancellation);
        if (!result.Succeeded || !File.Exists(results))
        {
            broken.Add($"{suite} ended with exit code {result.ExitCode}");
        }
    }

    private TestCount Count(List<string> broken)
    {
        var count = new TestCount(0, 0, 0);
        foreach (var file in Directory.EnumerateFiles(ResultsFolder, "*.xml"))
        {
            foreach (var suite in Suites(file, broken))
            {
                var failed = Number(suite, "failures") + Number(suite, "errors");
                var skipped = Number(suite, "skipped");
                count = new TestCount(count.Passed + Number(suite, "tests") - failed - skipped, count.Failed + failed, count.Skipped + skipped);
                broken.AddRange(suite.Elements("testcase").Where(test => test.Element("failure") is not null || test.Element("error") is not null).Select(test => $"{test.Attribute("classname")?.Value}.{test.Attribute("name")?.Value}"));
            }
        }

        return count;
    }

    private static IEnumerable<XElement> Suites(string file, List<string> broken)
    {
        try
        {
            return XDocument.Load(file).Descendants("testsuite");
        }
        catch (XmlException unreadable)
        {
            broken.Add($"{Path.GetFileName(file)} cannot be read: {unreadable.Message}");
            return [];
        }
    }

    private static int Number(XElement suite, string name) =>
        int.TryParse(suite.Attribute(name)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private Command DotNet(params string[] arguments) => new()
    {
        Program = Environment.GetEnvironmentVariable("DOTNET_EXE") ?? "dotnet",
        Arguments = arguments,
        WorkingDirectory = root,
        // MSBuild takes every variable for a property: CI hosts set some of these for their own ends.
        Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["VERSION"] = null, ["Platform"] = null, ["PLATFORM"] = null, ["Configuration"] = null, ["OutputPath"] = null, ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1" },
    };
}

/// <summary>What a test run came to.</summary>
sealed record TestCount(int Passed, int Failed, int Skipped);
