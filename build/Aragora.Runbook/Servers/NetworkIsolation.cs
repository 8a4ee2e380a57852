using Aragora.Runbook.Adapters.Processes;

namespace Aragora.Runbook.Servers;

/// <summary>A network namespace of its own for a server: nothing in it reaches another machine, nor this one's ports. It is reached through its socket, which is a file.</summary>
/// <remarks>Linux, and util-linux' <c>unshare</c>: as root, or as a user who may make namespaces.</remarks>
public sealed record NetworkIsolation
{
    private readonly IReadOnlyList<string> arguments;

    private NetworkIsolation(IReadOnlyList<string> arguments) => this.arguments = arguments;

    /// <summary>How this process may isolate; null where it may not.</summary>
    public static async Task<NetworkIsolation?> FindAsync(ICommandRunner commands, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux() || !IsThere("unshare"))
        {
            return null;
        }

        // As root without a user namespace: in one, the server's user could not be mapped.
        var way = new NetworkIsolation(Environment.IsPrivilegedProcess ? ["--net", "--"] : ["--user", "--map-current-user", "--net", "--"]);
        return (await commands.RunAsync(way.Wrap(new Command { Program = "true" }), cancellation: cancellation)).Succeeded ? way : null;
    }

    /// <summary>The command, isolated, with everything that it starts.</summary>
    /// <remarks>A client in it that names no host would look for a socket in the usual folders, where this machine's own servers may have theirs.</remarks>
    public Command Wrap(Command command) => command with
    {
        Program = "unshare",
        Arguments = [.. arguments, command.Program, .. command.Arguments],
        Environment = new Dictionary<string, string?>(command.Environment, StringComparer.Ordinal) { ["PGHOST"] = "/nonexistent", ["PGHOSTADDR"] = null, ["PGSERVICE"] = null },
    };

    private static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(Path.Combine(folder, program)));
}
