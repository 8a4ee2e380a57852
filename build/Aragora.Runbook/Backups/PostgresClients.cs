using System.Globalization;
using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Backups;

/// <summary>A folder with <c>pg_dump</c> and <c>pg_restore</c> of one version.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Major">Major version, such as 15.</param>
/// <param name="Version">As <c>pg_dump --version</c> tells it, such as 15.18.</param>
public sealed record PostgresClient(string Folder, int Major, string Version)
{
    /// <summary>Major and minor version.</summary>
    public Version Release => PostgresRelease.Of(Version);

    /// <summary>The path of one program.</summary>
    public string this[string program] => Path.Combine(Folder, OperatingSystem.IsWindows() ? program + ".exe" : program);
}

/// <summary>Finds PostgreSQL's clients, and chooses those that fit a server.</summary>
public static partial class PostgresClients
{
    /// <summary>Every pair of <c>pg_dump</c> and <c>pg_restore</c> on this machine, oldest first.</summary>
    /// <param name="commands">Asks each for its version.</param>
    /// <param name="folders">Where to look; null for the PATH and the usual folders (<see cref="PostgresFolders"/>).</param>
    /// <param name="cancellation">Cancels the asking.</param>
    public static async Task<IReadOnlyList<PostgresClient>> FindAllAsync(ICommandRunner commands, IReadOnlyList<string>? folders, CancellationToken cancellation)
    {
        var found = new List<PostgresClient>();
        foreach (var folder in (folders ?? PostgresFolders.Candidates()).Select(Path.GetFullPath).Distinct(StringComparer.Ordinal))
        {
            if (await TryReadAsync(folder, commands, cancellation) is { } client)
            {
                found.Add(client);
            }
        }

        return [.. found.OrderBy(client => client.Major)];
    }

    /// <summary>
    /// Clients of the server's own major version, else of the lowest newer one: pg_dump refuses a server that is newer than itself. Of one major version the newest minor one:
    /// it knows what the older ones know, and what newer servers write.
    /// </summary>
    /// <param name="found">What is installed.</param>
    /// <param name="major">The server's major version; for reading an archive, that of the pg_dump that wrote it.</param>
    /// <param name="purpose">For the message, such as <c>the production server</c> or <c>the archive's pg_dump</c>.</param>
    /// <exception cref="RefusedException">There are none, or only older ones; the message names versions and the package to install.</exception>
    public static PostgresClient Choose(IReadOnlyList<PostgresClient> found, int major, string purpose)
    {
        if (found.Where(client => client.Major >= major).OrderBy(client => client.Major).ThenByDescending(client => client.Release).FirstOrDefault() is { } fitting)
        {
            return fitting;
        }

        var install = $"apt-get install postgresql-client-{major}   (Red Hat: dnf install postgresql{major}; macOS: brew install libpq; if the package is unknown, add the repository of postgresql.org first)";
        throw found.Count == 0
            ? new RefusedException("pg_dump and pg_restore were not found.", $"neither the PATH nor the usual folders have them, and {purpose} is PostgreSQL {major}", install)
            : new RefusedException(
                $"pg_dump is older than {purpose}: found {string.Join(", ", found.Select(client => client.Version).Distinct(StringComparer.Ordinal))}, needed {major} or newer.",
                "pg_dump cannot read a server of a newer major version, and pg_restore cannot read a newer pg_dump's archive",
                install);
    }

    /// <summary>What brings a newer minor version of the clients, and leaves a server of the same version as it is: apt would upgrade, and restart, it as well.</summary>
    public static string UpgradeCommand(int major) => $"apt-get update; apt-get -o APT::Get::Upgrade-By-Source-Package=false install --only-upgrade postgresql-client-{major}";

    private static async Task<PostgresClient?> TryReadAsync(string folder, ICommandRunner commands, CancellationToken cancellation)
    {
        var probe = new PostgresClient(folder, 0, "");
        if (!File.Exists(probe["pg_dump"]) || !File.Exists(probe["pg_restore"]) || IsDebianWrapper(probe["pg_dump"]))
        {
            return null;
        }

        var result = await commands.RunAsync(new Command { Program = probe["pg_dump"], Arguments = ["--version"], Environment = ClientEnvironment.Messages }, cancellation: cancellation);
        var match = VersionPattern().Match(result.Output);
        return match.Success ? new PostgresClient(folder, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), match.Groups[0].Value) : null;
    }

    /// <summary>Debian's /usr/bin/pg_dump is a script that chooses a version by what it is told to connect to; the real ones lie in /usr/lib/postgresql.</summary>
    private static bool IsDebianWrapper(string program) => Path.GetFileName(new FileInfo(program).LinkTarget) == "pg_wrapper";

    [GeneratedRegex(@"(\d+)(\.\d+|beta\d+|rc\d+|devel)?(\.\d+)?")]
    private static partial Regex VersionPattern();
}
