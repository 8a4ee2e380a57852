using System.Globalization;
using System.Text.Json.Nodes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>What a run notes on the very objects that it changes, so that a later run finds it, also on another machine.</summary>
internal static class StopAnnotations
{
    /// <summary>How many replicas there were.</summary>
    public const string Replicas = "aragora.build/replicas";

    /// <summary>The run that stopped it.</summary>
    public const string StoppedBy = "aragora.build/stopped-by";

    /// <summary>When, UTC, RFC 3339.</summary>
    public const string StoppedAt = "aragora.build/stopped-at";

    /// <summary>What was set there before, as JSON: on what scales or deploys it.</summary>
    public const string Before = "aragora.build/before";

    /// <summary>Why it was left stopped on purpose.</summary>
    public const string LeftStopped = "aragora.build/left-stopped";

    private static readonly string[] All = [Replicas, StoppedBy, StoppedAt, Before, LeftStopped];

    /// <summary>The note on an object; null for none. A count that cannot be read is no note: nothing is put back from a guess.</summary>
    public static StopNote? Read(JsonObject thing)
    {
        var run = Annotation(thing, StoppedBy);
        var isAt = DateTimeOffset.TryParse(Annotation(thing, StoppedAt), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at);
        return run is not null && int.TryParse(Annotation(thing, Replicas), NumberStyles.None, CultureInfo.InvariantCulture, out var replicas) ? new StopNote(run, isAt ? at : default, replicas, Annotation(thing, LeftStopped)) : null;
    }

    /// <summary>An annotation's value; null where there is none of that name.</summary>
    public static string? Annotation(JsonObject thing, string name) => thing.Text("metadata", "annotations", name);

    /// <summary>Puts a note into a patch.</summary>
    public static void Write(JsonObject patch, StopNote note)
    {
        patch.Put(note.Replicas.ToString(CultureInfo.InvariantCulture), "metadata", "annotations", Replicas);
        patch.Put(note.Run, "metadata", "annotations", StoppedBy);
        patch.Put(note.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), "metadata", "annotations", StoppedAt);
    }

    /// <summary>The patch that says of a noted object that it stays so on purpose; null where the note is not of the run that says it.</summary>
    public static JsonObject? Leaving(JsonObject thing, bool isOurs, string why)
    {
        if (!isOurs)
        {
            return null;
        }

        var patch = PatchOf(thing);
        patch.Put(why, "metadata", "annotations", LeftStopped);
        return patch;
    }

    /// <summary>Takes the note away, in a patch.</summary>
    public static void Erase(JsonObject patch, JsonObject thing)
    {
        foreach (var name in All.Where(name => Annotation(thing, name) is not null))
        {
            patch.Put(null, "metadata", "annotations", name);
        }
    }

    /// <summary>Lets a patch count only while the object is as it was read.</summary>
    public static JsonObject PatchOf(JsonObject thing)
    {
        var patch = new JsonObject();
        patch.Put(thing.Text("metadata", "resourceVersion"), "metadata", "resourceVersion");
        return patch;
    }
}
