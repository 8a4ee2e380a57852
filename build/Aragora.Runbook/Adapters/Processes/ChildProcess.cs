using System.Diagnostics;
using System.Text;
using Aragora.Runbook.Inputs;
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

    /// <summary>How long its output is still read after it has ended, while something that it started holds the streams open. Default: 5 seconds.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For messages and the journal: program and arguments, quoted where a shell would want it.</summary>
    public override string ToString() => string.Join(' ', Arguments.Prepend(Program).Select(Quoted));

    /// <summary>A word as a shell takes it.</summary>
    public static string Quoted(string word) =>
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
    /// <param name="cancellation">Asks the child to end (SIGTERM), and kills what is left of it and its descendants when it has ended, at the latest after <see cref="Command.Grace"/>. On macOS descendants that the child left behind when it ended are not found.</param>
    /// <returns>How it ended. What <paramref name="onLine"/> throws is thrown when the child has ended.</returns>
    /// <exception cref="FailedCleanException">The program cannot be started.</exception>
    Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default);
}

/// <inheritdoc cref="ICommandRunner"/>
/// <param name="clock">Measures how long a command took.</param>
/// <param name="withheld">Variables that no child inherits, because they hold our secrets: names of parameters, matched as NUKE does (letters and digits only, any case, with or without <c>NUKE</c> before them). A command that sets one itself keeps it. Default: none.</param>
public sealed class CommandRunner(TimeProvider clock, IReadOnlyList<string>? withheld = null) : ICommandRunner
{
    private readonly HashSet<string> withheld = (withheld ?? []).Select(ParameterDefinition.Trimmed).ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public async Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var started = clock.GetTimestamp();
        var mark = Guid.NewGuid().ToString("N");
        using var process = Start(command, mark);
        var tree = new ProcessTree(process.Id, mark);
        var output = new LinePump(isError: false, onLine);
        var error = new LinePump(isError: true, onLine);
        var streams = Task.WhenAll(output.RunAsync(process.StandardOutput), error.RunAsync(process.StandardError), FeedAsync(process, command.StandardInput));
        try
        {
            await process.WaitForExitAsync(cancellation);

            // A descendant that outlives the command may hold its streams open for ever.
            await Task.WhenAny(streams, Task.Delay(command.Drain, TimeProvider.System, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
        catch (OperationCanceledException)
        {
            await EndAsync(process, tree, command.Grace);
            await Task.WhenAny(streams, Task.Delay(command.Drain, TimeProvider.System, CancellationToken.None));
            output.Stop();
            error.Stop();
            throw;
        }

        if (streams.IsCompleted)
        {
            await streams;
        }

        return new CommandResult(process.ExitCode, output.Close(), error.Close(), clock.GetElapsedTime(started));
    }

    private Process Start(Command command, string mark)
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

        foreach (var name in start.Environment.Keys.Where(IsWithheld).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in command.Environment)
        {
            start.Environment.Remove(name);
            if (value is not null)
            {
                start.Environment[name] = value;
            }
        }

        start.Environment[ProcessTree.Variable] = mark;
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception notStarted)
        {
            throw new FailedCleanException($"{command.Program} could not be started.", notStarted.Message, $"install it, or put it on the PATH", notStarted);
        }
    }

    private bool IsWithheld(string variable)
    {
        var name = ParameterDefinition.Trimmed(variable);
        return withheld.Contains(name) || (name.StartsWith("NUKE", StringComparison.OrdinalIgnoreCase) && withheld.Contains(name[4..]));
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

    /// <summary>Asks the command to end, waits, and kills what is left of it and of its descendants, whether it obeyed or not.</summary>
    private static async Task EndAsync(Process process, ProcessTree tree, TimeSpan grace)
    {
        tree.Look();
        if (!OperatingSystem.IsWindows() && !process.HasExited && Signals.Send(process.Id, Signal.Terminate))
        {
            var asked = TimeProvider.System.GetTimestamp();
            var ended = process.WaitForExitAsync(CancellationToken.None);
            while (!ended.IsCompleted && TimeProvider.System.GetElapsedTime(asked) < grace)
            {
                await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None));
                tree.Look();
            }
        }

        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended; what it started is below.
        }

        await tree.KillAsync();
        await process.WaitForExitAsync(CancellationToken.None);
    }
}
