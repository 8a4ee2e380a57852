using Aragora.Runbook.Benchmarks;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Flow;

/// <summary>Benchmark: on a server of its own, whatever databases are named.</summary>
public sealed class BenchmarkFlow(RunContext run, BenchmarkStep step)
{
    /// <summary>Measures.</summary>
    public async Task<StepFact> RunAsync(CancellationToken cancellation)
    {
        var report = await step.RunAsync(cancellation);
        foreach (var line in report.ToTable().Split('\n'))
        {
            run.Log.Information("{Line:l}", line);
        }

        var missed = report.Measurements.Where(one => one.Reached == false).Select(one => one.Name).ToList();
        return new StepFact("goals", missed.Count == 0 ? "all reached" : $"missed: {string.Join(", ", missed)}");
    }
}
