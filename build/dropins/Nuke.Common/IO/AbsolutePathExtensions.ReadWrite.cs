using System.Text;

namespace Nuke.Common.IO;

public static partial class AbsolutePathExtensions
{
    /// <summary>UTF-8 without a byte order mark.</summary>
    public static Encoding DefaultEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The line breaks that are written.</summary>
    public static PlatformFamily? DefaultLineBreakType = EnvironmentInfo.Platform;

    /// <summary>Whether a file that is written ends with a line break.</summary>
    public static bool DefaultEofLineBreak = true;

    public static AbsolutePath AppendAllLines(this AbsolutePath path, IEnumerable<string> lines, Encoding encoding = null)
    {
        path.Parent.CreateDirectory();
        File.AppendAllLines(path, lines, encoding ?? DefaultEncoding);
        return path;
    }

    public static AbsolutePath AppendAllLines(this AbsolutePath path, string[] lines, Encoding encoding = null) => path.AppendAllLines(lines.AsEnumerable(), encoding);

    public static AbsolutePath AppendAllText(this AbsolutePath path, string content, Encoding encoding = null)
    {
        path.Parent.CreateDirectory();
        File.AppendAllText(path, content, encoding ?? DefaultEncoding);
        return path;
    }

    public static AbsolutePath WriteAllLines(
        this AbsolutePath path,
        IEnumerable<string> lines,
        Encoding encoding = null,
        PlatformFamily? platformFamily = null,
        bool? eofLineBreak = null)
    {
        var lineBreak = (platformFamily ?? DefaultLineBreakType ?? EnvironmentInfo.Platform) == PlatformFamily.Windows ? "\r\n" : "\n";
        var text = string.Join(lineBreak, lines) + (eofLineBreak ?? DefaultEofLineBreak ? lineBreak : string.Empty);
        return path.WriteAllText(text, encoding);
    }

    public static AbsolutePath WriteAllLines(
        this AbsolutePath path,
        string[] lines,
        Encoding encoding = null,
        PlatformFamily? platformFamily = null,
        bool? eofLineBreak = null)
        => path.WriteAllLines(lines.AsEnumerable(), encoding, platformFamily, eofLineBreak);

    public static AbsolutePath WriteAllText(this AbsolutePath path, string content, Encoding encoding = null, bool? eofLineBreak = null)
    {
        path.Parent.CreateDirectory();
        if (eofLineBreak ?? DefaultEofLineBreak)
            content = content.TrimEnd('\r', '\n') + (content.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n");

        File.WriteAllText(path, content, encoding ?? DefaultEncoding);
        return path;
    }

    public static AbsolutePath WriteAllBytes(this AbsolutePath path, byte[] bytes)
    {
        path.Parent.CreateDirectory();
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public static string ReadAllText(this AbsolutePath path, Encoding encoding = null)
    {
        Assert.FileExists(path);
        return File.ReadAllText(path, encoding ?? Encoding.UTF8);
    }

    public static string[] ReadAllLines(this AbsolutePath path, Encoding encoding = null)
    {
        Assert.FileExists(path);
        return File.ReadAllLines(path, encoding ?? Encoding.UTF8);
    }

    public static byte[] ReadAllBytes(this AbsolutePath path)
    {
        Assert.FileExists(path);
        return File.ReadAllBytes(path);
    }

    public static AbsolutePath UpdateText(this AbsolutePath path, Func<string, string> update, Encoding encoding = null) =>
        path.WriteAllText(update(path.ReadAllText(encoding)), encoding);
}
