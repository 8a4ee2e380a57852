using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>Objects of any kind, as JSON: what is asked of a Deployment, a ScaledObject and an Application is the same. Nothing of the domain.</summary>
/// <param name="cluster">The cluster.</param>
public sealed class ClusterObjects(KubernetesCluster cluster)
{
    /// <summary>Who we are in <c>metadata.managedFields</c>.</summary>
    public const string FieldManager = "aragora-build";

    private IReadOnlyDictionary<string, string>? groups;

    /// <summary>For lines that people type.</summary>
    public KubectlCommand Kubectl => cluster.Kubectl;

    /// <summary>An object; null where there is none of that name, or no such kind.</summary>
    /// <exception cref="KubernetesApiException">It cannot be read.</exception>
    public Task<JsonObject?> GetAsync(ClusterResource resource, string @namespace, string name, CancellationToken cancellation) =>
        OrNoneAsync(new ApiAct("get", resource.ToString(), name), (client, ended) => client.CustomObjects.GetNamespacedCustomObjectAsync<JsonObject>(resource.Group, resource.Version, @namespace, resource.Plural, name, ended), cancellation);

    /// <summary>The objects of a kind; none where the cluster does not know the kind.</summary>
    /// <param name="resource">The kind.</param>
    /// <param name="namespace">The namespace; null for all of them.</param>
    /// <param name="name">Only those of this name; null for any.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="KubernetesApiException">They cannot be listed.</exception>
    public async Task<IReadOnlyList<JsonObject>> ListAsync(ClusterResource resource, string? @namespace, string? name, CancellationToken cancellation)
    {
        var selector = name is null ? null : $"metadata.name={name}";
        var list = await OrNoneAsync(
            new ApiAct("list", resource.ToString()),
            (client, ended) => @namespace is null
                ? client.CustomObjects.ListClusterCustomObjectAsync<JsonObject>(resource.Group, resource.Version, resource.Plural, fieldSelector: selector, cancellationToken: ended)
                : client.CustomObjects.ListNamespacedCustomObjectAsync<JsonObject>(resource.Group, resource.Version, @namespace, resource.Plural, fieldSelector: selector, cancellationToken: ended),
            cancellation);
        return list?["items"] is JsonArray items ? [.. items.OfType<JsonObject>()] : [];
    }

    /// <summary>Changes an object by a merge patch (RFC 7386). With a <c>metadata.resourceVersion</c> in it, only if nobody else changed it meanwhile.</summary>
    /// <returns>The object after it.</returns>
    /// <exception cref="KubernetesApiException">It was not changed, or nobody knows whether it was.</exception>
    public Task<JsonObject> PatchAsync(ClusterResource resource, string @namespace, string name, JsonObject patch, CancellationToken cancellation) =>
        cluster.CallAsync(
            new ApiAct("patch", resource.ToString(), name),
            (client, ended) => client.CustomObjects.PatchNamespacedCustomObjectAsync<JsonObject>(
                new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch), resource.Group, resource.Version, @namespace, resource.Plural, name, fieldManager: FieldManager, cancellationToken: ended),
            cancellation);

    /// <summary>The version that the cluster prefers of an API group; null where it does not know the group.</summary>
    public async Task<string?> PreferredVersionAsync(string group, CancellationToken cancellation)
    {
        groups ??= (await cluster.CallAsync(new ApiAct("get", "/apis"), (client, ended) => client.Apis.GetAPIVersionsAsync(ended), cancellation))
            .Groups.ToDictionary(known => known.Name, known => (known.PreferredVersion ?? known.Versions[0]).Version, StringComparer.Ordinal);
        return groups.GetValueOrDefault(group);
    }

    /// <summary>Whether we may do that, as the API server sees us (<c>SelfSubjectAccessReview</c>).</summary>
    public async Task<bool> MayAsync(string verb, string group, string plural, string? @namespace, string? name, CancellationToken cancellation)
    {
        var attributes = new V1ResourceAttributes { Verb = verb, Group = group, Resource = plural, NamespaceProperty = @namespace, Name = name };
        var review = new V1SelfSubjectAccessReview { Spec = new V1SelfSubjectAccessReviewSpec { ResourceAttributes = attributes } };
        return (await cluster.CallAsync(new ApiAct("create", "selfsubjectaccessreviews.authorization.k8s.io"), (client, ended) => client.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(review, cancellationToken: ended), cancellation)).Status.Allowed;
    }

    /// <summary>The pods that a label selector finds.</summary>
    public async Task<IReadOnlyList<PodFacts>> PodsAsync(string @namespace, string labelSelector, CancellationToken cancellation) =>
        [.. (await cluster.CallAsync(new ApiAct("list", "pods"), (client, ended) => client.CoreV1.ListNamespacedPodAsync(@namespace, labelSelector: labelSelector, cancellationToken: ended), cancellation)).Items.Select(Facts)];

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

    private async Task<JsonObject?> OrNoneAsync(ApiAct act, Func<k8s.Kubernetes, CancellationToken, Task<JsonObject>> ask, CancellationToken cancellation)
    {
        try
        {
            return await cluster.CallAsync(act, ask, cancellation);
        }
        catch (KubernetesApiException none) when (none.Kind == ApiFailureKind.NotFound)
        {
            return null;
        }
    }
}
