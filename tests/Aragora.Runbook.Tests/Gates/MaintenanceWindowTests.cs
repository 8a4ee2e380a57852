using Aragora.Runbook.Gates;
using CsCheck;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Gates;

public sealed class MaintenanceWindowTests
{
    [Theory]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "Sun 02:00-04:00 Europe/Berlin")]
    [InlineData("sun 2:00-4:00 Europe/Berlin", "Sun 02:00-04:00 Europe/Berlin")]
    [InlineData("Sat,Sun 22:00-02:00 UTC", "Sat,Sun 22:00-02:00 UTC")]
    [InlineData("Mon-Fri 00:00-24:00 America/New_York", "Mon,Tue,Wed,Thu,Fri 00:00-24:00 America/New_York")]
    [InlineData("Fri-Mon 22:00-00:00 UTC", "Mon,Fri,Sat,Sun 22:00-24:00 UTC")]
    [InlineData("Mon-Sun 01:00-02:00 UTC", "Mon,Tue,Wed,Thu,Fri,Sat,Sun 01:00-02:00 UTC")]
    [InlineData("Sunday,Tue-Wed 01:00–02:00 UTC", "Tue,Wed,Sun 01:00-02:00 UTC")]
    public void A_window_is_read_as_it_is_written(string text, string expected)
    {
        var window = MaintenanceWindow.Parse(text);

        window.ToString().ShouldBe(expected);
        MaintenanceWindow.Parse(window.ToString()).ShouldBe(window);
    }

    [Theory]
    [InlineData("Sun 02:00-04:00", "not days, times and a time zone")]
    [InlineData("02:00-04:00 Europe/Berlin", "not days, times and a time zone")]
    [InlineData("Sun 2-4 Europe/Berlin", "not days, times and a time zone")]
    [InlineData("", "not days, times and a time zone")]
    [InlineData("Son 02:00-04:00 Europe/Berlin", "\"Son\" is not a day; the days are Mon, Tue")]
    [InlineData("Mon-Wed-Fri 02:00-04:00 UTC", "not a range of days")]
    [InlineData("Sun 02:60-04:00 UTC", "02:60 is not a time of day")]
    [InlineData("Sun 02:00-25:00 UTC", "25:00 is not a time of day")]
    [InlineData("Sun 24:00-01:00 UTC", "24:00 is an end only")]
    [InlineData("Sun 02:00-02:00 UTC", "a whole day is 00:00-24:00")]
    [InlineData("Sun 02:00-04:00 Europe/Berln", "did you mean Europe/Berlin?")]
    [InlineData("Sun 02:00-04:00 Berlin", "did you mean Europe/Berlin?")]
    [InlineData("Sun 02:00-04:00 New York", "did you mean America/New_York?")]
    [InlineData("Sun 02:00-04:00 EST", "\"EST\" is not a time zone")]
    [InlineData("Sun 02:00-04:00 Nowhere/Atall", "\"Nowhere/Atall\" is not a time zone")]
    public void A_wrong_window_is_refused_and_the_message_says_what_is_wrong(string text, string expected) =>
        Should.Throw<FormatException>(() => MaintenanceWindow.Parse(text)).Message.ShouldContain(expected);

    [Theory]
    // An ordinary Sunday, in summer.
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-07-04T23:59:59Z", false)]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-07-05T00:00:00Z", true)]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-07-05T01:59:59Z", true)]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-07-05T02:00:00Z", false)]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-07-06T00:30:00Z", false)]
    // Over midnight it belongs to the day on which it begins.
    [InlineData("Sat 22:00-02:00 UTC", "2026-07-04T21:59:00Z", false)]
    [InlineData("Sat 22:00-02:00 UTC", "2026-07-04T22:00:00Z", true)]
    [InlineData("Sat 22:00-02:00 UTC", "2026-07-05T01:59:00Z", true)]
    [InlineData("Sat 22:00-02:00 UTC", "2026-07-05T02:00:00Z", false)]
    [InlineData("Sat 22:00-02:00 UTC", "2026-07-04T01:00:00Z", false)]
    [InlineData("Sat 22:00-02:00 UTC", "2026-07-05T22:30:00Z", false)]
    // Europe/Berlin, 2026-03-29: 02:00 CET is 03:00 CEST. Of 02:00-04:00 the second hour is left.
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-03-29T00:59:59Z", false)]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-03-29T01:00:00Z", true)]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-03-29T01:59:59Z", true)]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-03-29T02:00:00Z", false)]
    // Europe/Berlin, 2026-10-25: 02:00 to 03:00 comes twice.
    [InlineData("Sun 02:00-03:00 Europe/Berlin", "2026-10-24T23:59:59Z", false)]
    [InlineData("Sun 02:00-03:00 Europe/Berlin", "2026-10-25T00:00:00Z", true)]
    [InlineData("Sun 02:00-03:00 Europe/Berlin", "2026-10-25T01:59:59Z", true)]
    [InlineData("Sun 02:00-03:00 Europe/Berlin", "2026-10-25T02:00:00Z", false)]
    // America/New_York, 2026-03-08 and 2026-11-01.
    [InlineData("Sun 01:30-03:30 America/New_York", "2026-03-08T06:59:00Z", true)]
    [InlineData("Sun 01:30-03:30 America/New_York", "2026-03-08T07:29:00Z", true)]
    [InlineData("Sun 01:30-03:30 America/New_York", "2026-03-08T07:30:00Z", false)]
    [InlineData("Sun 01:00-01:30 America/New_York", "2026-11-01T05:15:00Z", true)]
    [InlineData("Sun 01:00-01:30 America/New_York", "2026-11-01T05:45:00Z", false)]
    [InlineData("Sun 01:00-01:30 America/New_York", "2026-11-01T06:15:00Z", true)]
    [InlineData("Sun 01:00-01:30 America/New_York", "2026-11-01T06:45:00Z", false)]
    // Australia/Sydney, the other way round: forward on 2026-10-04, back on 2026-04-05.
    [InlineData("Sun 02:00-04:00 Australia/Sydney", "2026-10-03T15:59:00Z", false)]
    [InlineData("Sun 02:00-04:00 Australia/Sydney", "2026-10-03T16:00:00Z", true)]
    [InlineData("Sun 02:00-04:00 Australia/Sydney", "2026-10-03T17:00:00Z", false)]
    [InlineData("Sun 02:00-03:00 Australia/Sydney", "2026-04-04T15:30:00Z", true)]
    [InlineData("Sun 02:00-03:00 Australia/Sydney", "2026-04-04T16:30:00Z", true)]
    public void Open_is_what_the_wall_clock_says(string window, string instant, bool expected) =>
        MaintenanceWindow.Parse(window).IsOpen(DateTimeOffset.Parse(instant)).ShouldBe(expected);

    [Theory]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-03-22T12:00:00Z", "2026-03-29T03:00:00+02:00", "")]
    [InlineData("Sun 02:00-03:00 Europe/Berlin", "2026-03-22T12:00:00Z", "2026-04-05T02:00:00+02:00", "2026-03-29")]
    [InlineData("Sun 02:10-02:50 America/New_York", "2026-03-08T00:00:00Z", "2026-03-15T02:10:00-04:00", "2026-03-08")]
    [InlineData("Sun 02:15-02:45 Australia/Sydney", "2026-10-01T00:00:00Z", "2026-10-11T02:15:00+11:00", "2026-10-04")]
    [InlineData("Sun 02:00-03:00 Europe/Berlin", "2026-10-20T00:00:00Z", "2026-10-25T02:00:00+02:00", "")]
    [InlineData("Sun 02:00-02:30 Europe/Berlin", "2026-10-25T00:40:00Z", "2026-10-25T02:00:00+01:00", "")]
    [InlineData("Sun 02:30-04:00 Europe/Berlin", "2026-10-25T01:05:00Z", "2026-10-25T02:30:00+01:00", "")]
    [InlineData("Sat 22:00-02:30 Europe/Berlin", "2026-10-25T00:40:00Z", "2026-10-25T02:00:00+01:00", "")]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-10-25T12:00:00Z", "2026-11-01T02:00:00+01:00", "")]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-07-05T01:00:00Z", "2026-07-05T03:00:00+02:00", "")]
    public void The_next_opening_is_right_across_changes_of_the_clock(string window, string from, string opens, string skipped)
    {
        var read = MaintenanceWindow.Parse(window);
        var next = read.NextOpening(DateTimeOffset.Parse(from));

        next.ToString("yyyy-MM-dd'T'HH:mm:sszzz").ShouldBe(opens);
        string.Join(',', read.Skipped(DateTimeOffset.Parse(from), next).Select(day => day.ToString("yyyy-MM-dd"))).ShouldBe(skipped);
    }

    [Theory]
    [InlineData("Sun 02:00-04:00 Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T04:00:00+01:00")]
    [InlineData("Sun 01:00-02:30 Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T03:00:00+02:00")]
    [InlineData("Mon-Sun 00:00-24:00 Europe/Berlin", "2026-03-29T00:30:00Z", null)]
    [InlineData("Sat-Sun 00:00-24:00 UTC", "2026-07-04T12:00:00Z", "2026-07-06T00:00:00+00:00")]
    public void It_closes_when_the_wall_clock_says_so(string window, string from, string? closes) =>
        (MaintenanceWindow.Parse(window).NextClosing(DateTimeOffset.Parse(from))?.ToString("yyyy-MM-dd'T'HH:mm:sszzz")).ShouldBe(closes);

    [Fact]
    public void The_next_opening_is_open_and_no_instant_before_it_is()
    {
        var zones = new[] { "Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Europe/Dublin", "Africa/Casablanca", "America/St_Johns", "Pacific/Apia", "UTC" };
        var minutes = Gen.Int[0, 95].Select(quarter => TimeSpan.FromMinutes(15 * quarter));
        var days = Gen.Int[1, 127].Select(mask => Enum.GetValues<DayOfWeek>().Where(day => (mask & (1 << (int)day)) != 0).ToHashSet());
        var window = Gen.Select(days, minutes, minutes, Gen.Int[0, zones.Length - 1].Select(index => zones[index]))
            .Where(parts => parts.Item2 != parts.Item3)
            .Select(parts => new MaintenanceWindow(parts.Item1, parts.Item2, parts.Item3 < parts.Item2 ? parts.Item3 + TimeSpan.FromDays(1) : parts.Item3, TimeZoneInfo.FindSystemTimeZoneById(parts.Item4)));
        // Five minutes apart for two years: every change of the clock among them.
        var instant = Gen.Int[0, 2 * 365 * 288].Select(step => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(5 * step));

        Gen.Select(window, instant).Sample(
            (asked, from) =>
            {
                var next = asked.NextOpening(from);
                if (!asked.IsOpen(next) || next < from)
                {
                    return false;
                }

                for (var at = from; at < next; at = at.AddMinutes(5))
                {
                    if (asked.IsOpen(at))
                    {
                        return false;
                    }
                }

                return next == from || !asked.IsOpen(next.AddTicks(-1));
            },
            iter: 2000);
    }
}
