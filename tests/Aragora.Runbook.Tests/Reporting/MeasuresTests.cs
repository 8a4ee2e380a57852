using System.Globalization;
using Aragora.Runbook.Reporting;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Reporting;

public sealed class MeasuresTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1_000, "1.0 kB")]
    [InlineData(999_999, "1.0 MB")]
    [InlineData(123_456_789, "123 MB")]
    [InlineData(12_345_678_901, "12.3 GB")]
    public void Sizes_read_well(long bytes, string text) => Measures.Size(bytes).ShouldBe(text);

    [Theory]
    [InlineData(0.08, "80 ms")]
    [InlineData(4.24, "4.2 s")]
    [InlineData(200, "3 min 20 s")]
    [InlineData(7_500, "2 h 05 min")]
    [InlineData(280_000, "3 d 5 h")]
    public void Durations_read_well(double seconds, string text) => Measures.Duration(TimeSpan.FromSeconds(seconds)).ShouldBe(text);

    [Fact]
    public void A_foreign_locale_changes_nothing()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("ar-SA");
            Measures.Size(12_345).ShouldBe("12.3 kB");
            Measures.Duration(TimeSpan.FromSeconds(4.2)).ShouldBe("4.2 s");
            Measures.Moment(new DateTimeOffset(2026, 11, 22, 3, 4, 5, TimeSpan.FromHours(2))).ShouldBe("2026-11-22 01:04:05Z");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void A_table_aligns_its_columns_and_indents_further_lines_of_the_last()
    {
        TextTable.Render(["A", "Bee"], [["long cell", "one\ntwo"], ["x", ""]]).ShouldBe(
            """
            A          Bee
            ---------  ---
            long cell  one
                       two
            x
            """);
    }
}
