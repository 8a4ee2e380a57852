using System.Text.Json;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Rollbacks;

/// <summary>What a restore has done with a database.</summary>
public enum MarkState
{
    /// <summary>It is a copy that is being restored; nobody uses it.</summary>
    Copy,

    /// <summary>It is live, and a run has closed it to swap it.</summary>
    Fenced,

    /// <summary>It was replaced and is kept, closed.</summary>
    Kept,

    /// <summary>It is live, and was restored from a backup.</summary>
    Restored,
}

/// <summary>
/// A note on a database, in the last line of its comment: what a restore did with it, and from which databases it descends. It lies where it cannot be lost or be of
/// another server, needs no more rights than owning the database, and changes in the same transaction as what it speaks of.
/// </summary>
/// <param name="State">What was done.</param>
/// <param name="Of">The name of the live database.</param>
/// <param name="Run">The run that did it.</param>
/// <param name="At">When, UTC.</param>
public sealed record DatabaseMark(MarkState State, string Of, string Run, DateTimeOffset At)
{
    private const string Prefix = "[aragora] ";

    /// <summary>The backup that it was restored from, by its folder's name; null where it was not.</summary>
    public string? Backup { get; init; }

    /// <summary>The OIDs of the databases whose place it took, or that took its place: backups of them are backups of this one.</summary>
    public IReadOnlyList<uint> Lineage { get; init; } = [];

    /// <summary>The mark that it had before it was fenced.</summary>
    public DatabaseMark? Before { get; init; }

    /// <summary>Takes a comment apart.</summary>
    /// <returns>What people wrote (null for nothing), and the mark (null for none, or for one that cannot be read).</returns>
    public static (string? Comment, DatabaseMark? Mark) Parse(string? comment)
    {
        if (comment is null)
        {
            return (null, null);
        }

        var start = comment.LastIndexOf('\n') + 1;
        if (!comment.AsSpan(start).StartsWith(Prefix, StringComparison.Ordinal))
        {
            return (comment, null);
        }

        try
        {
            var mark = JsonSerializer.Deserialize<DatabaseMark>(comment[(start + Prefix.Length)..], RunbookJson.Line);
            return mark is { Of: not null, Run: not null, Lineage: not null } ? (start == 0 ? null : comment[..(start - 1)], mark) : (comment, null);
        }
        catch (JsonException)
        {
            // Somebody wrote into it: then it says nothing any more.
            return (comment, null);
        }
    }

    /// <summary>The comment with the mark below it.</summary>
    /// <param name="comment">What people wrote; null for nothing.</param>
    /// <param name="mark">The mark; null for none.</param>
    public static string? Compose(string? comment, DatabaseMark? mark)
    {
        if (mark is null)
        {
            return comment;
        }

        var line = Prefix + JsonSerializer.Serialize(mark, RunbookJson.Line);
        return comment is null ? line : comment + "\n" + line;
    }
}
