using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>Objects of any kind, as JSON: what is asked of a Deployment, a ScaledObject and an Application is the same. Nothing of the domain.</summary>
/// <param name="cluster">The cluster.</param>
public sealed class ClusterObjects(KubernetesCluster cluster)
{
    /// <summary>Who we are in <c>metadata.managedFields</c>.</summary>
    public const string FieldManager = "aragora-build";

    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(15);
    private IReadOnlyDictionary<string, string>? groups;

    /// <summary>An object; null where there is none of that name, or no such kind.</summary>
    public Task<JsonObject?> GetAsync(ClusterResource resource, string @namespace, string name, CancellationToken cancellation) =>
        AskAsync<JsonObject?>(async patience => await cluster.Client.CustomObjects.GetNamespacedCustomObjectAsync<JsonObject>(resource.Group, resource.Version, @namespace, resource.Plural, name, patience), absent: null, cancellation);

    /// <summary>The objects of a kind; none where the cluster does not know the kind.</summary>
    /// <param name="resource">The kind.</param>
    /// <param name="namespace">The namespace; null for all of them.</param>
    /// <param name="name">Only those of this name; null for any.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<IReadOnlyList<JsonObject>> ListAsync(ClusterResource resource, string? @namespace, string? name, CancellationToken cancellation)
    {
        var selector = name is null ? null : $"metadata.name={name}";
        var list = await AskAsync<JsonObject?>(
            async patience => @namespace is null
                ? await cluster.Client.CustomObjects.ListClusterCustomObjectAsync<JsonObject>(resource.Group, resource.Version, resource.Plural, fieldSelector: selector, cancellationToken: patience)
                : await cluster.Client.CustomObjects.ListNamespacedCustomObjectAsync<JsonObject>(resource.Group, resource.Version, @namespace, resource.Plural, fieldSelector: selector, cancellationToken: patience),
            absent: null,
            cancellation);
        return list?["items"] is JsonArray items ? [.. items.OfType<JsonObject>()] : [];
    }

    /// <summary>Changes an object by a merge patch (RFC 7386). With a <c>metadata.resourceVersion</c> in it, only if nobody else changed it meanwhile.</summary>
    /// <returns>The object after it.</returns>
    public Task<JsonObject> PatchAsync(ClusterResource resource, string @namespace, string name, JsonObject patch, CancellationToken cancellation) =>
        AskAsync(
            async patience => await cluster.Client.CustomObjects.PatchNamespacedCustomObjectAsync<JsonObject>(
                new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch), resource.Group, resource.Version, @namespace, resource.Plural, name, fieldManager: FieldManager, cancellationToken: patience),
            cancellation);

    /// <summary>The version that the cluster prefers of an API group; null where it does not know the group.</summary>
    public async Task<string?> PreferredVersionAsync(string group, CancellationToken cancellation)
    {
        groups ??= await AskAsync(
            async patience => (await cluster.Client.Apis.GetAPIVersionsAsync(patience)).Groups.ToDictionary(known => known.Name, known => (known.PreferredVersion ?? known.Versions[0]).Version, StringComparer.Ordinal),
            cancellation);
        return groups.GetValueOrDefault(group);
    }

    /// <summary>Whether we may do that, as the API server sees us (<c>SelfSubjectAccessReview</c>).</summary>
    public Task<bool> MayAsync(string verb, string group, string plural, string? @namespace, string? name, CancellationToken cancellation)
    {
        var attributes = new V1ResourceAttributes { Verb = verb, Group = group, Resource = plural, NamespaceProperty = @namespace, Name = name };
        var review = new V1SelfSubjectAccessReview { Spec = new V1SelfSubjectAccessReviewSpec { ResourceAttributes = attributes } };
        return AskAsync(async patience => (await cluster.Client.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(review, cancellationToken: patience)).Status.Allowed, cancellation);
    }

    /// <summary>The pods that a label selector finds.</summary>
    public Task<IReadOnlyList<PodFacts>> PodsAsync(string @namespace, string labelSelector, CancellationToken cancellation) =>
        AskAsync<IReadOnlyList<PodFacts>>(async patience => [.. (await cluster.Client.CoreV1.ListNamespacedPodAsync(@namespace, labelSelector: labelSelector, cancellationToken: patience)).Items.Select(Facts)], cancellation);

    private static PodFacts Facts(V1Pod pod)
    {
        var owner = pod.Metadata.OwnerReferences?.FirstOrDefault(reference => reference.Controller == true);
        var addresses = (pod.Status.PodIPs?.Select(address => address.Ip) ?? []).Append(pod.Status.PodIP).Where(address => !string.IsNullOrEmpty(address)).Distinct(StringComparer.Ordinal);
        return new PodFacts(pod.Metadata.Uid, pod.Metadata.Name, [.. addresses.OfType<string>()], owner is null ? null : $"{owner.Kind}/{owner.Name}", pod.Status.Phase ?? "Unknown", Trouble(pod));
    }

    private static string? Trouble(V1Pod pod)
    {
        foreach (var state in (pod.Status.InitContainerStatuses ?? []).Concat(pod.Status.ContainerStatuses ?? []))
        {
            if (state.State?.Waiting is { Reason: { } waiting and not "ContainerCreating" and not "PodInitializing" } why)
            {
                var last = state.LastState?.Terminated is { } before ? $", ended before with exit code {before.ExitCode} ({before.Reason})" : "";
                return $"container {state.Name}: {waiting}{(string.IsNullOrEmpty(why.Message) ? "" : $": {why.Message}")}{last}";
            }

            if (state.State?.Terminated is { ExitCode: not 0 } ended)
            {
                return $"container {state.Name} ended with exit code {ended.ExitCode} ({ended.Reason})";
            }
        }

        var condition = pod.Status.Conditions?.FirstOrDefault(condition => condition is { Type: "PodScheduled", Status: "False" }) ?? pod.Status.Conditions?.FirstOrDefault(condition => condition is { Type: "Ready", Status: "False" });
        return condition is null ? null : $"{condition.Reason}{(string.IsNullOrEmpty(condition.Message) ? "" : $": {condition.Message}")}";
    }

    private static async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(RequestPatience);
        try
        {
            return await ask(patience.Token);
        }
        catch (HttpOperationException refused)
        {
            throw new ClusterException(refused.Response?.StatusCode, Said(refused), refused);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or JsonException)
        {
            throw new ClusterException(null, (broken.InnerException ?? broken).Message, broken);
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new ClusterException(null, $"no answer within {RequestPatience.TotalSeconds:0} s", late);
        }
    }

    private static async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, T absent, CancellationToken cancellation)
    {
        try
        {
            return await AskAsync(ask, cancellation);
        }
        catch (ClusterException none) when (none.Status == HttpStatusCode.NotFound)
        {
            return absent;
        }
    }

    /// <summary>The message of the <c>Status</c> object that the API server answers with.</summary>
    private static string Said(HttpOperationException refused)
    {
        try
        {
            return JsonNode.Parse(refused.Response?.Content ?? "")?["message"]?.GetValue<string>() ?? refused.Message;
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException)
        {
            // A proxy's own page, or nothing at all: then the status is all there is.
            return refused.Message;
        }
    }
}
