namespace Nuke.Common.IO;

/// <summary>Finds files and directories by patterns: <c>*</c>, <c>?</c>, <c>{a,b}</c> in a name, <c>**</c> for any directories.</summary>
public static class Globbing
{
    private static readonly StringComparison s_comparison = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    public static IReadOnlyCollection<AbsolutePath> GlobFiles(this AbsolutePath directory, params string[] patterns) =>
        Glob(directory, patterns, Directory.EnumerateFiles);

    public static IReadOnlyCollection<AbsolutePath> GlobDirectories(this AbsolutePath directory, params string[] patterns) =>
        Glob(directory, patterns, Directory.EnumerateDirectories);

    private static List<AbsolutePath> Glob(AbsolutePath directory, string[] patterns, Func<string, IEnumerable<string>> enumerate)
    {
        if (patterns.Length == 0)
            (directory, patterns) = SplitDefinition(directory);

        return [.. patterns.SelectMany(x => Find(directory, x.Split('/', StringSplitOptions.RemoveEmptyEntries), enumerate)).Select(AbsolutePath.Create)];
    }

    // A path with stars in it: what comes before them is where to look.
    private static (AbsolutePath Directory, string[] Patterns) SplitDefinition(AbsolutePath definition)
    {
        var directory = definition;
        while (directory.ToString().Contains('*', StringComparison.Ordinal))
            directory = directory.Parent;
        return (directory, [directory.GetUnixRelativePathTo(definition)]);
    }

    private static IEnumerable<string> Find(string directory, ReadOnlyMemory<string> pattern, Func<string, IEnumerable<string>> enumerate)
    {
        if (pattern.Length == 0 || !Directory.Exists(directory))
            return [];

        var head = pattern.Span[0];
        var rest = pattern[1..];
        var directories = Directory.EnumerateDirectories(directory).Order(StringComparer.Ordinal);
        if (head == "**")
        {
            var here = rest.Length == 0 ? enumerate(directory).Order(StringComparer.Ordinal) : Find(directory, rest, enumerate);
            return here.Concat(directories.Where(IsNoLink).SelectMany(x => Find(x, pattern, enumerate)));
        }

        if (head is ".." or ".")
            return Find(Path.Combine(directory, head), rest, enumerate);

        return rest.Length == 0
            ? enumerate(directory).Where(x => Matches(Path.GetFileName(x), head)).Order(StringComparer.Ordinal)
            : directories.Where(x => Matches(Path.GetFileName(x), head)).SelectMany(x => Find(x, rest, enumerate));
    }

    private static bool IsNoLink(string directory) => (File.GetAttributes(directory) & FileAttributes.ReparsePoint) == 0;

    internal static bool Matches(ReadOnlySpan<char> name, ReadOnlySpan<char> pattern)
    {
        if (pattern.IsEmpty)
            return name.IsEmpty;

        switch (pattern[0])
        {
            case '*':
                for (var i = 0; i <= name.Length; i++)
                {
                    if (Matches(name[i..], pattern[1..]))
                        return true;
                }

                return false;
            case '?':
                return !name.IsEmpty && Matches(name[1..], pattern[1..]);
            case '{' when pattern.IndexOf('}') is var end and > 0:
                foreach (var alternative in pattern[1..end].ToString().Split(','))
                {
                    if (Matches(name, string.Concat(alternative, pattern[(end + 1)..])))
                        return true;
                }

                return false;
            default:
                return !name.IsEmpty && name[..1].Equals(pattern[..1], s_comparison) && Matches(name[1..], pattern[1..]);
        }
    }
}
