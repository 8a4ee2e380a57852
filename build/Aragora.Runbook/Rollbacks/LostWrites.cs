using System.Globalization;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Rollbacks;

/// <summary>What a restore would lose: the writes since its backup.</summary>
/// <param name="Total">Rows written, and one more for each table that was made, dropped, truncated or rewritten; null where it is not known.</param>
/// <param name="Tables">Each table with something to lose, the most first.</param>
/// <param name="WhyUnknown">Why the number is not known; null where it is.</param>
public sealed record LostWrites(long? Total, IReadOnlyList<TableLoss> Tables, string? WhyUnknown)
{
    private const int Shown = 20;

    /// <summary>Compares two moments of one database.</summary>
    /// <param name="then">At the backup.</param>
    /// <param name="now">Now.</param>
    public static LostWrites Between(WriteCounters then, WriteCounters now)
    {
        var tables = Losses(then, now).OrderByDescending(table => table.Rows).ThenBy(table => table.Name, StringComparer.Ordinal).ToList();
        var why = WhyNot(then, now);
        return new LostWrites(why is null ? tables.Sum(table => table.Rows + (table.What is null ? 0 : 1)) : null, why is null ? tables : [], why);
    }

    /// <summary>Where nothing can be counted.</summary>
    public static LostWrites Unknown(string why) => new(null, [], why);

    /// <summary>For people: <c>124 writes</c>, or that it is not known.</summary>
    public string Text => Total is { } known ? Measures.Count(known, "write") : $"an unknown number of writes ({WhyUnknown})";

    /// <summary>A short table; empty where nothing is lost or nothing is known.</summary>
    public string ToTable()
    {
        if (Tables.Count == 0)
        {
            return "";
        }

        var rows = Tables.Take(Shown).Select(table => (IReadOnlyList<string>)[table.Name, table.Rows.ToString(CultureInfo.InvariantCulture), table.What ?? ""]).ToList();
        if (Tables.Count > Shown)
        {
            rows.Add([$"and {Measures.Count(Tables.Count - Shown, "more table")}", Tables.Skip(Shown).Sum(table => table.Rows).ToString(CultureInfo.InvariantCulture), ""]);
        }

        return TextTable.Render(["table", "writes", ""], rows);
    }

    /// <summary>Why two moments cannot be compared; null where they can.</summary>
    internal static string? WhyNot(WriteCounters then, WriteCounters now)
    {
        if (!then.IsCounting || !now.IsCounting)
        {
            return "the server does not count (track_counts is off)";
        }

        if (then.ResetAt != now.ResetAt)
        {
            return $"the database's statistics were reset {(now.ResetAt is { } at ? Measures.Moment(at) : "since")}";
        }

        if (then.ServerResets.Count > 0 && then.ServerResets.All(view => now.ServerResets.TryGetValue(view.Key, out var since) && since != view.Value))
        {
            return "the server lost its statistics since: it crashed, or was restored";
        }

        return then.Tables.Select(table => now.Tables.TryGetValue(table.Key, out var later) && later.Rows < table.Value.Rows ? $"the counters of {later.Name} went back" : null).FirstOrDefault(went => went is not null);
    }

    private static IEnumerable<TableLoss> Losses(WriteCounters then, WriteCounters now)
    {
        foreach (var (oid, table) in now.Tables)
        {
            if (!then.Tables.TryGetValue(oid, out var before))
            {
                yield return new TableLoss(table.Name, table.Rows, "made since");
            }
            else if (before.FileNode != table.FileNode)
            {
                yield return new TableLoss(table.Name, table.Rows - before.Rows, "truncated or rewritten since");
            }
            else if (table.Rows != before.Rows)
            {
                yield return new TableLoss(table.Name, table.Rows - before.Rows, null);
            }
        }

        foreach (var (_, table) in then.Tables.Where(table => !now.Tables.ContainsKey(table.Key)))
        {
            yield return new TableLoss(table.Name, 0, "dropped since");
        }
    }
}

/// <summary>One table's loss.</summary>
/// <param name="Name">Quoted and qualified.</param>
/// <param name="Rows">Rows written.</param>
/// <param name="What">What else happened to it, which counts as one write; null for nothing.</param>
public sealed record TableLoss(string Name, long Rows, string? What);
