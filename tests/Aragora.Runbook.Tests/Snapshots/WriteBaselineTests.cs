using Aragora.Runbook.Backups;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

public sealed class WriteBaselineTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 25, 17, 2, 3, TimeSpan.Zero);

    [Fact]
    public void It_comes_back_from_a_tag_as_it_was_and_fits_into_one()
    {
        var counters = Counters(2, (7, 1, long.MaxValue / 2), (8, 2, 5)) with { ResetAt = At.AddTicks(1234567) };
        var written = WriteBaseline.Of(counters, At);
        var tag = written.ToTag();
        tag.Length.ShouldBeLessThanOrEqualTo(256);
        SnapshotTags.Value(tag).ShouldBe(tag, "RDS takes every character of it");

        var read = WriteBaseline.Parse(tag).ShouldNotBeNull();
        (read.At, read.Rows, read.Shape).ShouldBe((At, (long.MaxValue / 2) + 5, written.Shape));
        read.WhyUnknown(written).ShouldBeNull();
        read.Written(written).ShouldBeNull();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("2026-11-25")]
    [InlineData("at=2026-11-25T17:02:03Z rows=-1 shape=a counting=on reset=never archiver=never bgwriter=never")]
    [InlineData("at=2026-11-25T17:02:03Z rows=1 shape=a counting=on reset=never archiver=99999999999999999999 bgwriter=never")]
    [InlineData("at=2026-11-25T17:02:03Z rows=1 shape=a counting=on reset=never archiver=never")]
    public void What_is_none_of_ours_tells_nothing(string? text) => WriteBaseline.Parse(text).ShouldBeNull();

    [Fact]
    public void What_was_written_since_is_said_in_numbers_and_tables_that_came_or_went_are_said_as_well()
    {
        var then = Of(Counters(1, (7, 1, 10), (8, 2, 5)));
        then.Written(Of(Counters(1, (7, 1, 11), (8, 2, 6)))).ShouldBe("2 writes");
        then.Written(Of(Counters(1, (7, 1, 11), (8, 2, 5), (9, 3, 0)))).ShouldBe("1 write, and tables were made, dropped, truncated or rewritten");
        then.Written(Of(Counters(1, (7, 9, 10), (8, 2, 5)))).ShouldBe("tables were made, dropped, truncated or rewritten");
        var dropped = Of(Counters(1, (7, 1, 10)));
        (then.WhyUnknown(dropped), then.Written(dropped)).ShouldBe((null, "tables were made, dropped, truncated or rewritten"));
    }

    [Fact]
    public void What_the_server_cannot_tell_is_unknown_and_not_nothing()
    {
        var then = Of(Counters(1, (7, 1, 10)));
        then.WhyUnknown(Of(Counters(2, (7, 1, 10)))).ShouldBe("the server lost its statistics since: it crashed, or was restored");
        then.WhyUnknown(Of(Counters(1, (7, 1, 9)))).ShouldBe("the server's counters went back");
        then.WhyUnknown(Of(Counters(1, (7, 1, 10)) with { ResetAt = At })).ShouldBe("the database's statistics were reset 2026-11-25 17:02:03Z");
        then.WhyUnknown(Of(Counters(1, (7, 1, 10)) with { IsCounting = false })).ShouldBe("the server does not count (track_counts is off)");
        WriteBaseline.Parse(Of(Counters(1, (7, 1, 10)) with { IsCounting = false }).ToTag())!.WhyUnknown(then).ShouldBe("the server does not count (track_counts is off)");
    }

    private static WriteBaseline Of(WriteCounters counters) => WriteBaseline.Of(counters, At);

    private static WriteCounters Counters(int began, params (uint Oid, uint File, long Rows)[] tables) => new()
    {
        ServerResets = new Dictionary<string, DateTimeOffset?>(StringComparer.Ordinal) { ["archiver"] = At.AddDays(began), ["bgwriter"] = At.AddDays(began) },
        Tables = tables.ToDictionary(table => table.Oid, table => new TableWrites($"t{table.Oid}", table.File, table.Rows)),
    };
}
