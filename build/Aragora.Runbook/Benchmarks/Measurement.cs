using System.Globalization;

namespace Aragora.Runbook.Benchmarks;

/// <summary>Two durations that were measured one after the other, several times; they are compared within each run.</summary>
/// <param name="Name">What is compared.</param>
/// <param name="Ours">What ours is.</param>
/// <param name="Other">What the other is.</param>
/// <param name="Pairs">Each run's pair.</param>
/// <param name="Goal">The ratio to reach; null where there is none.</param>
/// <param name="OursGoal">The duration that ours is to stay below in every run; null where there is none.</param>
public sealed record Measurement(string Name, string Ours, string Other, IReadOnlyList<(TimeSpan Ours, TimeSpan Other)> Pairs, double? Goal = null, TimeSpan? OursGoal = null)
{
    /// <summary>The median of the runs' ratios.</summary>
    public double Ratio => Median(Ratios);

    /// <summary>The smallest and the largest ratio.</summary>
    public (double Least, double Most) Spread => (Ratios.Min(), Ratios.Max());

    /// <summary>The median of our durations.</summary>
    public TimeSpan OursMedian => TimeSpan.FromSeconds(Median(Pairs.Select(pair => pair.Ours.TotalSeconds)));

    /// <summary>The median of the other's.</summary>
    public TimeSpan OtherMedian => TimeSpan.FromSeconds(Median(Pairs.Select(pair => pair.Other.TotalSeconds)));

    /// <summary>Whether the goals were reached; null where there are none.</summary>
    public bool? Reached => Goal is null && OursGoal is null ? null : (Goal is not { } goal || Ratio <= goal) && (OursGoal is not { } longest || Pairs.All(pair => pair.Ours < longest));

    /// <summary>The goals and what became of them; empty where there are none.</summary>
    public string GoalText()
    {
        var ratio = Goal is { } goal ? string.Create(CultureInfo.InvariantCulture, $"≤ {goal:0.0#}") : "";
        var longest = OursGoal is { } most ? string.Create(CultureInfo.InvariantCulture, $"ours < {most.TotalSeconds:0.#} s in every run") : "";
        return Reached is { } reached ? $"{ratio}{longest}: {(reached ? "reached" : "missed")}" : "";
    }

    private IEnumerable<double> Ratios => Pairs.Select(pair => pair.Ours / pair.Other);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
