using System.Diagnostics;
using System.Text;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Adapters.Processes;

/// <summary>A command to run: never through a shell, never with a secret among its arguments.</summary>
public sealed record Command
{
    /// <summary>The program: a path, or a name on the PATH.</summary>
    public required string Program { get; init; }

    /// <summary>The arguments, each as it is.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Variables set for the child; null removes one that is inherited.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>The child's working directory; null keeps ours.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Text for its standard input; null closes it at once.</summary>
    public string? StandardInput { get; init; }

    /// <summary>How long it may take after a cancellation asked it to end, before it is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For messages and the journal: program and arguments, quoted where a shell would want it.</summary>
    public override string ToString() => string.Join(' ', Arguments.Prepend(Program).Select(Quoted));

    private static string Quoted(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=@%+,".Contains(c, StringComparison.Ordinal)) ? word : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}

/// <summary>How a command ended.</summary>
/// <param name="ExitCode">Its exit code; 128 + signal where a signal ended it.</param>
/// <param name="Output">Its standard output, whole.</param>
/// <param name="Error">Its standard error, whole.</param>
/// <param name="Took">From start to end.</param>
public sealed record CommandResult(int ExitCode, string Output, string Error, TimeSpan Took)
{
    /// <summary>Whether it ended with 0.</summary>
    public bool Succeeded => ExitCode == 0;

    /// <summary>The last lines of its error output, or of its output where there is none: for messages.</summary>
    public string Tail(int lines = 15)
    {
        var text = Error.Trim().Length > 0 ? Error : Output;
        return string.Join('\n', text.Trim().Split('\n').TakeLast(lines));
    }
}

/// <summary>Starts commands, streams their lines, ends them with us.</summary>
public interface ICommandRunner
{
    /// <summary>Runs a command to its end. Each line goes to <paramref name="onLine"/> as it comes.</summary>
    /// <param name="command">What to run.</param>
    /// <param name="onLine">Receives (line, is it from standard error).</param>
    /// <param name="cancellation">Asks the child to end (SIGTERM), and kills its whole tree after <see cref="Command.Grace"/>.</param>
    /// <exception cref="FailedCleanException">The program cannot be started.</exception>
    Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default);
}

/// <inheritdoc cref="ICommandRunner"/>
public sealed class CommandRunner(TimeProvider clock) : ICommandRunner
{
    /// <inheritdoc/>
    public async Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var started = clock.GetTimestamp();
        using var process = Start(command);
        var output = new StringBuilder();
        var error = new StringBuilder();
        var reading = Task.WhenAll(
            PumpAsync(process.StandardOutput, output, isError: false, onLine),
            PumpAsync(process.StandardError, error, isError: true, onLine));
        await FeedAsync(process, command.StandardInput);
        try
        {
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(process, command.Grace);
            throw;
        }

        await reading;
        return new CommandResult(process.ExitCode, output.ToString(), error.ToString(), clock.GetElapsedTime(started));
    }

    private static Process Start(Command command)
    {
        var start = new ProcessStartInfo(command.Program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            UseShellExecute = false,
            WorkingDirectory = command.WorkingDirectory ?? "",
        };
        foreach (var argument in command.Arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in command.Environment)
        {
            start.Environment.Remove(name);
            if (value is not null)
            {
                start.Environment[name] = value;
            }
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception notStarted)
        {
            throw new FailedCleanException($"{command.Program} could not be started.", notStarted.Message, $"install it, or put it on the PATH", notStarted);
        }
    }

    private static async Task FeedAsync(Process process, string? input)
    {
        try
        {
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The child ended without reading its input; its exit code tells the story.
        }
    }

    private static async Task PumpAsync(StreamReader from, StringBuilder into, bool isError, Action<string, bool>? onLine)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            into.Append(line).Append('\n');
            onLine?.Invoke(line, isError);
        }
    }

    private static async Task EndAsync(Process process, TimeSpan grace)
    {
        if (!OperatingSystem.IsWindows() && !process.HasExited)
        {
            using var terminate = Process.Start(new ProcessStartInfo("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]) { UseShellExecute = false, RedirectStandardError = true });
            using var deadline = new CancellationTokenSource(grace);
            try
            {
                await process.WaitForExitAsync(deadline.Token);
                return;
            }
            catch (OperationCanceledException)
            {
                // It did not end by itself; the tree is killed below.
            }
        }

        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended in the meantime.
        }

        await process.WaitForExitAsync(CancellationToken.None);
    }
}
