using System.Globalization;

namespace Aragora.Runbook.Reporting;

/// <summary>Sizes, durations and moments, as people read them; the same in every locale.</summary>
public static class Measures
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>Bytes with a unit of 1,000: <c>1.2 GB</c>.</summary>
    public static string Size(long bytes)
    {
        var value = (double)bytes;
        var unit = 0;
        while (Math.Abs(value) >= 999.5 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return $"{value.ToString(unit == 0 || value >= 99.95 ? "0" : "0.0", CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    /// <summary><c>80 ms</c>, <c>4.2 s</c>, <c>3 min 20 s</c>, <c>2 h 05 min</c>, <c>3 d 4 h</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        { TotalMinutes: < 60 } => $"{time.Minutes} min {time.Seconds:00} s",
        { TotalHours: < 48 } => $"{(int)time.TotalHours} h {time.Minutes:00} min",
        _ => $"{(int)time.TotalDays} d {time.Hours} h",
    };

    /// <summary>UTC to the second.</summary>
    public static string Moment(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary><c>1 test</c>, <c>3 tests</c>.</summary>
    public static string Count(long number, string noun) => string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");
}
