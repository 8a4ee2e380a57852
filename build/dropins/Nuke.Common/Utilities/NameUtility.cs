using System.Globalization;
using System.Text;

namespace Nuke.Common.Utilities;

/// <summary>How names of parameters are written and compared.</summary>
internal static class NameUtility
{
    private const string Prefix = "NUKE";

    private static readonly string[] s_knownWords =
        ["DotNet", "GitHub", "GitVersion", "MSBuild", "NuGet", "ReSharper", "AppVeyor", "TeamCity", "GitLab", "SignPath", "JetBrains"];

    /// <summary><c>StagingDatabaseUrl</c> becomes <c>staging-database-url</c>; known words stay whole.</summary>
    public static string ToDashed(string name)
    {
        var result = new StringBuilder();
        var hadLower = false;
        for (var i = 0; i < name.Length;)
        {
            var word = Array.Find(s_knownWords, x => name.AsSpan(i).StartsWith(x, StringComparison.OrdinalIgnoreCase));
            if (word is not null)
            {
                Separate(result);
                result.Append(word.ToLowerInvariant());
                hadLower = true;
                i += word.Length;
                continue;
            }

            if (hadLower && char.IsUpper(name[i]))
            {
                Separate(result);
                hadLower = false;
            }
            else
            {
                hadLower = char.IsLower(name[i]);
            }

            result.Append(char.ToLower(name[i], CultureInfo.InvariantCulture));
            i++;
        }

        return result.ToString();
    }

    /// <summary>Whether a variable's letters and digits are the name's, or the name's after NUKE.</summary>
    public static bool SameLettersAndDigits(string variable, string name) =>
        Same(variable, 0, name) || (StartsWithPrefix(variable, out var start) && Same(variable, start, name));

    private static void Separate(StringBuilder result)
    {
        if (result.Length > 0 && result[^1] != '-')
            result.Append('-');
    }

    private static bool StartsWithPrefix(string variable, out int next)
    {
        var matched = 0;
        for (next = 0; next < variable.Length && matched < Prefix.Length; next++)
        {
            if (!char.IsLetterOrDigit(variable[next]))
                continue;
            if (char.ToUpperInvariant(variable[next]) != Prefix[matched++])
                return false;
        }

        return matched == Prefix.Length;
    }

    private static bool Same(string variable, int start, string name)
    {
        var other = 0;
        for (var i = start; i < variable.Length; i++)
        {
            if (!char.IsLetterOrDigit(variable[i]))
                continue;
            while (other < name.Length && !char.IsLetterOrDigit(name[other]))
                other++;
            if (other == name.Length || char.ToUpperInvariant(variable[i]) != char.ToUpperInvariant(name[other++]))
                return false;
        }

        while (other < name.Length && !char.IsLetterOrDigit(name[other]))
            other++;
        return other == name.Length;
    }
}
