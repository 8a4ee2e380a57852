using System.Text.Json.Nodes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>A Deployment or a StatefulSet as the API server gave it, and the patches that stop and start it.</summary>
/// <param name="Json">The object.</param>
internal sealed record WorkloadObject(JsonObject Json)
{
    private static readonly Dictionary<string, string> Controllers = new(StringComparer.Ordinal)
    {
        ["kube-controller-manager"] = "a HorizontalPodAutoscaler (kube-controller-manager)",
        ["keda-operator"] = "KEDA (keda-operator)",
        ["keda"] = "KEDA (keda)",
        ["argocd-controller"] = "Argo CD (argocd-controller)",
        ["argocd-application-controller"] = "Argo CD (argocd-application-controller)",
        ["kustomize-controller"] = "Flux (kustomize-controller)",
        ["helm-controller"] = "Flux (helm-controller)",
    };

    /// <summary>How many pods there are to be.</summary>
    public int Replicas => Json.Number("spec", "replicas") ?? 1;

    /// <summary>What a run noted on it; null for nothing.</summary>
    public StopNote? Note => StopAnnotations.Read(Json);

    /// <summary>The images of its containers.</summary>
    public IReadOnlyList<string> Images => [.. Json.Each("spec", "template", "spec", "containers").Select(container => container.Text("image")).OfType<string>()];

    /// <summary>The names of its containers.</summary>
    public IReadOnlyList<string> Containers => [.. Json.Each("spec", "template", "spec", "containers").Select(container => container.Text("name")).OfType<string>()];

    /// <summary>The label selector of its pods, as the API takes it.</summary>
    public string Selector
    {
        get
        {
            var equal = (Json.At("spec", "selector", "matchLabels") as JsonObject ?? []).Select(label => $"{label.Key}={label.Value}");
            var others = Json.Each("spec", "selector", "matchExpressions").Select(Expression);
            return string.Join(',', equal.Concat(others));
        }
    }

    /// <summary>Asks for no pods, and notes how many there were. A note that is there already keeps its number: never 0 over 3.</summary>
    /// <param name="replicas">How many there were, where there is no note yet.</param>
    /// <param name="run">The run.</param>
    /// <param name="at">When.</param>
    public JsonObject StopPatch(int replicas, string run, DateTimeOffset at)
    {
        var patch = StopAnnotations.PatchOf(Json);
        StopAnnotations.Write(patch, new StopNote(run, at, Note is { Replicas: > 0 } first ? first.Replicas : replicas));
        if (Replicas > 0 && StopAnnotations.Annotation(Json, StopAnnotations.LeftStopped) is not null)
        {
            // Somebody has started it since: it is to be started again.
            patch.Put(null, "metadata", "annotations", StopAnnotations.LeftStopped);
        }

        patch.Put(0, "spec", "replicas");
        return patch;
    }

    /// <summary>Notes that it stays stopped on purpose; null where it bears no note of this run.</summary>
    /// <param name="run">The run that stopped it.</param>
    /// <param name="why">Why it stays so.</param>
    public JsonObject? LeavePatch(string run, string why) => StopAnnotations.Leaving(Json, Note?.Run == run, why);

    /// <summary>Asks for the pods that were there, and takes the note away. Where somebody scaled it up meanwhile, that stays.</summary>
    /// <param name="replicas">How many there were.</param>
    public JsonObject StartPatch(int replicas)
    {
        var patch = StopAnnotations.PatchOf(Json);
        StopAnnotations.Erase(patch, Json);
        if (Replicas == 0)
        {
            patch.Put(replicas, "spec", "replicas");
        }

        return patch;
    }

    /// <summary>Who set the number of replicas last, for people; null where nothing tells.</summary>
    public string? LastScaledBy()
    {
        var last = Json.Each("metadata", "managedFields")
            .Where(entry => entry.Text("manager") != Adapters.Kubernetes.ClusterObjects.FieldManager && entry.At("fieldsV1", "f:spec") is JsonObject fields && fields.ContainsKey("f:replicas"))
            .MaxBy(entry => entry.Text("time"), StringComparer.Ordinal)?.Text("manager");
        return last is null ? null : Controllers.GetValueOrDefault(last, last);
    }

    /// <summary>How far its rollout is, as <c>kubectl rollout status</c> reads it.</summary>
    /// <param name="trouble">What its pods say.</param>
    public PartRollout Rollout(string? trouble)
    {
        var isSeen = (Json.Number("status", "observedGeneration") ?? 0) >= (Json.Number("metadata", "generation") ?? 0);
        var updated = Json.Number("status", "updatedReplicas") ?? 0;
        var all = Json.Number("status", "replicas") ?? 0;
        var isDeployment = Json.Text("kind") == "Deployment";

        // A StatefulSet counts as updated only what its current revision made; from zero that is every pod, and older servers leave the number out.
        var ready = (isDeployment ? Json.Number("status", "availableReplicas") : Json.Number("status", "readyReplicas")) ?? 0;
        var isDone = isSeen && ready >= Replicas && all <= Replicas && (!isDeployment || updated >= Replicas);
        var gaveUp = Json.Each("status", "conditions").FirstOrDefault(condition => condition.Text("type") == "Progressing" && condition.Text("reason") == "ProgressDeadlineExceeded");
        return new PartRollout(isDone, isSeen ? Math.Min(ready, Replicas) : 0, Replicas, isDone ? null : trouble ?? gaveUp?.Text("message"), IsHopeless: isSeen && !isDone && gaveUp is not null);
    }

    private static string Expression(JsonObject requirement)
    {
        var key = requirement.Text("key");
        var values = requirement.At("values") is JsonArray given ? string.Join(',', given.Select(value => value?.GetValue<string>())) : "";
        return requirement.Text("operator") switch
        {
            "In" => $"{key} in ({values})",
            "NotIn" => $"{key} notin ({values})",
            "DoesNotExist" => $"!{key}",
            _ => key ?? "",
        };
    }
}
