using Aragora.Runbook.Adapters.Kubernetes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Clusters;

public sealed class LogCursorTests
{
    [Fact]
    public void Each_line_is_taken_once_however_the_streams_overlap()
    {
        string[] log = [.. Enumerable.Range(0, 40).Select(i => $"2026-11-25T17:15:{i / 4:00}.{i % 4}00000000Z line {i}")];
        var cursor = new LogCursor();
        var taken = new List<string?>();

        for (var end = 7; end < 48; end += 7)
        {
            cursor.Restart();
            taken.AddRange(log.Take(Math.Min(end, log.Length)).Where(line => cursor.SinceTime is not { } since || string.CompareOrdinal(line[..19], since[..19]) >= 0).Select(cursor.Take));
        }

        taken.Where(line => line is not null).ShouldBe(Enumerable.Range(0, 40).Select(i => $"line {i}"));
    }

    [Fact]
    public void A_line_that_came_twice_at_one_moment_is_taken_twice_and_after_a_break_not_again()
    {
        var cursor = new LogCursor();
        cursor.Restart();
        const string Twice = "2026-11-25T17:15:28.123456789Z same";
        (cursor.Take(Twice), cursor.Take(Twice)).ShouldBe(("same", "same"));

        cursor.Restart();
        (cursor.Take(Twice), cursor.Take(Twice), cursor.Take(Twice)).ShouldBe((null, null, "same"));
    }

    [Fact]
    public void Lines_a_little_out_of_order_are_not_lost_at_a_break()
    {
        var cursor = new LogCursor();
        cursor.Restart();
        cursor.Take("2026-11-25T17:15:28.200000000Z out").ShouldBe("out");

        cursor.Restart();
        cursor.SinceTime.ShouldBe("2026-11-25T17:15:26Z");
        cursor.Take("2026-11-25T17:15:28.200000000Z out").ShouldBeNull();
        cursor.Take("2026-11-25T17:15:28.100000000Z error, written a moment before and stored a moment after").ShouldNotBeNull();
    }

    [Fact]
    public void Other_zones_empty_lines_and_what_has_no_time_are_taken_as_they_are()
    {
        var cursor = new LogCursor();
        cursor.Restart();
        cursor.Take("2026-11-25T18:15:28.2+01:00 text\r").ShouldBe("text");
        cursor.Take("2026-11-25T17:15:28.3Z").ShouldBe("");
        cursor.Take("2026-11-25T17:15:28.3Z ").ShouldBe("");
        cursor.Take("failed to open log file").ShouldBe("failed to open log file");
        cursor.Restart();
        cursor.SinceTime.ShouldBe("2026-11-25T17:15:26Z");
    }
}
