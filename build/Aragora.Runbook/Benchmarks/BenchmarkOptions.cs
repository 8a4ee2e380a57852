using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Benchmarks;

/// <summary>What is measured.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>Fewer runs are shown, and not written down.</summary>
    public const int LeastRunsToPublish = 5;

    /// <summary>Size of the database, MB, indexes included. Default: 500.</summary>
    public int Megabytes { get; init; } = 500;

    /// <summary>How often everything is measured; each run pairs ours with the other. Default: 5.</summary>
    public int Runs { get; init; } = 5;

    /// <summary>The file that the figures go to, below the root of the checkout.</summary>
    public string File { get; init; } = Path.Combine("docs", "benchmarks.md");

    /// <summary>Checks the values.</summary>
    /// <exception cref="BadInputException">A value lies outside its range.</exception>
    public BenchmarkOptions Validated() =>
        Megabytes is >= 10 and <= 100_000 && Runs is >= 1 and <= 100
            ? this
            : throw new BadInputException($"A benchmark of {Megabytes} MB in {Runs} runs is out of range.", "from 10 to 100000 MB, from 1 to 100 runs", "./build.sh Benchmark --benchmark-megabytes 500 --benchmark-runs 5");
}
