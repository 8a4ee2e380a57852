using System.Text.Json;

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

    private static IEnumerable<InterruptedAct> Open(string folder)
    {
        var open = new Dictionary<int, RunJournal.Line>();
        foreach (var text in File.ReadLines(Path.Combine(folder, "journal.ndjson")))
        {
            if (Read(text) is not { } line)
            {
                continue;
            }

            if (line.Kind == "intent")
            {
                open[line.Id] = line;
            }
            else if (line.Kind == "outcome")
            {
                open.Remove(line.Id);
            }
        }

        return open.Values.Select(line => new InterruptedAct(Path.GetFileName(folder), line.Act, line.At));
    }

    private static RunJournal.Line? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<RunJournal.Line>(text, RunbookJson.Line);
        }
        catch (JsonException)
        {
            // The last line of a run that was killed while it wrote.
            return null;
        }
    }
}
