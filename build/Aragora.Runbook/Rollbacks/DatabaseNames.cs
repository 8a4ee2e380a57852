using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Names of the databases beside the live one. The server cuts longer names without a word, so the base is shortened here, between two characters.</summary>
public static partial class DatabaseNames
{
    private const int LongestBytes = 63;

    /// <summary>The copy that is being restored: <c>aragora_restore_20261122T190455Z-3f9c</c>.</summary>
    public static string Copy(string database, string runId) => Fitting(database, "_restore_" + runId);

    /// <summary>What was replaced: <c>aragora_before_20261122_190455</c>, UTC; numbered where that name is taken.</summary>
    /// <param name="database">The live database.</param>
    /// <param name="at">When it was replaced.</param>
    /// <param name="taken">The names that are there.</param>
    public static string Kept(string database, DateTimeOffset at, IReadOnlySet<string> taken)
    {
        var suffix = at.UtcDateTime.ToString("'_before_'yyyyMMdd'_'HHmmss", CultureInfo.InvariantCulture);
        var name = Fitting(database, suffix);
        for (var number = 2; taken.Contains(name); number++)
        {
            name = Fitting(database, string.Create(CultureInfo.InvariantCulture, $"{suffix}_{number}"));
        }

        return name;
    }

    /// <summary>A restored copy that somebody takes out of the live one's place again: <c>aragora_undone_20261122T190455Z-3f9c</c>.</summary>
    public static string Undone(string database, string runId) => Fitting(database, "_undone_" + runId);

    /// <summary>Whether a name is one that <see cref="Copy"/> makes for this database.</summary>
    public static bool IsCopyOf(string database, string name) =>
        CopyEnd().Match(name) is { Success: true } end && name == Fitting(database, end.Value);

    private static string Fitting(string database, string suffix)
    {
        var room = LongestBytes - Encoding.UTF8.GetByteCount(suffix);
        var shortened = new StringBuilder();
        foreach (var rune in database.EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0)
            {
                break;
            }

            shortened.Append(rune);
        }

        return shortened + suffix;
    }

    [GeneratedRegex("_restore_([0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}|[0-9a-f]{12})$")]
    private static partial Regex CopyEnd();
}
