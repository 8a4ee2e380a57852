using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Journal;

/// <summary>What was intended and what was done, one JSON line each in <c>journal.ndjson</c>: an intent before every act, an outcome after it.</summary>
/// <remarks>An intent without an outcome is an act that was interrupted: <c>Status</c> looks for these. Every line is flushed to disk before the act begins.</remarks>
public sealed class RunJournal : IDisposable
{
    private FileStream? file;
    private readonly SecretMask secrets;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private int sequence;

    /// <summary>The journal of one run; its file is made with the first line, so that a run that only looks leaves none.</summary>
    public RunJournal(string path, SecretMask secrets, TimeProvider clock)
    {
        Path = path;
        this.secrets = secrets;
        this.clock = clock;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Writes a fact that is neither an intent nor an outcome, such as an override that was used.</summary>
    public void Note(string act, object? details = null) => Write(new Line(0, "note", act, null, Element(details), null));

    /// <summary>Writes the intent, runs the act, writes the outcome, whatever it is.</summary>
    /// <param name="act">Verb and object, such as <c>"migrate production"</c>.</param>
    /// <param name="details">What the act is about to do: revisions, files, process ids. Masked.</param>
    /// <param name="run">The act; its result is written as the outcome's details.</param>
    public async Task<T> ActAsync<T>(string act, object? details, Func<Task<T>> run)
    {
        var id = Interlocked.Increment(ref sequence);
        Write(new Line(id, "intent", act, null, Element(details), null));
        var started = clock.GetTimestamp();
        try
        {
            var result = await run();
            Write(new Line(id, "outcome", act, "done", Element(result), clock.GetElapsedTime(started)));
            return result;
        }
        catch (Exception failure)
        {
            var outcome = failure switch
            {
                OperationCanceledException => "cancelled",
                RefusedException or BadInputException => "refused",
                _ => "failed",
            };
            Write(new Line(id, "outcome", act, outcome, Element(new { error = failure.GetType().Name, failure.Message }), clock.GetElapsedTime(started)));
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file?.Dispose();

    private static JsonElement? Element(object? details) =>
        details is null ? null : JsonSerializer.SerializeToElement(details, details.GetType(), RunbookJson.Line);

    private FileStream Open()
    {
        PrivateFolder.Create(System.IO.Path.GetDirectoryName(Path)!);
        return new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.Read);
    }

    private void Write(Line line)
    {
        var details = line.Details is { } free ? JsonSerializer.SerializeToElement(secrets.Apply(JsonNode.Parse(free.GetRawText())), RunbookJson.Line) : (JsonElement?)null;
        var text = JsonSerializer.Serialize(line with { Act = secrets.Apply(line.Act), Details = details, At = clock.GetUtcNow() }, RunbookJson.Line);
        lock (gate)
        {
            file ??= Open();
            file.Write(Encoding.UTF8.GetBytes(text + "\n"));
            file.Flush(flushToDisk: true);
        }
    }

    /// <summary>One line of the journal.</summary>
    /// <param name="Id">Joins an outcome to its intent; 0 for a note.</param>
    /// <param name="Kind"><c>intent</c>, <c>outcome</c> or <c>note</c>.</param>
    /// <param name="Act">Verb and object.</param>
    /// <param name="Result"><c>done</c>, <c>refused</c>, <c>failed</c> or <c>cancelled</c>; null but for outcomes.</param>
    /// <param name="Details">Whatever the act wants remembered.</param>
    /// <param name="Took">How long it took; null but for outcomes.</param>
    public sealed record Line(int Id, string Kind, string Act, string? Result, JsonElement? Details, TimeSpan? Took)
    {
        /// <summary>When the line was written, UTC.</summary>
        public DateTimeOffset At { get; init; }
    }
}
