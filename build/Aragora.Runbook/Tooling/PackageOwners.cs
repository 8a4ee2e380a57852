using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Tooling;

/// <summary>What dpkg knows of installed packages.</summary>
/// <param name="commands">Asks it.</param>
internal sealed class PackageOwners(ICommandRunner commands)
{
    private static readonly string[] ServiceFolders = ["/lib/systemd/system/", "/usr/lib/systemd/system/", "/etc/init.d/"];

    /// <summary>Finds the packages of these files.</summary>
    public async Task<FileOwners> OwnersAsync(IReadOnlyCollection<string> files, CancellationToken cancellation)
    {
        string[] asked = ["--search", .. files.SelectMany(FileOwners.Names)];
        var lines = asked.Length == 1 ? [] : (await AskAsync(asked, cancellation)).Split('\n');
        return new FileOwners(lines
            .Select(line => (Line: line, Colon: line.LastIndexOf(": /", StringComparison.Ordinal)))
            .Where(found => found.Colon > 0 && !found.Line.StartsWith("diversion by ", StringComparison.Ordinal))
            .SelectMany(found => found.Line[..found.Colon].Split(", ").Select(package => (File: found.Line[(found.Colon + 2)..], Package: package.Split(':')[0])))
            .ToLookup(found => found.File, found => found.Package, StringComparer.Ordinal));
    }

    /// <summary>Whether a package brings a service, which its upgrade would restart. One that is there for several architectures brings none.</summary>
    public async Task<bool> HasServiceAsync(string package, CancellationToken cancellation) =>
        (await AskAsync(["--listfiles", package], cancellation, "ambiguous package name")).Split('\n').Any(file => ServiceFolders.Any(folder => file.StartsWith(folder, StringComparison.Ordinal)));

    /// <exception cref="FailedCleanException">dpkg's own database cannot be read.</exception>
    private async Task<string> AskAsync(IReadOnlyList<string> arguments, CancellationToken cancellation, string? expected = null)
    {
        var result = await commands.RunAsync(
            new Command { Program = "dpkg-query", Arguments = arguments, Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["LC_ALL"] = "C.UTF-8" } },
            cancellation: cancellation);

        // 1: some of what was asked for is not known to it.
        return result.ExitCode is 0 or 1 || (expected is not null && result.Error.Contains(expected, StringComparison.Ordinal)) ? result.Output : throw new FailedCleanException("dpkg could not say which packages are at work; nothing was installed.", result.Tail(3), "dpkg --audit");
    }
}

/// <summary>Files and the packages that they belong to.</summary>
/// <param name="Packages">By file, as dpkg names it.</param>
internal sealed record FileOwners(ILookup<string, string> Packages)
{
    /// <summary>The packages of a file; none for one that belongs to no package.</summary>
    public IEnumerable<string> Of(string file) => Names(file).SelectMany(name => Packages[name]);

    /// <summary>dpkg may know /usr/lib/x, which a program has open, by its old name /lib/x.</summary>
    public static IEnumerable<string> Names(string file) => file.StartsWith("/usr/", StringComparison.Ordinal) ? [file, file["/usr".Length..]] : [file];
}
