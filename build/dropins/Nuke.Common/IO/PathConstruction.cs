namespace Nuke.Common.IO;

/// <summary>Paths of Windows, UNC and Unix alike, on whatever system.</summary>
public static class PathConstruction
{
    internal const char WinSeparator = '\\';
    internal const char UnixSeparator = '/';
    private static readonly char[] s_allSeparators = [WinSeparator, UnixSeparator];

    /// <summary>From a directory to another path.</summary>
    public static RelativePath GetRelativePathTo(this AbsolutePath basePath, string destinationPath) => (RelativePath)GetRelativePath(basePath, destinationPath);

    /// <summary>As <see cref="GetRelativePathTo"/>, with slashes.</summary>
    public static UnixRelativePath GetUnixRelativePathTo(this AbsolutePath basePath, string destinationPath) =>
        (UnixRelativePath)GetRelativePath(basePath, destinationPath);

    public static UnixRelativePath ToUnixRelativePath(this RelativePath path) => (UnixRelativePath)(string)path;

    /// <summary>Whether the path is this one or below it.</summary>
    public static bool Contains(this AbsolutePath basePath, string destinationPath) => IsDescendantPath(basePath, destinationPath);

    public static bool IsDescendantPath(string basePath, string destinationPath)
    {
        var parts = NormalizePath(destinationPath).Split(s_allSeparators);
        var baseParts = NormalizePath(basePath).Split(s_allSeparators, StringSplitOptions.None);
        return parts.Length >= baseParts.Length && baseParts.SequenceEqual(parts.Take(baseParts.Length), StringComparer.Ordinal);
    }

    public static string GetRelativePath(string basePath, string destinationPath)
    {
        basePath = NormalizePath(basePath);
        destinationPath = NormalizePath(destinationPath);

        var separator = GetSeparator(basePath);
        Assert.True(separator == GetSeparator(destinationPath), "Separators do not match");
        Assert.True(!HasWinRoot(basePath) || GetPathRoot(basePath) == GetPathRoot(destinationPath), "Root must be same");

        var baseParts = basePath.Split(separator, StringSplitOptions.RemoveEmptyEntries);
        var parts = destinationPath.Split(separator, StringSplitOptions.RemoveEmptyEntries);
        var same = baseParts.Zip(parts).TakeWhile(x => x.First.Equals(x.Second, StringComparison.OrdinalIgnoreCase)).Count();
        return string.Join(separator, Enumerable.Repeat("..", baseParts.Length - same).Concat(parts.Skip(same)));
    }

    public static bool HasPathRoot(string path) => GetPathRoot(path) is not null;

    /// <summary><c>/</c>, <c>C:</c>, <c>\\server</c>, or null.</summary>
    public static string GetPathRoot(string path)
    {
        if (path is null)
            return null;
        if (path.StartsWith(UnixSeparator))
            return "/";
        if (HasWinRoot(path))
            return path[..2];
        if (path.Length < 3 || !IsUncRoot(path[..3]))
            return null;

        var end = path.IndexOf(WinSeparator, 2);
        return end < 0 ? path : path[..end];
    }

    public static string Combine(string left, string right, char? separator = null)
    {
        left = TrimEnd(left);
        right = TrimEnd(right);
        Assert.False(HasPathRoot(right), "Second path must not be rooted");

        if (string.IsNullOrWhiteSpace(left))
            return right;
        if (string.IsNullOrWhiteSpace(right))
            return IsWinRoot(left) ? left + WinSeparator : left;

        AssertSeparator(left, separator);
        if (IsUnixRoot(left))
            return left + right;
        return left + (separator ?? GetSeparator(left)) + right;
    }

    public static string NormalizePath(string path, char? separator = null)
    {
        AssertSeparator(path, separator);
        path ??= string.Empty;
        separator ??= GetSeparator(path);
        var root = GetPathRoot(path);

        var parts = new List<string>();
        foreach (var part in path[(root?.Length ?? 0)..].Split(s_allSeparators, StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".")
                continue;

            if (part != ".." || (root is null && parts.TrueForAll(x => x == "..")))
            {
                parts.Add(part);
                continue;
            }

            Assert.True(parts.Count > 0, $"Cannot normalize '{path}' beyond path root");
            parts.RemoveAt(parts.Count - 1);
        }

        return Combine(root, string.Join(separator.Value, parts), separator);
    }

    internal static bool IsUnixRoot(string root) => root is "/";

    internal static bool IsWinRoot(string root) => root is { Length: 2 } && HasWinRoot(root);

    internal static bool HasWinRoot(string path) => path is { Length: >= 2 } && char.IsLetter(path[0]) && path[1] == ':';

    internal static bool IsUncRoot(string root) =>
        root is { Length: >= 3 } && root[0] == WinSeparator && root[1] == WinSeparator && root.Skip(2).All(char.IsLetterOrDigit);

    private static string TrimEnd(string path) => path is null || IsUnixRoot(path) ? path : path.TrimEnd(s_allSeparators);

    private static char GetSeparator(string path) => GetPathRoot(path) switch
    {
        null => Path.DirectorySeparatorChar,
        "/" => UnixSeparator,
        _ => WinSeparator,
    };

    private static void AssertSeparator(string path, char? separator)
    {
        var root = GetPathRoot(path);
        if (separator is null || root is null)
            return;

        var kind = IsUnixRoot(root) ? "Unix" : IsWinRoot(root) ? "Windows" : "UNC";
        Assert.True(separator == GetSeparator(path), $"For {kind}-rooted paths the separator must be '{GetSeparator(path)}'");
    }
}
