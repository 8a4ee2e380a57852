using System.Runtime.Versioning;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>PostgreSQL's server refuses to run as root: as root, its programs run as an unprivileged user.</summary>
/// <param name="Name">The user to become; null where we are unprivileged already.</param>
public sealed record UnprivilegedUser(string? Name)
{
    /// <summary>As root: <c>postgres</c> where it exists, else <c>nobody</c>. Otherwise: ourselves.</summary>
    /// <exception cref="BadInputException">We are root, and neither exists.</exception>
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

    /// <summary>The command as that user: by setpriv, or sudo where that is missing (macOS).</summary>
    public Command As(Command command) => Name is null ? command : command with
    {
        Program = OnPath("setpriv") ? "setpriv" : "sudo",
        Arguments = OnPath("setpriv")
            ? ["--reuid", Name, "--regid", PrimaryGroup(Name), "--clear-groups", "--", command.Program, .. command.Arguments]
            : ["-n", "-u", Name, "--", command.Program, .. command.Arguments],
        Environment = new Dictionary<string, string?>(command.Environment, StringComparer.Ordinal) { ["HOME"] = "/nonexistent" },
    };

    /// <summary>Gives a folder that we just made to that user, mode 0700, and sees whether they can work in it.</summary>
    /// <exception cref="BadInputException">They cannot enter it, because of a folder above.</exception>
    [UnsupportedOSPlatform("windows")]
    public async Task TakeOverAsync(string folder, ICommandRunner commands, CancellationToken cancellation)
    {
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (Name is null)
        {
            return;
        }

        var given = await commands.RunAsync(new Command { Program = "chown", Arguments = ["-R", "-h", $"{Name}:", folder] }, cancellation: cancellation);
        if (!given.Succeeded)
        {
            throw new FailedCleanException($"{folder} could not be given to the user {Name}.", given.Tail(), "name a folder on a local file system");
        }

        if (!await SucceedsAsync(As(new Command { Program = "test", Arguments = ["-w", folder], WorkingDirectory = "/" }), commands, cancellation))
        {
            throw new BadInputException(
                $"The user {Name}, whom PostgreSQL's server runs as, cannot enter {folder}.",
                "a folder above it is closed to others (a root-only home, for example)",
                "choose a folder that everybody can enter, such as one below /var/lib");
        }
    }

    /// <summary>Whether a folder that is there belongs to us or to that user: a stranger's is never used, and never erased.</summary>
    [UnsupportedOSPlatform("windows")]
    public async Task<bool> OwnsAsync(string folder, ICommandRunner commands, CancellationToken cancellation)
    {
        var owned = new Command { Program = "test", Arguments = ["-O", folder], WorkingDirectory = "/" };
        return new DirectoryInfo(folder).LinkTarget is null
            && (await SucceedsAsync(owned, commands, cancellation) || (Name is not null && await SucceedsAsync(As(owned), commands, cancellation)));
    }

    private static async Task<bool> SucceedsAsync(Command command, ICommandRunner commands, CancellationToken cancellation) =>
        (await commands.RunAsync(command, cancellation: cancellation)).Succeeded;

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string PrimaryGroup(string user) =>
        File.ReadLines("/etc/passwd").Select(line => line.Split(':')).First(fields => fields[0] == user)[3];
}
