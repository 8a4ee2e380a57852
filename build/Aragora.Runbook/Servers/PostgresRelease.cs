using System.Globalization;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Servers;

/// <summary>Versions of PostgreSQL's programs and servers, as they say them themselves.</summary>
public static partial class PostgresRelease
{
    /// <summary>Major and minor version in <c>15.18 (Debian 15.18-0+deb12u1)</c>, <c>17beta1</c> and the like; a beta has the minor version 0.</summary>
    public static Version Of(string version)
    {
        var match = Numbers().Match(version);
        return match.Success ? new Version(Number(match.Groups[1]), match.Groups[2].Success ? Number(match.Groups[2]) : 0) : new Version(0, 0);
    }

    private static int Number(Group digits) => int.Parse(digits.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(\d+)(?:\.(\d+))?")]
    private static partial Regex Numbers();
}
