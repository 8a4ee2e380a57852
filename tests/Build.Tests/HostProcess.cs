using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;

namespace BuildTests;

/// <summary>Starts the host as people do, in a root of its own.</summary>
public sealed partial class HostProcess
{
    private readonly CommandRunner commands = new(TimeProvider.System);

    public HostProcess(string name)
    {
        Root = Path.Combine(TestFolders.New("host"), name);
        Directory.CreateDirectory(Path.Combine(Root, ".nuke"));
        File.WriteAllText(Path.Combine(Root, ".nuke", "parameters.json"), "{}");
    }

    public string Root { get; }

    public static string Checkout => Metadata("Root");

    /// <summary>Runs to the end. Without colours: test results are XML, which has no escape characters.</summary>
    public async Task<CommandResult> RunAsync(string arguments, params (string Name, string? Value)[] environment)
    {
        var result = await commands.RunAsync(Command(arguments, environment));
        return result with { Output = Ansi().Replace(result.Output, ""), Error = Ansi().Replace(result.Error, "") };
    }

    /// <summary>Runs until a line comes that fits, then asks the host to end (SIGTERM), and waits until it has.</summary>
    public async Task<(int ExitCode, string Output)> RunUntilAsync(string arguments, Func<string, bool> fits)
    {
        var command = Command(arguments);
        var start = new ProcessStartInfo(command.Program, command.Arguments) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var (name, value) in command.Environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = new StringBuilder();
        var asked = 0;
        void Take(string? line)
        {
            lock (output)
            {
                output.AppendLine(line);
            }

            if (line is not null && fits(line) && Interlocked.Exchange(ref asked, 1) == 0)
            {
                using var _ = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
            }
        }

        process.OutputDataReceived += (_, received) => Take(received.Data);
        process.ErrorDataReceived += (_, received) => Take(received.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, Ansi().Replace(output.ToString(), ""));
    }

    /// <summary>Starts it, and leaves it to the caller; its output is thrown away.</summary>
    public Process Start(string arguments, params (string Name, string? Value)[] environment)
    {
        var command = Command(arguments, environment);
        var start = new ProcessStartInfo(command.Program, command.Arguments) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var (name, value) in command.Environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private Command Command(string arguments, params (string Name, string? Value)[] environment)
    {
        var clean = Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => name is "CI" or "GITHUB_ACTIONS" or "TF_BUILD").ToDictionary(name => name, _ => (string?)null, StringComparer.Ordinal);
        foreach (var (name, value) in environment)
        {
            clean[name] = value;
        }

        return new Command
        {
            Program = Environment.GetEnvironmentVariable("DOTNET_EXE") ?? "dotnet",
            Arguments = [Metadata("HostAssembly"), .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--migrations-directory", Path.Combine(Checkout, "migrations"), "--smoke-suite", Path.Combine(Checkout, "tests", "integration", "test_database.py")],
            WorkingDirectory = Root,
            Environment = clean,
            Grace = TimeSpan.FromSeconds(30),
        };
    }

    /// <summary>The journals of its runs since a moment, as they are written.</summary>
    public IEnumerable<string> Journals(DateTime since = default)
    {
        foreach (var journal in Directory.EnumerateFiles(Path.Combine(Root, "artifacts", "runbook"), "journal.ndjson", SearchOption.AllDirectories).Where(path => File.GetCreationTimeUtc(path) >= since))
        {
            using var reader = new StreamReader(new FileStream(journal, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            yield return reader.ReadToEnd();
        }
    }

    /// <summary>The targets of the summary table, in its order, with their outcome.</summary>
    public static IReadOnlyList<(string Target, string Outcome)> Summary(CommandResult result) =>
        [.. SummaryRow().Matches(result.Output).Select(match => (match.Groups["target"].Value, match.Groups["outcome"].Value))];

    private static string Metadata(string key) =>
        typeof(HostProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    [GeneratedRegex(@"^(?<target>[A-Z]\w+)\s+(?<outcome>Succeeded|Failed|NotRun|Skipped|Aborted)\b", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex SummaryRow();

    [GeneratedRegex(@"\x1b\[[0-9;]*m")]
    private static partial Regex Ansi();
}
