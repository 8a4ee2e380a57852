using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Journal;

/// <summary>An intent that has no outcome: a run that was killed in the middle of an act.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Act">What it was doing.</param>
/// <param name="At">When it began, UTC.</param>
public sealed record InterruptedAct(string RunId, string Act, DateTimeOffset At);

/// <summary>Finds intents without an outcome in the journals of earlier runs.</summary>
public static class InterruptedRuns
{
    /// <summary>Says that a run is at work, until the result is disposed of or the process dies: what it is in the middle of is no interruption.</summary>
    /// <param name="runs">The folder of all runs; a lock file is put into its <c>.at-work</c>.</param>
    /// <param name="runId">The run.</param>
    /// <exception cref="BadInputException">The folder cannot be written.</exception>
    /// <exception cref="InvalidOperationException">The run has announced itself before.</exception>
    public static IDisposable Announce(string runs, string runId) =>
        new Presence(ExclusiveLock.TryAcquire(LockFile(runs, runId)) ?? throw new InvalidOperationException($"Run {runId} is at work already."));

    /// <summary>All of them, newest first; but not of runs that are at work, and none that a later run has done to its end.</summary>
    /// <param name="runs">The folder of all runs.</param>
    /// <param name="except">The run that asks.</param>
    public static IReadOnlyList<InterruptedAct> Find(string runs, string except)
    {
        if (!Directory.Exists(runs))
        {
            return [];
        }

        var acts = Directory.EnumerateDirectories(runs)
            .Select(folder => (RunId: Path.GetFileName(folder), Journal: Path.Combine(folder, "journal.ndjson")))
            .Where(run => run.RunId != except && File.Exists(run.Journal))
            .SelectMany(run => JournalReader.Read(run.Journal).Acts.Select(outcome => (run.RunId, outcome.Act, outcome.Result, outcome.At)))
            .ToList();
        var lastDone = acts.Where(act => act.Result == "done").GroupBy(act => act.Act, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Max(act => act.At), StringComparer.Ordinal);
        var open = acts
            .Where(act => act.Result == JournalReader.Interrupted && !(lastDone.TryGetValue(act.Act, out var done) && done > act.At))
            .ToList();
        var atWork = open.Select(act => act.RunId).Distinct(StringComparer.Ordinal).Where(runId => IsAtWork(runs, runId)).ToHashSet(StringComparer.Ordinal);

        // A run may have ended between our reading its journal and our looking for it: its journal counts as it is now.
        return [.. open.Where(act => !atWork.Contains(act.RunId) && IsStillOpen(runs, act.RunId, act.Act, act.At)).Select(act => new InterruptedAct(act.RunId, act.Act, act.At)).OrderByDescending(act => act.At)];
    }

    private static string LockFile(string runs, string runId) => Path.Combine(runs, ".at-work", runId + ".lock");

    private static bool IsStillOpen(string runs, string runId, string act, DateTimeOffset at) =>
        JournalReader.Read(Path.Combine(runs, runId, "journal.ndjson")).Acts.Any(now => now.Act == act && now.At == at && now.Result == JournalReader.Interrupted);

    private static bool IsAtWork(string runs, string runId)
    {
        var file = LockFile(runs, runId);
        try
        {
            if (!File.Exists(file))
            {
                return false;
            }

            if (ExclusiveLock.TryAcquire(file) is not { } left)
            {
                return true;
            }

            left.DisposeAndDelete();
            return false;
        }
        catch (BadInputException)
        {
            return false; // Another user's: better told once too often than not at all.
        }
    }

    private sealed class Presence(ExclusiveLock held) : IDisposable
    {
        private bool disposed;

        public void Dispose()
        {
            if (!disposed)
            {
                disposed = true;
                held.DisposeAndDelete();
            }
        }
    }
}
