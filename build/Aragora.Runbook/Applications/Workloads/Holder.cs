using System.Text.Json;
using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>Something that would start a stopped workload again, and the one setting that keeps it from it: KEDA's annotation, Flux's <c>suspend</c>, Argo CD's <c>automated</c>.</summary>
/// <param name="What">Such as <c>Flux Kustomization flux-system/apps</c>.</param>
/// <param name="Resource">Its kind.</param>
/// <param name="Json">The object.</param>
/// <param name="Setting">Where the setting is.</param>
/// <param name="Held">What it is set to while the workload is to stay stopped; null to take it out.</param>
internal sealed record Holder(string What, ClusterResource Resource, JsonObject Json, IReadOnlyList<string> Setting, JsonNode? Held)
{
    /// <summary>Whether it would start the workload again as it is set now.</summary>
    public required bool IsInTheWay { get; init; }

    /// <summary>What it would do, for people.</summary>
    public string Why { get; init; } = "";

    /// <summary>What a person types to suspend it.</summary>
    public string Command { get; init; } = "";

    /// <summary>What a person types to put it back to what was set there.</summary>
    public Func<JsonNode?, string> Resuming { get; init; } = _ => "";

    /// <summary>The line that puts it back by hand; null where what was set is not known.</summary>
    public string? ResumeCommand => HeldBy is null ? Resuming(Current) : Before() is { } before ? Resuming(before.Value) : null;

    /// <summary>Its name.</summary>
    public string Name => Json.Text("metadata", "name") ?? "";

    /// <summary>Its namespace.</summary>
    public string Namespace => Json.Text("metadata", "namespace") ?? "";

    /// <summary>The run that holds it; null for none.</summary>
    public string? HeldBy => StopAnnotations.Annotation(Json, StopAnnotations.Before) is null ? null : StopAnnotations.Annotation(Json, StopAnnotations.StoppedBy);

    /// <summary>The count that is noted on it; null for none.</summary>
    public StopNote? Note => StopAnnotations.Read(Json);

    /// <summary>What is set now.</summary>
    public JsonNode? Current => Json.At([.. Setting]);

    /// <summary>For the journal: what it is, and what is set there.</summary>
    public override string ToString() => $"{What}: {string.Join('.', Setting)} = {Current?.ToJsonString() ?? "not set"}";

    /// <summary>Keeps it from starting the workload, with a note of what was set. One that is held already keeps its first note.</summary>
    public JsonObject HoldPatch(string run, DateTimeOffset at, int replicas)
    {
        var patch = StopAnnotations.PatchOf(Json);
        StopAnnotations.Write(patch, new StopNote(run, at, Note is { Replicas: > 0 } first ? first.Replicas : replicas));
        if (HeldBy is null)
        {
            patch.Put(Current?.ToJsonString() ?? "null", "metadata", "annotations", StopAnnotations.Before);
        }

        patch.Put(Held?.DeepClone(), [.. Setting]);
        return patch;
    }

    /// <summary>Notes that what it deploys stays stopped on purpose; null where it bears no note of this run.</summary>
    public JsonObject? LeavePatch(string run, string why) => StopAnnotations.Leaving(Json, HeldBy == run, why);

    /// <summary>Puts back what was set, and takes the note away. Where somebody set something else meanwhile, that stays.</summary>
    public JsonObject ReleasePatch()
    {
        var patch = StopAnnotations.PatchOf(Json);
        StopAnnotations.Erase(patch, Json);
        if (JsonNode.DeepEquals(Current, Held) && Before() is { } before)
        {
            patch.Put(before.Value, [.. Setting]);
        }

        return patch;
    }

    /// <summary>What was set; null where the note cannot be read.</summary>
    private (JsonNode? Value, bool IsKnown)? Before()
    {
        try
        {
            return (JsonNode.Parse(StopAnnotations.Annotation(Json, StopAnnotations.Before) ?? "?"), true);
        }
        catch (JsonException)
        {
            // Somebody edited it: then what is set now stays, and nobody guesses.
            return null;
        }
    }
}
