using System.Globalization;
using System.Text.RegularExpressions;
using Aragora.Runbook.Inputs;

namespace Aragora.Runbook.Gates;

/// <summary>Reads a maintenance window, and says of a wrong one what is wrong.</summary>
internal static partial class MaintenanceWindowParser
{
    /// <summary>The days in the order in which they are written.</summary>
    public static readonly DayOfWeek[] Week = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday, DayOfWeek.Saturday, DayOfWeek.Sunday];

    private const string Example = "write it as \"Sun 02:00-04:00 Europe/Berlin\"; days also as Sat,Sun or Mon-Fri, times also over midnight as 22:00-02:00";

    /// <summary>Reads it.</summary>
    /// <exception cref="FormatException">With what is wrong.</exception>
    public static MaintenanceWindow Parse(string text)
    {
        var match = Pattern().Match(text.Trim());
        if (!match.Success)
        {
            throw new FormatException($"it is not days, times and a time zone: {Example}");
        }

        var days = match.Groups["days"].Value.Split(',').SelectMany(Range).ToHashSet();
        var (begin, end) = (Time(match.Groups["begin"].Value), Time(match.Groups["end"].Value));
        if (begin == end)
        {
            throw new FormatException($"it ends when it begins; a whole day is 00:00-24:00");
        }

        if (begin == TimeSpan.FromDays(1))
        {
            throw new FormatException("24:00 is an end only; a window that begins at midnight begins at 00:00 of the next day");
        }

        return new MaintenanceWindow(days, begin, end < begin ? end + TimeSpan.FromDays(1) : end, Zone(match.Groups["zone"].Value));
    }

    private static IEnumerable<DayOfWeek> Range(string text)
    {
        var ends = text.Split('-', '–').Select(Day).ToArray();
        var (first, last) = ends.Length <= 2 ? (ends[0], ends[^1]) : throw new FormatException($"\"{text}\" is not a range of days such as Mon-Fri");
        return Enumerable.Range(0, ((last - first + Week.Length) % Week.Length) + 1).Select(after => Week[(first + after) % Week.Length]);
    }

    /// <summary>Its place in the week. Three letters or all of the name.</summary>
    private static int Day(string text)
    {
        var found = Array.FindIndex(Week, day => text.Equals(day.ToString(), StringComparison.OrdinalIgnoreCase) || text.Equals(day.ToString()[..3], StringComparison.OrdinalIgnoreCase));
        return found >= 0 ? found : throw new FormatException($"\"{text}\" is not a day; the days are {string.Join(", ", Week.Select(day => day.ToString()[..3]))}");
    }

    private static TimeSpan Time(string text)
    {
        var parts = text.Split(':').Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToArray();
        var time = new TimeSpan(parts[0], parts[1], 0);
        return parts[1] < 60 && time <= TimeSpan.FromDays(1) ? time : throw new FormatException($"{text} is not a time of day (00:00 to 24:00)");
    }

    private static TimeZoneInfo Zone(string id)
    {
        // "EST" and the like are fixed offsets in some versions of the database, and a city's time in others.
        var isPlace = id.Contains('/', StringComparison.Ordinal) || id == "UTC";
        if (isPlace && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone))
        {
            return zone;
        }

        var known = TimeZoneInfo.GetSystemTimeZones().Select(found => found.Id).Where(found => found.Contains('/', StringComparison.Ordinal)).ToList();
        if (known.Count == 0)
        {
            throw new FormatException("this machine knows no time zones: install tzdata, or name UTC");
        }

        var near = known.FirstOrDefault(found => found.Split('/')[^1].Equals(id.Split('/')[^1].Replace(' ', '_'), StringComparison.OrdinalIgnoreCase)) ?? Spelling.Nearest(id, known);
        throw new FormatException($"\"{id}\" is not a time zone of the IANA database such as Europe/Berlin, America/New_York or UTC{(near is null ? "" : $"; did you mean {near}?")}");
    }

    [GeneratedRegex(@"^(?<days>[A-Za-z]+([,\-–][A-Za-z]+)*)\s+(?<begin>\d{1,2}:\d{2})\s*[\-–]\s*(?<end>\d{1,2}:\d{2})\s+(?<zone>[A-Za-z][A-Za-z0-9_+\-/ ]*)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
