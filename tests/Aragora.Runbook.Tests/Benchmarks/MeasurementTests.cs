using Aragora.Runbook.Benchmarks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Benchmarks;

public sealed class MeasurementTests
{
    [Fact]
    public void The_ratio_is_the_median_of_the_runs_own_ratios_and_not_the_ratio_of_medians()
    {
        var measured = Of((1, 10), (4, 5), (9, 10));

        measured.Ratio.ShouldBe(0.8, 1e-9);
        measured.Spread.ShouldBe((0.1, 0.9));
        measured.OursMedian.ShouldBe(TimeSpan.FromSeconds(4));
        measured.OtherMedian.ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData(0.5, true)]
    [InlineData(0.8, true)]
    [InlineData(0.81, false)]
    public void A_goal_is_reached_at_its_figure_and_below(double ours, bool reached) => Of((ours, 1)).Reached.ShouldBe(reached);

    [Fact]
    public void A_duration_that_is_to_be_stayed_below_counts_in_every_run()
    {
        var within = Of((0.1, 1), (0.2, 1)) with { Goal = null, OursGoal = TimeSpan.FromSeconds(0.3) };

        within.GoalText().ShouldBe("ours < 0.3 s in every run: reached");
        (within with { OursGoal = TimeSpan.FromSeconds(0.2) }).Reached.ShouldBe(false);
    }

    [Fact]
    public void The_page_names_sizes_versions_cores_runs_spread_and_a_goal_that_was_missed()
    {
        var page = new BenchmarkReport(DateTimeOffset.UnixEpoch, 500_000_000, 3, 90_000_000, 80_000_000, "15.1", "15.2", "2 cores", [Of((1.2, 1), (1, 1), (1.1, 1))]).ToMarkdown();

        page.ShouldContain("- 1970-01-01, 2 cores");
        page.ShouldContain("PostgreSQL 15.1 ");
        page.ShouldContain("clients 15.2");
        page.ShouldContain("a database of 500 MB with 3 rows; our backup has 90.0 MB");
        page.ShouldContain("- 3 runs");
        page.ShouldContain("| 1.100 | 1.000 to 1.200 | ≤ 0.8: missed |");
    }

    private static Measurement Of(params (double Ours, double Other)[] pairs) =>
        new("it", "ours", "the other", [.. pairs.Select(pair => (TimeSpan.FromSeconds(pair.Ours), TimeSpan.FromSeconds(pair.Other)))], Goal: 0.8);
}
