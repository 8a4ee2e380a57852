using System.Text.RegularExpressions;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Backups;

/// <summary>How far a dump is: from pg_dump's verbose lines, and from the rows that the server says it has copied.</summary>
/// <param name="tables">What is going to be dumped, by <c>schema.table</c>.</param>
/// <param name="jobs">pg_dump's parallel jobs: with several it tells the end of each table, with one only the beginning.</param>
public sealed partial class DumpProgress(IReadOnlyDictionary<string, SourceTable> tables, int jobs)
{
    // Below this share an extrapolation tells nothing.
    private const double LeastShare = 0.05;

    private readonly Lock gate = new();
    private readonly List<string> running = [];
    private readonly HashSet<string> finished = new(StringComparer.Ordinal);
    private IReadOnlyDictionary<string, long> copied = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Reads a line of pg_dump's standard error.</summary>
    public void OnLine(string line)
    {
        lock (gate)
        {
            if (Started().Match(line) is { Success: true } started)
            {
                if (jobs == 1)
                {
                    finished.UnionWith(running);
                    running.Clear();
                }

                running.Add(started.Groups[1].Value);
            }
            else if (Finished().Match(line) is { Success: true } done)
            {
                var name = running.FirstOrDefault(table => table.EndsWith("." + done.Groups[1].Value, StringComparison.Ordinal)) ?? running.FirstOrDefault();
                if (name is not null)
                {
                    running.Remove(name);
                    finished.Add(name);
                }
            }
        }
    }

    /// <summary>Rows copied so far of the tables in work, by <c>schema.table</c>.</summary>
    public void OnCopied(IReadOnlyDictionary<string, long> rows)
    {
        lock (gate)
        {
            copied = rows;
        }
    }

    /// <summary>The moment, for a view.</summary>
    public ProgressSnapshot Snapshot(string what, long bytes, TimeSpan elapsed)
    {
        lock (gate)
        {
            // Every table costs something, also an empty one: hence the one page more.
            var all = tables.Values.Sum(table => table.Pages + 1.0);
            var done = finished.Sum(Weight) + copied.Where(table => !finished.Contains(table.Key)).Sum(table => Weight(table.Key) * Share(table.Key, table.Value));
            var share = all > 0 ? Math.Min(1, done / all) : 0;
            TimeSpan? remaining = share is >= LeastShare and < 1 ? elapsed * ((1 - share) / share) : null;
            return new ProgressSnapshot(what, Math.Min(finished.Count, tables.Count), tables.Count, "tables", bytes, elapsed, remaining);
        }
    }

    private double Weight(string table) => tables.TryGetValue(table, out var known) ? known.Pages + 1.0 : 1;

    private double Share(string table, long rows) => tables.TryGetValue(table, out var known) && known.Rows > 0 ? Math.Min(1, rows / known.Rows) : 0;

    [GeneratedRegex("^pg_dump: dumping contents of table \"(.*?)\"?$")]
    private static partial Regex Started();

    [GeneratedRegex(@"^pg_dump: finished item \d+ TABLE DATA (.*)$")]
    private static partial Regex Finished();
}
