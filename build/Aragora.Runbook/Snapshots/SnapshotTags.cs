using System.Globalization;
using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Snapshots;

/// <summary>What is written on a snapshot of ours, so that any machine knows it again: every key begins with <c>aragora:</c>.</summary>
public static partial class SnapshotTags
{
    /// <summary>What all of our keys begin with.</summary>
    public const string Prefix = "aragora:";

    /// <summary>The run that made it.</summary>
    public const string RunId = "aragora:run-id";

    /// <summary>The environment, <c>production</c>.</summary>
    public const string Environment = "aragora:environment";

    /// <summary>The instance or cluster that it is of, by name.</summary>
    public const string Source = "aragora:source";

    /// <summary>The revision that the database had; several with <c>+</c> between them, <c>base</c> for none.</summary>
    public const string Revision = "aragora:revision";

    /// <summary>The <c>xmin</c> of the <c>alembic_version</c> row: another one after every migration.</summary>
    public const string RevisionStamp = "aragora:revision-stamp";

    /// <summary>The migrations tree.</summary>
    public const string TreeHash = "aragora:tree-hash";

    /// <summary>The dump that was made beside it, by its folder's name.</summary>
    public const string Dump = "aragora:dump";

    /// <summary>From when on it may be pruned, UTC.</summary>
    public const string ExpiresAt = "aragora:expires-at";

    /// <summary>The revision of a snapshot in whose making a migration moved.</summary>
    public const string Unknown = "unknown";

    private const int LongestValue = 256;
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>The tags of a snapshot that is about to be made.</summary>
    public static IReadOnlyDictionary<string, string> Of(string runId, DatabaseEnvironment environment, string source, DatabaseFacts now, string? treeHash, string? dump, DateTimeOffset expiresAt)
    {
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [RunId] = runId,
            [Environment] = environment.Name.ToString().ToLowerInvariant(),
            [Source] = source,
            [Revision] = RevisionOf(now.Revisions),
            [RevisionStamp] = StampOf(now),
            [ExpiresAt] = Moment(expiresAt),
        };
        if (treeHash is not null)
        {
            tags[TreeHash] = Value(treeHash);
        }

        if (dump is not null)
        {
            tags[Dump] = Value(dump);
        }

        return tags;
    }

    /// <summary>Whether we made it, of this very instance or cluster: a copy that somebody keeps has our tags, and another name. RDS's own automated ones never are ours.</summary>
    public static bool IsOurs(RdsSnapshot snapshot, string source) =>
        snapshot.Type == "manual" && snapshot.SourceIdentifier == source && snapshot.Tags.TryGetValue(RunId, out var run) && snapshot.Identifier == RdsNames.Snapshot(source, run) && snapshot.Tags.TryGetValue(Source, out var of) && of == source;

    /// <summary>From when on it may be pruned; null where its tag does not say, or cannot be read: then never.</summary>
    public static DateTimeOffset? Expiry(RdsSnapshot snapshot) =>
        snapshot.Tags.TryGetValue(ExpiresAt, out var text) && DateTimeOffset.TryParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expiry) ? expiry : null;

    /// <summary>The tag's text for revisions.</summary>
    public static string RevisionOf(IReadOnlyList<string> revisions) => revisions.Count == 0 ? "base" : Value(string.Join('+', revisions.Order(StringComparer.Ordinal)));

    /// <summary>The revisions that the tag tells, none for base; null where there is no tag, or it says that nobody can tell.</summary>
    public static IReadOnlyList<string>? RevisionsOf(RdsSnapshot snapshot) =>
        snapshot.Tags.TryGetValue(Revision, out var text) && text != Unknown ? text == "base" ? [] : text.Split('+') : null;

    /// <summary>The tag's text for a revision stamp.</summary>
    public static string StampOf(DatabaseFacts facts) => Value((facts.RevisionStamp ?? "none").Replace(',', '+'));

    internal static string Moment(DateTimeOffset moment) => moment.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>RDS takes letters, digits, blanks and <c>_ . : / = + - @</c>.</summary>
    internal static string Value(string text)
    {
        var clean = Unfit().Replace(text, "-");
        return clean.Length <= LongestValue ? clean : clean[..LongestValue];
    }

    [GeneratedRegex(@"[^\p{L}\p{Zs}\p{N}_.:/=+\-@]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Unfit();
}
