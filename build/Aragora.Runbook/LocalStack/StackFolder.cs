using System.Security.Cryptography;
using System.Text;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.LocalStack;

/// <summary>What the choice of a state folder depends on.</summary>
/// <param name="IsRoot">Whether we are root: then the server is somebody else, who cannot enter root's home.</param>
/// <param name="StateHome"><c>XDG_STATE_HOME</c>; null where it is not set.</param>
/// <param name="Home">The home folder; null or a folder that is not there for a user without one.</param>
public sealed record Surroundings(bool IsRoot, string? StateHome, string? Home)
{
    /// <summary>Those of this process.</summary>
    public static Surroundings Current() => new(
        !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess,
        Environment.GetEnvironmentVariable("XDG_STATE_HOME"),
        Environment.GetFolderPath(OperatingSystem.IsWindows() ? Environment.SpecialFolder.LocalApplicationData : Environment.SpecialFolder.UserProfile));
}

/// <summary>Where the local stack of a checkout lies: outside of the checkout, so that it survives <c>git clean</c>, and where PostgreSQL's user can enter.</summary>
public static class StackFolder
{
    /// <summary>
    /// As root below /var/lib/aragora-build (on macOS /usr/local/var/aragora-build), otherwise below $XDG_STATE_HOME or ~/.local/state,
    /// and in <c>.nuke/temp/local</c> of the checkout for a user without a home.
    /// </summary>
    /// <returns>The folder of all local stacks of this user, and that of this checkout in it.</returns>
    public static (string Parent, string Folder) Choose(string checkout, Surroundings surroundings)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(checkout));
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(full)))[..12];
        var parent = surroundings switch
        {
            { IsRoot: true } => OperatingSystem.IsMacOS() ? "/usr/local/var/aragora-build" : "/var/lib/aragora-build",
            { StateHome: { } state } when Path.IsPathRooted(state) => Path.Combine(state, "aragora-build"), // a relative one is to be ignored, says the XDG specification
            { Home: { Length: > 0 } home } when Directory.Exists(home) => OperatingSystem.IsWindows() ? Path.Combine(home, "aragora-build") : Path.Combine(home, ".local", "state", "aragora-build"),
            _ => Path.Combine(full, ".nuke", "temp", "local"),
        };
        return (parent, Path.Combine(parent, name));
    }

    /// <summary>Makes the folder, or sees that the one that is there is ours alone to write: it holds passwords, and programs are started from what it says.</summary>
    /// <exception cref="BadInputException">It belongs to somebody else, is a link, or others may write to it.</exception>
    public static async Task PrepareAsync(string folder, ICommandRunner commands, CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception denied) when (denied is UnauthorizedAccessException or IOException)
        {
            throw new BadInputException($"The local stack's folder {folder} cannot be made.", denied.Message, "give this user the folder above it, or set XDG_STATE_HOME to one that they may write to", denied);
        }

        if (OperatingSystem.IsWindows())
        {
            return;
        }

        if (!await new UnprivilegedUser((string?)null).OwnsAsync(folder, commands, cancellation))
        {
            throw new BadInputException($"The local stack's folder {folder} belongs to somebody else, or is a link.", "its files are trusted: they name the databases and hold their passwords", $"have its owner remove it: rm -r {folder}");
        }

        // The server's user, who is another one under root, only passes through.
        var passing = Environment.IsPrivilegedProcess ? UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : UnixFileMode.None;
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | passing);
    }
}
