using Aragora.Runbook.Adapters.Kubernetes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>A Deployment or a StatefulSet, by where it is; and how people type that.</summary>
/// <param name="Name">As it was given.</param>
/// <param name="Kubectl">Its cluster and namespace.</param>
internal sealed record WorkloadAddress(ApplicationName Name, KubectlCommand Kubectl)
{
    /// <summary>Its kind, as the API server takes it.</summary>
    public ClusterResource Resource { get; } = new("apps", "v1", Name.Kind == ApplicationKind.StatefulSet ? "statefulsets" : "deployments");

    /// <summary>Its kind, as references name it.</summary>
    public string Kind { get; } = Name.Kind == ApplicationKind.StatefulSet ? "StatefulSet" : "Deployment";

    /// <summary>Its namespace.</summary>
    public string Namespace => Kubectl.Namespace;
}
