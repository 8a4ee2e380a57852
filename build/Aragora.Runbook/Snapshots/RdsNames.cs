using System.Text.RegularExpressions;

namespace Aragora.Runbook.Snapshots;

/// <summary>The names that snapshots and instances may have, and those that ours get.</summary>
public static partial class RdsNames
{
    private const int LongestInstance = 63;
    private const int LongestSnapshot = 255;

    /// <summary>Whether RDS would take it for an instance: 1 to 63 letters, digits and single hyphens, beginning with a letter, not ending in a hyphen.</summary>
    public static bool IsInstance(string name) => name.Length is > 0 and <= LongestInstance && Plain().IsMatch(name);

    /// <summary>Whether RDS would take it for a snapshot that exists: as for instances, to 255; its own begin with <c>rds:</c>.</summary>
    public static bool IsSnapshot(string name) => name.Length is > 0 and <= LongestSnapshot && Plain().IsMatch(name.StartsWith("rds:", StringComparison.Ordinal) ? name[4..] : name);

    /// <summary>The name of a run's snapshot: <c>aragora-production-db-20261122t190455z-3f9c</c>. Unique, because runs are.</summary>
    public static string Snapshot(string source, string runId) => $"aragora-{Clean(source)}-{Clean(runId)}";

    /// <summary>The name of an instance that a run restores: <c>production-db-restored-20261122t190455z-3f9c</c>.</summary>
    public static string Restored(string original, string runId) => Derived(original, "restored", runId);

    /// <summary>The name that an original keeps when a restored one takes its place: <c>production-db-before-20261122t190455z-3f9c</c>.</summary>
    public static string Before(string original, string runId) => Derived(original, "before", runId);

    private static string Derived(string original, string word, string runId)
    {
        var tail = $"-{word}-{Clean(runId)}";
        var head = Clean(original);
        return (head.Length + tail.Length <= LongestInstance ? head : head[..(LongestInstance - tail.Length)].TrimEnd('-')) + tail;
    }

    private static string Clean(string text) => Runs().Replace(text.ToLowerInvariant(), "-").Trim('-');

    [GeneratedRegex("^[a-zA-Z](?:-?[a-zA-Z0-9])*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Plain();

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Runs();
}
