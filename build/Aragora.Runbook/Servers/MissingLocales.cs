using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>A locale that this machine lacks and can make.</summary>
/// <param name="Name">Its name, such as <c>de_DE.UTF-8</c>.</param>
/// <param name="Definition">What it is made from, such as <c>de_DE</c>.</param>
/// <param name="Charmap">Its character set, such as <c>UTF-8</c>.</param>
public sealed record LocaleSource(string Name, string Definition, string Charmap)
{
    /// <summary>The name as glibc looks for it: <c>de_DE.utf8</c>, however the character set was spelled.</summary>
    public string FolderName => Normalised(Name);

    internal static string Normalised(string name)
    {
        var modifier = name.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? name[at..] : "";
        var rest = name[..(name.Length - modifier.Length)];
        var dot = rest.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? name : $"{rest[..dot]}.{new string([.. rest[(dot + 1)..].Where(char.IsAsciiLetterOrDigit)]).ToLowerInvariant()}{modifier}";
    }
}

/// <summary>Locales that a server needs and this machine lacks. They are made in the server's own folder, with which they go: the machine stays as it is.</summary>
/// <param name="commands">Asks <c>locale</c>.</param>
internal sealed class MissingLocales(ICommandRunner commands)
{
    private const string DefaultList = "/usr/share/i18n/SUPPORTED";

    /// <summary>glibc's list of what can be made; tests take it away.</summary>
    internal string List { get; init; } = DefaultList;

    /// <summary>What has to be made so that the server has all of these: nothing, or all that is not built in, for a server that looks in its own folder does not see the machine's.</summary>
    /// <exception cref="RefusedException">One is missing and cannot be made here.</exception>
    public async Task<IReadOnlyList<LocaleSource>> FindAsync(IEnumerable<string> names, CancellationToken cancellation)
    {
        var needed = names.Where(name => !IsBuiltIn(name)).DistinctBy(LocaleSource.Normalised, StringComparer.Ordinal).ToList();
        var missing = new List<string>();
        foreach (var name in needed)
        {
            if (OperatingSystem.IsLinux() && !await IsThereAsync(name, cancellation))
            {
                missing.Add(name);
            }
        }

        if (missing.Count == 0)
        {
            return [];
        }

        var known = File.Exists(List) ? await File.ReadAllLinesAsync(List, cancellation) : [];
        var sources = needed.Select(name => (Name: name, Source: SourceOf(name, known))).ToList();
        if (sources.FirstOrDefault(found => found.Source is null).Name is not { } impossible)
        {
            return [.. sources.Select(found => found.Source!)];
        }

        throw new RefusedException(
            $"This machine lacks the locale \"{missing[0]}\" of the source, and the scratch server needs it.",
            known.Length == 0 ? $"it could be made, but {List} is not here" : impossible == missing[0] ? $"it is not one that glibc knows ({List})" : $"it could be made, but \"{impossible}\" not, which is needed too",
            known.Length == 0 ? "apt-get install locales   (Red Hat: dnf install glibc-locale-source); then repeat the command" : "name a server that has it with --scratch-server-url");
    }

    private static bool IsBuiltIn(string name) => name is "" or "C" or "POSIX" || LocaleSource.Normalised(name) == "C.utf8";

    private static LocaleSource? SourceOf(string name, IEnumerable<string> known)
    {
        foreach (var line in known)
        {
            // "de_DE.UTF-8 UTF-8", "de_DE@euro ISO-8859-15"
            var words = line.Split(' ', '\t');
            if (words.Length == 2 && LocaleSource.Normalised(words[0]) == LocaleSource.Normalised(name))
            {
                var dot = words[0].IndexOf('.', StringComparison.Ordinal);
                var modifier = words[0].IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? words[0][at..] : "";
                return new LocaleSource(name, dot < 0 ? words[0] : words[0][..dot] + modifier, words[1]);
            }
        }

        return null;
    }

    /// <summary>The program says so on its error output, and ends with 0 nevertheless.</summary>
    private async Task<bool> IsThereAsync(string name, CancellationToken cancellation)
    {
        var result = await commands.RunAsync(
            new Command { Program = "locale", Arguments = ["charmap"], Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["LC_ALL"] = name, ["LOCPATH"] = null } },
            cancellation: cancellation);
        return result.Succeeded && !result.Error.Contains("Cannot set", StringComparison.Ordinal);
    }
}
