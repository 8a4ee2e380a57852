using System.Runtime.Versioning;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>PostgreSQL's server refuses to run as root: as root, its programs run as an unprivileged user.</summary>
/// <param name="Name">The user to become; null where we are unprivileged already.</param>
public sealed record UnprivilegedUser(string? Name)
{
    /// <summary>As root: <c>postgres</c> where it exists, else <c>nobody</c>. Otherwise: ourselves.</summary>
    public static UnprivilegedUser Current()
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            return new UnprivilegedUser((string?)null);
        }

        var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')[0]).ToHashSet(StringComparer.Ordinal);
        var name = new[] { "postgres", "nobody" }.FirstOrDefault(users.Contains);
        return name is not null ? new UnprivilegedUser(name) : throw new BadInputException(
            "PostgreSQL's server does not run as root, and there is no user to run it as.",
            "/etc/passwd names neither postgres nor nobody",
            "useradd --system postgres");
    }

    /// <summary>The command as that user.</summary>
    public Command As(Command command) => Name is null ? command : command with
    {
        Program = "setpriv",
        Arguments = ["--reuid", Name, "--regid", PrimaryGroup(Name), "--clear-groups", "--", command.Program, .. command.Arguments],
        Environment = new Dictionary<string, string?>(command.Environment, StringComparer.Ordinal) { ["HOME"] = "/nonexistent" },
    };

    /// <summary>Creates a folder with mode 0700 that belongs to that user; what is already there must be theirs.</summary>
    [UnsupportedOSPlatform("windows")]
    public async Task CreatePrivateFolderAsync(string folder, ICommandRunner commands, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (Name is not null)
        {
            var result = await commands.RunAsync(new Command { Program = "chown", Arguments = ["-R", $"{Name}:", folder] }, cancellation: cancellation);
            if (!result.Succeeded)
            {
                throw new FailedCleanException($"{folder} could not be given to the user {Name}.", result.Tail(), "");
            }
        }
    }

    private static string PrimaryGroup(string user) =>
        File.ReadLines("/etc/passwd").Select(line => line.Split(':')).First(fields => fields[0] == user)[3];
}
