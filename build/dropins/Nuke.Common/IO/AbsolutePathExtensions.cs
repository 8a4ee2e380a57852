using System.Runtime.CompilerServices;

namespace Nuke.Common.IO;

/// <summary>What can be done with files and directories.</summary>
public static partial class AbsolutePathExtensions
{
    /// <summary>Whether it exists; file or directory is told by the last word of the expression.</summary>
    public static bool Exists(this AbsolutePath path, [CallerArgumentExpression(nameof(path))] string expression = null)
    {
        if (EndsWithAny(expression, "file", "executable", "exe", "script", "archive"))
            return path.FileExists();
        if (EndsWithAny(expression, "directory", "dir", "folder"))
            return path.DirectoryExists();

        throw new ArgumentException($"Cannot infer from argument '{expression}' if either file or directory must exist", nameof(expression));
    }

    public static bool FileExists(this AbsolutePath path) => File.Exists(path);

    public static bool DirectoryExists(this AbsolutePath path) => Directory.Exists(path);

    public static bool ContainsFile(this AbsolutePath path, string pattern, SearchOption options = SearchOption.TopDirectoryOnly) =>
        Directory.EnumerateFiles(path, pattern, options).Any();

    public static bool ContainsDirectory(this AbsolutePath path, string pattern, SearchOption options = SearchOption.TopDirectoryOnly) =>
        Directory.EnumerateDirectories(path, pattern, options).Any();

    /// <summary>The path, or null where nothing is there.</summary>
    public static AbsolutePath Existing(this AbsolutePath path, [CallerArgumentExpression(nameof(path))] string expression = null) =>
        path.Exists(expression) ? path : null;

    public static AbsolutePath ExistingFile(this AbsolutePath path) => path.FileExists() ? path : null;

    public static AbsolutePath ExistingDirectory(this AbsolutePath path) => path.DirectoryExists() ? path : null;

    public static IEnumerable<AbsolutePath> WhereFileExists(this IEnumerable<AbsolutePath> paths) => paths.Where(x => x.FileExists());

    public static IEnumerable<AbsolutePath> WhereDirectoryExists(this IEnumerable<AbsolutePath> paths) => paths.Where(x => x.DirectoryExists());

    public static FileInfo ToFileInfo(this AbsolutePath path) => path is null ? null : new FileInfo(path);

    public static DirectoryInfo ToDirectoryInfo(this AbsolutePath path) => path is null ? null : new DirectoryInfo(path);

    public static bool HasExtension(this AbsolutePath path, string extension, params string[] alternativeExtensions) =>
        EndsWithAny(path, [extension, .. alternativeExtensions]);

    public static AbsolutePath WithExtension(this AbsolutePath path, string extension) => path.Parent / Path.ChangeExtension(path.Name, extension);

    public static AbsolutePath CreateDirectory(this AbsolutePath path)
    {
        Directory.CreateDirectory(path);
        return path;
    }

    public static AbsolutePath CreateOrCleanDirectory(this AbsolutePath path)
    {
        path.DeleteDirectory();
        return path.CreateDirectory();
    }

    public static AbsolutePath TouchFile(this AbsolutePath path, DateTime? time = null, bool createDirectories = true)
    {
        if (createDirectories)
            path.Parent.CreateDirectory();
        if (!path.FileExists())
            File.WriteAllBytes(path, []);
        File.SetLastWriteTime(path, time ?? TimeProvider.System.GetLocalNow().LocalDateTime);
        return path;
    }

    public static void DeleteFile(this AbsolutePath path)
    {
        if (!path.FileExists())
            return;

        File.SetAttributes(path, FileAttributes.Normal);
        File.Delete(path);
    }

    public static void DeleteDirectory(this AbsolutePath path)
    {
        if (!path.DirectoryExists())
            return;

        foreach (var file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories))
            File.SetAttributes(file, FileAttributes.Normal);
        Directory.Delete(path, recursive: true);
    }

    public static void DeleteFiles(this IEnumerable<AbsolutePath> paths)
    {
        foreach (var path in paths)
            path.DeleteFile();
    }

    public static void DeleteDirectories(this IEnumerable<AbsolutePath> paths)
    {
        foreach (var path in paths)
            path.DeleteDirectory();
    }

    /// <summary>The files in the directory, and with a depth above one in those below it.</summary>
    public static IEnumerable<AbsolutePath> GetFiles(this AbsolutePath path, string pattern = "*", int depth = 1, FileAttributes attributes = 0)
    {
        Assert.True(depth >= 0);
        if (depth == 0)
            return [];

        return Directory.EnumerateFiles(path, pattern)
            .Where(x => (File.GetAttributes(x) & attributes) == attributes)
            .Order(StringComparer.Ordinal)
            .Select(AbsolutePath.Create)
            .Concat(path.GetDirectories(depth: depth - 1).SelectMany(x => x.GetFiles(pattern, attributes: attributes)));
    }

    /// <summary>The directories in the directory, and with a depth above one those below them.</summary>
    public static IEnumerable<AbsolutePath> GetDirectories(this AbsolutePath path, string pattern = "*", int depth = 1, FileAttributes attributes = 0)
    {
        Assert.True(depth >= 0);
        List<string> level = [path];
        for (; depth > 0 && level.Count > 0; depth--)
        {
            var matching = level.SelectMany(x => Directory.EnumerateDirectories(x, pattern))
                .Where(x => (File.GetAttributes(x) & attributes) == attributes)
                .Order(StringComparer.Ordinal);
            foreach (var directory in matching)
                yield return AbsolutePath.Create(directory);
            level = [.. level.SelectMany(Directory.EnumerateDirectories)];
        }
    }

    private static bool EndsWithAny(string text, params string[] endings) => Array.Exists(endings, x => text.EndsWith(x, StringComparison.OrdinalIgnoreCase));
}
