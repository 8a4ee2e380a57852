using System.Globalization;

namespace Aragora.Runbook.Reporting;

/// <summary>Bytes as people read them: decimal units, three digits or so.</summary>
public static class DataSize
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>Such as <c>734 B</c>, <c>12.5 MB</c>, <c>1.2 TB</c>; the point is a point in every locale.</summary>
    public static string Text(double bytes)
    {
        var unit = 0;
        var value = Math.Abs(bytes);
        while (value >= 999.5 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        var format = unit == 0 || value >= 99.95 ? "0" : "0.0";
        return $"{(bytes < 0 ? "-" : "")}{value.ToString(format, CultureInfo.InvariantCulture)} {Units[unit]}";
    }
}
