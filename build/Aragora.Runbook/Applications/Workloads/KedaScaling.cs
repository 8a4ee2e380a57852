using Aragora.Runbook.Adapters.Kubernetes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>The ScaledObjects of KEDA that scale a workload. With <c>paused-replicas</c> KEDA itself holds it at that number; it counts over <c>paused</c>.</summary>
/// <remarks>From KEDA's documentation, "Pausing autoscaling": https://keda.sh/docs/latest/concepts/scaling-deployments/.</remarks>
internal static class KedaScaling
{
    /// <summary>The API group.</summary>
    public const string Group = "keda.sh";

    /// <summary>The annotation that pauses one at a number of replicas.</summary>
    public const string PausedReplicas = "autoscaling.keda.sh/paused-replicas";

    private const string Paused = "autoscaling.keda.sh/paused";

    /// <summary>Those of one workload; none where the cluster does not know KEDA.</summary>
    /// <exception cref="KubernetesApiException">They may not be listed, or no answer came.</exception>
    public static async Task<IReadOnlyList<Holder>> FindAsync(ClusterObjects objects, WorkloadAddress address, CancellationToken cancellation)
    {
        if (await objects.PreferredVersionAsync(Group, cancellation) is not { } version)
        {
            return [];
        }

        var resource = new ClusterResource(Group, version, "scaledobjects");
        var all = await objects.ListAsync(resource, address.Namespace, name: null, cancellation);
        return
        [
            .. from scaled in all
               where scaled.Text("spec", "scaleTargetRef", "name") == address.Name.Name && (scaled.Text("spec", "scaleTargetRef", "kind") ?? "Deployment") == address.Kind
               let named = scaled.Text("metadata", "name")
               let paused = StopAnnotations.Annotation(scaled, PausedReplicas)
               select new Holder($"KEDA ScaledObject {address.Namespace}/{named}", resource, scaled, ["metadata", "annotations", PausedReplicas], "0")
               {
                   IsInTheWay = paused is not null ? paused != "0" : StopAnnotations.Annotation(scaled, Paused) != "true",
                   Why = "it scales the workload by its triggers",
                   Command = address.Kubectl.Line($"annotate scaledobject {named} {PausedReplicas}=0 --overwrite"),
                   Resuming = before => address.Kubectl.Line(before.Text() is { } number ? $"annotate scaledobject {named} {PausedReplicas}={number} --overwrite" : $"annotate scaledobject {named} {PausedReplicas}-"),
               },
        ];
    }
}
