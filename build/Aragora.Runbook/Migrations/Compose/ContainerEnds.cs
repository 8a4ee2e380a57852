using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>Ends of a container that are not its program's own: each with its message.</summary>
internal static class ContainerEnds
{
    private const int Killed = 137;
    private const int Terminated = 143;

    /// <summary>What to tell; null where the program ended by itself, with whatever exit code.</summary>
    /// <param name="state">How it ended.</param>
    /// <param name="container">Its name.</param>
    /// <param name="service">The service.</param>
    /// <param name="last">The last line that it wrote; empty where it wrote none.</param>
    public static FailedCleanException? Explain(ContainerState state, string container, ComposeService service, string last) => state switch
    {
        { ExitCode: 0, Error.Length: 0 } => null,
        { OutOfMemory: true } => new FailedCleanException(
            $"The container {container} ran out of memory and was killed (exit code {state.ExitCode}).",
            state.MemoryLimitBytes > 0 ? $"its limit is {state.MemoryLimitBytes / 1_048_576} MiB" : "it has no limit of its own: the machine's memory ran out",
            $"raise mem_limit (or deploy.resources.limits.memory) of the service {service.Name}, then repeat the command"),
        { Error.Length: > 0 } => NotStarted(state.Error, state.ExitCode, service),
        { ExitCode: 127 } => NotStarted(last.Length > 0 ? last : "command not found", 127, service),
        { ExitCode: 126 } => NotStarted(last.Length > 0 ? last : "permission denied", 126, service),
        { ExitCode: 125 } => new FailedCleanException($"The engine could not run the container of the service {service.Name} (exit code 125).", last, $"docker compose run --rm {service.Name} alembic current   tries it by hand"),
        { ExitCode: Killed } => new FailedCleanException(
            $"The container {container} was killed (exit code 137).",
            "not for want of memory within its limit: somebody's docker kill or docker stop, or the kernel because the whole machine was out of memory",
            "sudo dmesg | grep -i 'out of memory'   tells the second; then repeat the command, which goes on from where the database stands"),
        { ExitCode: Terminated } => new FailedCleanException(
            $"The container {container} was stopped (exit code 143).",
            "somebody's docker stop or docker compose down, or the engine was shut down",
            "repeat the command, which goes on from where the database stands"),
        _ when last.Contains("exec format error", StringComparison.Ordinal) => NotStarted(last, state.ExitCode, service),
        { ExitCode: > 128 and < 128 + 65 } => new FailedCleanException($"The program in the container {container} died of signal {state.ExitCode - 128} (exit code {state.ExitCode}).", last, "the lines above are what it said; repeat the command, which goes on from where the database stands"),
        _ => null,
    };

    private static FailedCleanException NotStarted(string error, int exitCode, ComposeService service)
    {
        var what = error switch
        {
            _ when error.Contains("exec format error", StringComparison.Ordinal) => $"in the image of the service {service.Name} is of another kind of machine than this one, or no program (exit code {exitCode}).",
            _ when exitCode == 126 || error.Contains("permission denied", StringComparison.OrdinalIgnoreCase) => $"may not be executed in the image of the service {service.Name} (exit code 126).",
            _ when exitCode == 127 || error.Contains("not found", StringComparison.OrdinalIgnoreCase) || error.Contains("no such file", StringComparison.OrdinalIgnoreCase) => $"is not in the image of the service {service.Name} (exit code 127).",
            _ => $"could not be started in the image of the service {service.Name} (exit code {exitCode}).",
        };
        return new FailedCleanException(
            "The program " + what,
            Short(error),
            $"the image needs sh, Python and Alembic on its PATH; docker compose run --rm {service.Name} alembic --help   tries it by hand");
    }

    /// <summary>Without the chain of programs that passed the error on.</summary>
    private static string Short(string error)
    {
        var at = error.LastIndexOf("container process: ", StringComparison.Ordinal);
        var text = at < 0 ? error : error[(at + "container process: ".Length)..];
        return text.EndsWith(": unknown", StringComparison.Ordinal) ? text[..^": unknown".Length] : text;
    }
}
