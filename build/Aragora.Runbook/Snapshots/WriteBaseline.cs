using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Rollbacks;

namespace Aragora.Runbook.Snapshots;

/// <summary>What a restored database's server had counted when it was looked into, short enough for a tag: whoever finds the instance again sees whether it was written to since.</summary>
/// <param name="At">When, UTC.</param>
/// <param name="Rows">Rows written to all tables since the statistics began.</param>
/// <param name="Shape">Of which tables and files there are: another one after a table was made, dropped, truncated or rewritten.</param>
/// <param name="Counting">Whether and since when the server counts; without tables.</param>
public sealed record WriteBaseline(DateTimeOffset At, long Rows, string Shape, WriteCounters Counting)
{
    private const string Archiver = "archiver";
    private const string Writer = "bgwriter";
    private const string Never = "never";
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private static readonly IReadOnlyDictionary<uint, TableWrites> NoTables = new Dictionary<uint, TableWrites>();

    /// <summary>Reads it in a session of the database.</summary>
    public static async Task<WriteBaseline> ReadAsync(PostgresSession session, DateTimeOffset at, CancellationToken cancellation) => Of(await WriteCounters.ReadAsync(session, cancellation), at);

    /// <summary>Shortens counters.</summary>
    public static WriteBaseline Of(WriteCounters counters, DateTimeOffset at)
    {
        var files = string.Join(';', counters.Tables.OrderBy(table => table.Key).Select(table => string.Create(CultureInfo.InvariantCulture, $"{table.Key}:{table.Value.FileNode}")));
        return new WriteBaseline(at, counters.Tables.Values.Sum(table => table.Rows), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(files)))[..16], counters with { Tables = NoTables });
    }

    /// <summary>Reads a tag's text; null where it is none of ours.</summary>
    public static WriteBaseline? Parse(string? text)
    {
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=', 2)).Where(part => part.Length == 2))
        {
            parts[part[0]] = part[1];
        }

        return DateTimeOffset.TryParseExact(parts.GetValueOrDefault("at"), Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            && long.TryParse(parts.GetValueOrDefault("rows"), NumberStyles.None, CultureInfo.InvariantCulture, out var rows)
            && parts.TryGetValue("shape", out var shape)
            && parts.TryGetValue("counting", out var counting)
            && TryMoment(parts, "reset", out var reset) && TryMoment(parts, Archiver, out var archiver) && TryMoment(parts, Writer, out var writer)
            ? new WriteBaseline(at, rows, shape, new WriteCounters { IsCounting = counting == "on", ResetAt = reset, ServerResets = new Dictionary<string, DateTimeOffset?>(StringComparer.Ordinal) { [Archiver] = archiver, [Writer] = writer }, Tables = NoTables })
            : null;
    }

    /// <summary>The tag's text.</summary>
    public string ToTag() => string.Create(
        CultureInfo.InvariantCulture,
        $"at={At.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture)} rows={Rows} shape={Shape} counting={(Counting.IsCounting ? "on" : "off")} reset={Ticks(Counting.ResetAt)} {Archiver}={Ticks(Counting.ServerResets.GetValueOrDefault(Archiver))} {Writer}={Ticks(Counting.ServerResets.GetValueOrDefault(Writer))}");

    /// <summary>Why nobody knows what was written between this moment and a later one; null where it is known.</summary>
    public string? WhyUnknown(WriteBaseline now) =>
        LostWrites.WhyNot(Counting, now.Counting) ?? (now.Rows < Rows && now.Shape == Shape ? "the server's counters went back" : null);

    /// <summary>What was written between this moment and a later one, for people: <c>2 writes</c>; null where nothing was.</summary>
    public string? Written(WriteBaseline now)
    {
        var reshaped = now.Shape == Shape ? null : "tables were made, dropped, truncated or rewritten";
        var rows = now.Rows > Rows ? Measures.Count(now.Rows - Rows, "write") : null;
        return rows is null ? reshaped : reshaped is null ? rows : $"{rows}, and {reshaped}";
    }

    private static string Ticks(DateTimeOffset? moment) => moment?.UtcTicks.ToString(CultureInfo.InvariantCulture) ?? Never;

    private static bool TryMoment(Dictionary<string, string> parts, string name, out DateTimeOffset? moment)
    {
        moment = null;
        if (!parts.TryGetValue(name, out var text))
        {
            return false;
        }

        if (text == Never)
        {
            return true;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) || ticks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return false;
        }

        moment = new DateTimeOffset(ticks, TimeSpan.Zero);
        return true;
    }
}
