using System.Text.Json;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Applications.Compose;

/// <summary>What runs on this machine stopped and did not start again, from their journals: a container cannot be given a note later.</summary>
internal static class ComposeNotes
{
    /// <summary>The note on a part; null where nothing of it was left stopped.</summary>
    /// <param name="runs">The folder of all runs.</param>
    /// <param name="environment">Whose application it is.</param>
    /// <param name="part">The part.</param>
    public static StopNote? Find(string runs, DatabaseEnvironment environment, string part)
    {
        if (!Directory.Exists(runs))
        {
            return null;
        }

        StopNote? stopped = null;
        var started = DateTimeOffset.MinValue;
        foreach (var journal in Directory.EnumerateDirectories(runs).Select(folder => Path.Combine(folder, "journal.ndjson")).Where(File.Exists))
        {
            foreach (var act in JournalReader.Read(journal).Acts)
            {
                if (act.Act == StopIntent.Act(environment) && Intended(act.Intended, environment, part) is { } intended && (stopped is null || act.At > stopped.At))
                {
                    stopped = new StopNote(Path.GetFileName(Path.GetDirectoryName(journal)!), act.At, intended.Replicas, LeftBecause(journal, environment, part) ?? intended.LeftBecause);
                }

                if (act.Act == StopIntent.StartAct(environment) && act.At > started && act.Done is { ValueKind: JsonValueKind.Object } done && done.TryGetProperty("done", out var parts) && parts.ValueKind == JsonValueKind.Object && parts.TryGetProperty(part, out _))
                {
                    started = act.At;
                }
            }
        }

        return stopped is not null && stopped.At > started ? stopped : null;
    }

    private static StopIntentPart? Intended(JsonElement? details, DatabaseEnvironment environment, string part) =>
        Read<StopIntent>(details) is { } intent && intent.Endpoint == environment.Database.Endpoint && intent.Database == environment.Database.Database ? intent.Parts.FirstOrDefault(one => one.Name == part) : null;

    private static string? LeftBecause(string journal, DatabaseEnvironment environment, string part) =>
        JournalReader.Notes(journal, StopIntent.Leaving(environment)).Select(note => Read<LeftIntent>(note)).LastOrDefault(left => left?.Parts.Contains(part) == true)?.Why;

    private static T? Read<T>(JsonElement? details)
        where T : class
    {
        try
        {
            return details?.Deserialize<T>(RunbookJson.Line);
        }
        catch (JsonException)
        {
            return null; // Of another version of this build.
        }
    }
}
