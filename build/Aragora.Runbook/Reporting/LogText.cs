using System.Text;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Reporting;

/// <summary>Makes text from a database, a child process or a server safe to print: it can neither draw on the terminal nor give orders to the CI host.</summary>
/// <remarks>
/// GitHub Actions obeys <c>::command::</c> at the start of a line (behind white space) and <c>##[command]</c> anywhere in it; Azure Pipelines obeys <c>##vso[command]</c>
/// and <c>##[command]</c> anywhere. A backslash that people can see is put into each, so that nothing is lost and nothing is obeyed.
/// </remarks>
public static partial class LogText
{
    /// <summary>The same text, line by line, without escape sequences, control characters and orders to the CI host. Tabs and line breaks stay.</summary>
    public static string Safe(string text)
    {
        var plain = Plain(text);
        plain = Anywhere().Replace(plain, @"#\#${host}[");
        return LineStart().Replace(plain, @"${indent}\::");
    }

    /// <summary>One safe line: white space folded, cut with an ellipsis after <paramref name="length"/> characters.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="length">The longest result, characters. Default: 200.</param>
    public static string SingleLine(string text, int length = 200)
    {
        var folded = WhiteSpace().Replace(Safe(text), " ").Trim();
        if (folded.Length <= length)
        {
            return folded;
        }

        var end = char.IsHighSurrogate(folded[length - 2]) ? length - 2 : length - 1;
        return folded[..end] + "…";
    }

    private static string Plain(string text)
    {
        var lines = EscapeSequence().Replace(text, "").ReplaceLineEndings("\n");
        var plain = new StringBuilder(lines.Length);
        foreach (var c in lines)
        {
            if (c is '\n' or '\t' || (!char.IsControl(c) && !IsDirection(c)))
            {
                plain.Append(c);
            }
        }

        return plain.ToString();
    }

    /// <summary>Marks that reorder or hide what people read.</summary>
    private static bool IsDirection(char c) => c is (>= '\u200B' and <= '\u200F') or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\uFEFF';

    /// <summary>CSI, OSC (ended by BEL or ST), and two-character escapes; also with the one-character C1 introducers.</summary>
    [GeneratedRegex(@"(?:\x1B\[|\x9B)[0-?]*[ -/]*[@-~]|(?:\x1B\]|\x9D)[^\x07\x1B\x9C]*(?:\x07|\x1B\\|\x9C)?|\x1B[ -/]*[0-~]")]
    private static partial Regex EscapeSequence();

    [GeneratedRegex(@"##(?<host>vso|)\[", RegexOptions.IgnoreCase)]
    private static partial Regex Anywhere();

    [GeneratedRegex(@"^(?<indent>\s*)::", RegexOptions.Multiline)]
    private static partial Regex LineStart();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
