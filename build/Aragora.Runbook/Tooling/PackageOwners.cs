using Aragora.Runbook.Adapters.Processes;

namespace Aragora.Runbook.Tooling;

/// <summary>What dpkg knows of installed packages.</summary>
/// <param name="commands">Asks it.</param>
internal sealed class PackageOwners(ICommandRunner commands)
{
    private static readonly string[] ServiceFolders = ["/lib/systemd/system/", "/usr/lib/systemd/system/", "/etc/init.d/"];

    /// <summary>Finds the packages of these files.</summary>
    public async Task<FileOwners> OwnersAsync(IReadOnlyCollection<string> files, CancellationToken cancellation)
    {
        // Of files that it does not know it says so, and ends with 1.
        string[] asked = ["--search", .. files.SelectMany(FileOwners.Names)];
        var lines = asked.Length == 1 ? [] : (await AskAsync(asked, cancellation)).Output.Split('\n');
        return new FileOwners(lines
            .Select(line => (Line: line, Colon: line.LastIndexOf(": /", StringComparison.Ordinal)))
            .Where(found => found.Colon > 0 && !found.Line.StartsWith("diversion by ", StringComparison.Ordinal))
            .SelectMany(found => found.Line[..found.Colon].Split(", ").Select(package => (File: found.Line[(found.Colon + 2)..], Package: package.Split(':')[0])))
            .ToLookup(found => found.File, found => found.Package, StringComparer.Ordinal));
    }

    /// <summary>Whether a package brings a service, which its upgrade would restart.</summary>
    public async Task<bool> HasServiceAsync(string package, CancellationToken cancellation) =>
        (await AskAsync(["--listfiles", package], cancellation)).Output.Split('\n').Any(file => ServiceFolders.Any(folder => file.StartsWith(folder, StringComparison.Ordinal)));

    /// <summary>The packages that these depend on by name.</summary>
    public async Task<IReadOnlySet<string>> DependenciesAsync(IReadOnlyCollection<string> packages, CancellationToken cancellation) =>
        packages.Count == 0 ? new HashSet<string>() : (await AskAsync(["--show", "--showformat", "${Depends}, ${Pre-Depends}\n", .. packages], cancellation)).Output
            .Split(',', '|', '\n').Select(dependency => dependency.Trim().Split(' ', ':')[0]).ToHashSet(StringComparer.Ordinal);

    private Task<CommandResult> AskAsync(IReadOnlyList<string> arguments, CancellationToken cancellation) => commands.RunAsync(
        new Command { Program = "dpkg-query", Arguments = arguments, Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["LC_ALL"] = "C.UTF-8" } },
        cancellation: cancellation);
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
