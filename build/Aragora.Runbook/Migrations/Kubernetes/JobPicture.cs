using Aragora.Runbook.Adapters.Kubernetes;
using k8s.Models;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>A Job and what belongs to it, as the API showed them at one moment.</summary>
/// <param name="Name">The Job's name.</param>
/// <param name="Kubectl">Where it is, for lines that people type.</param>
/// <param name="Container">The container that counts.</param>
/// <param name="Job">The Job; null where it is gone.</param>
/// <param name="Pod">Its pod; where there were several, the first. Null where there is none (any more).</param>
internal sealed record JobPicture(string Name, KubectlCommand Kubectl, string Container, V1Job? Job, V1Pod? Pod)
{
    /// <summary>Its namespace.</summary>
    public string Namespace => Kubectl.Namespace;

    /// <summary>What was reported of the Job; empty where nobody asked, or nobody may.</summary>
    public IReadOnlyList<ObjectEvent> JobEvents { get; init; } = [];

    /// <summary>What was reported of the pod.</summary>
    public IReadOnlyList<ObjectEvent> PodEvents { get; init; } = [];

    /// <summary>A pod of this Job was seen before.</summary>
    public bool HadPod { get; init; }

    /// <summary>The container's state; null before the kubelet told of it.</summary>
    public V1ContainerStatus? Status => Pod?.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == Container);

    /// <summary>How the container ended; null where it did not.</summary>
    public V1ContainerStateTerminated? Terminated => Status?.State?.Terminated;

    /// <summary>Whether the container runs, or ran.</summary>
    public bool HasStarted => Status?.State is { } state && (state.Running is not null || state.Terminated is not null);

    /// <summary>Why the Job failed, by its own condition; null where it did not.</summary>
    public V1JobCondition? Failed => Job?.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "Failed" or "FailureTarget", Status: "True" });

    /// <summary>Whether the Job has ended, one way or the other.</summary>
    public bool HasEnded => Job?.Status?.Conditions?.Any(condition => condition is { Type: "Complete" or "Failed", Status: "True" }) == true;

    /// <summary>The image as the node knows it, such as <c>docker-pullable://registry/repository@sha256:…</c>; null before it is known.</summary>
    public string? ImageId => string.IsNullOrEmpty(Status?.ImageID) ? null : Status.ImageID;

    /// <summary>Containers that run before ours.</summary>
    public IEnumerable<V1ContainerStatus> Before => Pod?.Status?.InitContainerStatuses ?? [];

    /// <summary>The pod's condition of this kind; null where it has none.</summary>
    public V1PodCondition? Condition(string type) => Pod?.Status?.Conditions?.FirstOrDefault(condition => condition.Type == type);
}
