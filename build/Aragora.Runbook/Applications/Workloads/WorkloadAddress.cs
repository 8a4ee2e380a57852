using Aragora.Runbook.Adapters.Kubernetes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>A Deployment or a StatefulSet, by where it is; and how people type that.</summary>
/// <param name="Name">As it was given.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Context">The context; null for the current one, or inside the cluster.</param>
internal sealed record WorkloadAddress(ApplicationName Name, string Namespace, string? Context)
{
    /// <summary>Its kind, as the API server takes it.</summary>
    public ClusterResource Resource { get; } = new("apps", "v1", Name.Kind == ApplicationKind.StatefulSet ? "statefulsets" : "deployments");

    /// <summary>Its kind, as references name it.</summary>
    public string Kind { get; } = Name.Kind == ApplicationKind.StatefulSet ? "StatefulSet" : "Deployment";

    /// <summary>A command of kubectl's, in the right place.</summary>
    public string Kubectl(string arguments) => $"kubectl {(Context is null ? "" : $"--context {Context} ")}--namespace {Namespace} {arguments}";
}
