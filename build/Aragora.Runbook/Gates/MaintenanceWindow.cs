using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Aragora.Runbook.Gates;

/// <summary>When production may be migrated: days of the week and times of day by the wall clock of a time zone, such as <c>Sun 02:00-04:00 Europe/Berlin</c>.</summary>
/// <remarks>
/// Whether it is open is decided by what the wall clock shows at an instant. So an hour that the clock shows twice (daylight saving ends) is open twice, and one that it skips is not open.
/// A window over midnight belongs to the day on which it begins.
/// </remarks>
[TypeConverter(typeof(MaintenanceWindowConverter))]
public sealed record MaintenanceWindow
{
    // A weekly window that is skipped by a change of the clock comes again within two weeks.
    private const int Horizon = 60;

    private readonly WallClock clock;

    /// <summary>A window.</summary>
    /// <param name="days">The days on which it begins.</param>
    /// <param name="begin">Begin, since midnight.</param>
    /// <param name="end">End, since the same midnight: up to 48 h where it goes over midnight. Not open any more at this moment.</param>
    /// <param name="zone">Whose wall clock.</param>
    internal MaintenanceWindow(IReadOnlySet<DayOfWeek> days, TimeSpan begin, TimeSpan end, TimeZoneInfo zone)
    {
        (Days, Begin, End, Zone) = (days, begin, end, zone);
        clock = new WallClock(zone);
    }

    /// <summary>The days on which it begins.</summary>
    public IReadOnlySet<DayOfWeek> Days { get; }

    /// <summary>When it begins, since midnight.</summary>
    public TimeSpan Begin { get; }

    /// <summary>When it ends, since the midnight of the day on which it begins.</summary>
    public TimeSpan End { get; }

    /// <summary>Whose wall clock.</summary>
    public TimeZoneInfo Zone { get; }

    /// <summary>Reads a window.</summary>
    /// <exception cref="FormatException">It is none; the message says what is wrong with it.</exception>
    public static MaintenanceWindow Parse(string text) => MaintenanceWindowParser.Parse(text);

    /// <summary>Whether it is open at this instant.</summary>
    public bool IsOpen(DateTimeOffset instant)
    {
        var local = clock.At(instant).DateTime;
        return Covers(local.Date, local) || Covers(local.Date.AddDays(-1), local);
    }

    /// <summary>The first instant, this one or later, at which it is open; with the zone's offset.</summary>
    public DateTimeOffset NextOpening(DateTimeOffset from) =>
        Changes(from, Begin).Append(from).Where(instant => instant >= from && IsOpen(instant)).Select(clock.At).Order().Cast<DateTimeOffset?>().FirstOrDefault()
        ?? throw new UnreachableException($"{this} does not open within {Horizon} days of {from:u}.");

    /// <summary>The first instant after this one at which it is not open; null where it is always open.</summary>
    public DateTimeOffset? NextClosing(DateTimeOffset from) =>
        Changes(from, End).Where(instant => instant > from && !IsOpen(instant)).Select(clock.At).Order().Cast<DateTimeOffset?>().FirstOrDefault();

    /// <summary>The days from this instant to another on which it should be open and is not, since the wall clock skips all of it.</summary>
    public IReadOnlyList<DateOnly> Skipped(DateTimeOffset from, DateTimeOffset to) =>
    [
        .. Dates(clock.At(from).Date, clock.At(to).Date)
            .Where(day => Days.Contains(day.DayOfWeek) && clock.Instants(day + Begin).Count == 0 && clock.Instants((day + End).AddTicks(-1)).Count == 0)
            .Select(DateOnly.FromDateTime),
    ];

    /// <summary>As it is written.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{string.Join(',', MaintenanceWindowParser.Week.Where(Days.Contains).Select(day => day.ToString()[..3]))} {Time(Begin)}-{Time(End > TimeSpan.FromDays(1) ? End - TimeSpan.FromDays(1) : End)} {Zone.Id}");

    /// <summary>The same window: the zones' ids, since two reads of a zone are two objects.</summary>
    public bool Equals(MaintenanceWindow? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    private bool Covers(DateTime day, DateTime local) => Days.Contains(day.DayOfWeek) && local >= day + Begin && local < day + End;

    /// <summary>Every instant at which it may open or close: the wall clock comes to the border, or is put forward or back across it.</summary>
    private IEnumerable<DateTimeOffset> Changes(DateTimeOffset from, TimeSpan border)
    {
        var first = clock.At(from).Date.AddDays(-2);
        return Dates(first, first.AddDays(Horizon)).Where(day => Days.Contains(day.DayOfWeek)).SelectMany(day => clock.Instants(day + border)).Concat(clock.Transitions(from, from.AddDays(Horizon)));
    }

    private static IEnumerable<DateTime> Dates(DateTime first, DateTime last)
    {
        for (var day = first; day <= last; day = day.AddDays(1))
        {
            yield return day;
        }
    }

    private static string Time(TimeSpan time) => time == TimeSpan.FromDays(1) ? "24:00" : time.ToString(@"hh\:mm", CultureInfo.InvariantCulture);
}

/// <summary>Lets NUKE, and everything else that asks <see cref="TypeDescriptor"/>, read a <see cref="MaintenanceWindow"/>.</summary>
public sealed class MaintenanceWindowConverter : TypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => value is string text ? MaintenanceWindow.Parse(text) : base.ConvertFrom(context, culture, value);
}
