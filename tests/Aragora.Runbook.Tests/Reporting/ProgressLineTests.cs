using System.Globalization;
using Aragora.Runbook.Reporting;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Reporting;

public sealed class ProgressLineTests
{
    private static readonly ProgressSnapshot Moment = new("dumping production", 12, 40, "tables", 123_400_000, TimeSpan.FromSeconds(4), TimeSpan.FromMinutes(2.1));

    [Fact]
    public void A_moment_is_told_in_one_line() =>
        Moment.Describe().ShouldBe("12 of 40 tables, 123 MB, 30.9 MB/s, about 2 min left");

    [Fact]
    public void Numbers_do_not_depend_on_the_locale()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        try
        {
            Moment.Describe().ShouldContain("30.9 MB/s");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void The_live_line_is_overwritten_by_carriage_return_and_blanks_alone()
    {
        using var output = new StringWriter();
        var line = new ProgressLine(output, () => 200);

        line.Report(Moment);
        line.Report(Moment with { Remaining = null });
        line.Close();

        output.ToString().ShouldBe(
            "\rdumping production: 12 of 40 tables, 123 MB, 30.9 MB/s, about 2 min left"
            + "\rdumping production: 12 of 40 tables, 123 MB, 30.9 MB/s                  "
            + "\r" + new string(' ', 54) + "\r");
    }

    [Theory]
    [InlineData(20, 19)]
    [InlineData(1, 1)]
    [InlineData(0, 72)]
    public void The_live_line_never_fills_the_last_column(int columns, int expected)
    {
        using var output = new StringWriter();

        new ProgressLine(output, () => columns).Report(Moment);

        output.ToString().Length.ShouldBe(expected + 1);
    }

    [Fact]
    public void The_log_hears_after_five_seconds_then_every_fifteen_and_only_news()
    {
        var clock = new HandClock();
        var sink = new Lines();
        using var log = new LoggerConfiguration().WriteTo.Sink(sink).CreateLogger();
        var view = new ProgressLog(log, clock);
        var heardAt = new List<int>();

        for (var second = 0; second <= 60; second++)
        {
            clock.Now = second;
            var before = sink.Count;
            view.Report(Moment with { Bytes = second is >= 20 and < 45 ? 20 : second });
            if (sink.Count > before)
            {
                heardAt.Add(second);
            }
        }

        heardAt.ShouldBe([5, 20, 45, 60]);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.0 kB")]
    [InlineData(12_345_678, "12.3 MB")]
    [InlineData(999_999, "1.0 MB")]
    [InlineData(5e12, "5.0 TB")]
    public void Sizes_carry_a_unit(double bytes, string expected) => DataSize.Text(bytes).ShouldBe(expected);

    private sealed class Lines : ILogEventSink
    {
        public int Count { get; private set; }

        public void Emit(LogEvent logEvent) => Count++;
    }

    private sealed class HandClock : TimeProvider
    {
        public int Now { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Now;
    }
}
