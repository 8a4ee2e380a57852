using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Journal;

/// <summary>An intent that has no outcome: a run that was killed in the middle of an act, or is still at it.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Act">What it was doing.</param>
/// <param name="At">When it began, UTC.</param>
public sealed record InterruptedAct(string RunId, string Act, DateTimeOffset At);

/// <summary>Finds intents without an outcome in the journals of earlier runs.</summary>
public static class InterruptedRuns
{
    /// <summary>All of them, newest first.</summary>
    /// <param name="runs">The folder of all runs.</param>
    /// <param name="except">The run that asks.</param>
    public static IReadOnlyList<InterruptedAct> Find(string runs, string except)
    {
        if (!Directory.Exists(runs))
        {
            return [];
        }

        return [.. Directory.EnumerateDirectories(runs)
            .Where(folder => Path.GetFileName(folder) != except && File.Exists(Path.Combine(folder, "journal.ndjson")))
            .SelectMany(Open)
            .OrderByDescending(act => act.At)];
    }

    private static IEnumerable<InterruptedAct> Open(string folder) =>
        JournalReader.Read(Path.Combine(folder, "journal.ndjson")).Acts
            .Where(act => act.Result == JournalReader.Interrupted)
            .Select(act => new InterruptedAct(Path.GetFileName(folder), act.Act, act.At));
}
