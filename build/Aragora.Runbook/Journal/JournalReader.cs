using System.Text.Json;

namespace Aragora.Runbook.Journal;

/// <summary>Reads a journal back, also one that is still being written or whose last line was cut off.</summary>
public static class JournalReader
{
    /// <summary>The result of an act that has an intent and no outcome.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>The acts in the order of their intents, and the overrides.</summary>
    public static (IReadOnlyList<ActOutcome> Acts, IReadOnlyList<string> Overrides) Read(string path)
    {
        var lines = Lines(path).ToList();
        var outcomes = lines.Where(line => line.Kind == "outcome").ToLookup(line => line.Id);
        var acts = lines.Where(line => line.Kind == "intent")
            .Select(intent => outcomes[intent.Id].FirstOrDefault() is { } outcome
                ? new ActOutcome(intent.Act, outcome.Result ?? "?", intent.At, outcome.Took) { Intended = intent.Details, Done = outcome.Details }
                : new ActOutcome(intent.Act, Interrupted, intent.At, null) { Intended = intent.Details })
            .ToList();
        var overrides = lines.Where(line => line.Kind == "note" && line.Act.StartsWith("override", StringComparison.OrdinalIgnoreCase))
            .Select(line => line.Details is { } details ? $"{line.Act} {details.GetRawText()}" : line.Act)
            .ToList();
        return (acts, overrides);
    }

    /// <summary>The details of the notes of that name, oldest first; not of one without details.</summary>
    public static IReadOnlyList<JsonElement> Notes(string path, string act) => [.. Lines(path).Where(line => line.Kind == "note" && line.Act == act).Select(line => line.Details).OfType<JsonElement>()];

    private static IEnumerable<RunJournal.Line> Lines(string path)
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } text)
        {
            if (Parse(text) is { } line)
            {
                yield return line;
            }
        }
    }

    private static RunJournal.Line? Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<RunJournal.Line>(text, RunbookJson.Line);
        }
        catch (JsonException)
        {
            // The line that a crash cut off: its intent stays without an outcome, and is told as interrupted.
            return null;
        }
    }
}

/// <summary>One act of the journal: an intent and its outcome.</summary>
/// <param name="Act">Verb and object.</param>
/// <param name="Result">"done", "refused", "failed", "cancelled", or "interrupted" for an intent without an outcome.</param>
/// <param name="At">When it was begun, UTC.</param>
/// <param name="Took">How long it took; null for an interrupted one.</param>
public sealed record ActOutcome(string Act, string Result, DateTimeOffset At, TimeSpan? Took)
{
    /// <summary>What it was about to do, as its intent holds it; null for nothing.</summary>
    public JsonElement? Intended { get; init; }

    /// <summary>What came of it, as its outcome holds it; null for nothing, and for an interrupted one.</summary>
    public JsonElement? Done { get; init; }
}
