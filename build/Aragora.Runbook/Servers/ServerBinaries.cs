using System.Globalization;
using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;

namespace Aragora.Runbook.Servers;

/// <summary>A folder with PostgreSQL's server programs (<c>initdb</c>, <c>pg_ctl</c>, <c>postgres</c>) and the clients of the same version.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Major">Major version, such as 15.</param>
/// <param name="Version">As <c>postgres --version</c> tells it, such as 15.18.</param>
public sealed partial record ServerBinaries(string Folder, int Major, string Version)
{
    /// <summary>Major and minor version.</summary>
    public Version Release => PostgresRelease.Of(Version);

    /// <summary>The path of one program.</summary>
    public string this[string program] => Path.Combine(Folder, OperatingSystem.IsWindows() ? program + ".exe" : program);

    /// <summary>Every installation on the PATH and in the usual folders of Debian, Red Hat, Homebrew and Windows; the newest release first, and of the same one that which comes first on the PATH.</summary>
    public static async Task<IReadOnlyList<ServerBinaries>> FindAllAsync(ICommandRunner commands, CancellationToken cancellation)
    {
        var found = new List<ServerBinaries>();
        foreach (var folder in PostgresFolders.Candidates().Select(Resolved).Distinct(StringComparer.Ordinal))
        {
            if (await TryReadAsync(folder, commands, cancellation) is { } binaries)
            {
                found.Add(binaries);
            }
        }

        return [.. found.OrderByDescending(binaries => binaries.Release)];
    }

    /// <summary>The installation in this folder; null where there is none.</summary>
    internal static async Task<ServerBinaries?> TryReadAsync(string folder, ICommandRunner commands, CancellationToken cancellation)
    {
        var probe = new ServerBinaries(folder, 0, "");
        if (!File.Exists(probe["postgres"]) || !File.Exists(probe["initdb"]) || !File.Exists(probe["pg_ctl"]))
        {
            return null;
        }

        var result = await commands.RunAsync(new Command { Program = probe["postgres"], Arguments = ["--version"] }, cancellation: cancellation);
        var match = VersionPattern().Match(result.Output);
        return match.Success ? new ServerBinaries(folder, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), match.Value) : null;
    }

    /// <summary>The folder behind a link such as /usr/local/bin/postgres, so that its siblings are found as well.</summary>
    private static string Resolved(string folder)
    {
        var link = new FileInfo(Path.Combine(folder, OperatingSystem.IsWindows() ? "postgres.exe" : "postgres"));
        return link.Exists && link.ResolveLinkTarget(returnFinalTarget: true) is { } target ? Path.GetDirectoryName(target.FullName)! : Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
    }

    [GeneratedRegex(@"(\d+)(\.\d+)?")]
    private static partial Regex VersionPattern();
}
