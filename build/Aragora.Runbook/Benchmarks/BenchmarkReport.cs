using System.Globalization;
using System.Text;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Benchmarks;

/// <summary>The figures of one run of the benchmark, and what they were measured on.</summary>
/// <param name="MadeAt">When, UTC.</param>
/// <param name="DatabaseBytes">Size of the database on the server.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="BackupBytes">Size of our backup.</param>
/// <param name="PlainBytes">Size of the file of <c>pg_dump -F c</c>.</param>
/// <param name="Server">The server's version.</param>
/// <param name="Client">The clients' version.</param>
/// <param name="Machine">Cores, memory, operating system.</param>
/// <param name="Measurements">The figures.</param>
public sealed record BenchmarkReport(
    DateTimeOffset MadeAt,
    long DatabaseBytes,
    long Rows,
    long BackupBytes,
    long PlainBytes,
    string Server,
    string Client,
    string Machine,
    IReadOnlyList<Measurement> Measurements)
{
    /// <summary>The page.</summary>
    public string ToMarkdown()
    {
        var page = new StringBuilder();
        page.AppendLine("# Benchmarks").AppendLine()
            .AppendLine("Written by `./build.sh Benchmark`. Each figure is a ratio of two durations of one and the same run (ours ÷ the other, below 1 is faster), the median of all runs, with the smallest and the largest; machines and moments differ, ratios less so.").AppendLine()
            .AppendLine(Invariant($"- {MadeAt.UtcDateTime:yyyy-MM-dd}, {Machine}"))
            .AppendLine(Invariant($"- PostgreSQL {Server} with default settings on this machine's disk, clients {Client}"))
            .AppendLine(Invariant($"- a database of {DataSize.Text(DatabaseBytes)} with {Rows} rows; our backup has {DataSize.Text(BackupBytes)}, the file of `pg_dump -F c` {DataSize.Text(PlainBytes)}"))
            .AppendLine(Invariant($"- {Measurements[0].Pairs.Count} runs; which of the two comes first alternates; a checkpoint before each, and the server idle otherwise; from the second run on, the database is the copy that the run before restored"))
            .AppendLine()
            .AppendLine("| | ours | the other | ours, s | the other, s | ratio | spread | goal |")
            .AppendLine("|---|---|---|---|---|---|---|---|");
        foreach (var one in Measurements)
        {
            page.AppendLine(Invariant($"| {one.Name} | {one.Ours} | {one.Other} | {one.OursMedian.TotalSeconds:0.00} | {one.OtherMedian.TotalSeconds:0.00} | {one.Ratio:0.000} | {one.Spread.Least:0.000} to {one.Spread.Most:0.000} | {one.GoalText()} |"));
        }

        return page.ToString();
    }

    /// <summary>The same for the log.</summary>
    public string ToTable() => TextTable.Render(
        ["", "ours", "the other", "ratio", "spread", "goal"],
        [.. Measurements.Select(one => (IReadOnlyList<string>)
        [
            one.Name, Invariant($"{one.OursMedian.TotalSeconds:0.00} s"), Invariant($"{one.OtherMedian.TotalSeconds:0.00} s"), Invariant($"{one.Ratio:0.000}"),
            Invariant($"{one.Spread.Least:0.000} to {one.Spread.Most:0.000}"), one.GoalText(),
        ])]);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
