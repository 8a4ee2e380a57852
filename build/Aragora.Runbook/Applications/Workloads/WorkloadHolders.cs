using Aragora.Runbook.Adapters.Kubernetes;
using Serilog;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>Everything that would start a stopped workload again.</summary>
/// <param name="log">Says what is found.</param>
/// <param name="objects">The cluster.</param>
/// <param name="address">The workload.</param>
internal sealed class WorkloadHolders(ILogger log, ClusterObjects objects, WorkloadAddress address)
{
    /// <summary>A run that died between suspending and stopping left its note on what it suspended. One Application may deploy several workloads: its number is of none of them.</summary>
    public static StopNote? NoteOn(WorkloadObject workload, IReadOnlyList<Holder> holders) =>
        workload.Note
        ?? holders.FirstOrDefault(holder => holder is { HeldBy: not null, Note: not null } && holder.Resource.Group == KedaScaling.Group)?.Note
        ?? (holders.FirstOrDefault(holder => holder is { HeldBy: not null, Note: not null })?.Note is { } git ? git with { Replicas = workload.Replicas } : null);

    /// <summary>Git before KEDA: whoever puts a setting back is suspended first.</summary>
    public async Task<IReadOnlyList<Holder>> FindAsync(WorkloadObject workload, bool tell, CancellationToken cancellation)
    {
        var git = await GitOpsOwners.FindAsync(objects, workload.Json, cancellation);
        var unreadable = git.Unreadable.ToList();
        IReadOnlyList<Holder> keda = [];
        try
        {
            keda = await KedaScaling.FindAsync(objects, address, cancellation);
        }
        catch (KubernetesApiException denied) when (denied.Kind == ApiFailureKind.Forbidden)
        {
            unreadable.Add("whether KEDA scales it cannot be asked: this needs the verb list on scaledobjects.keda.sh");
        }

        if (tell)
        {
            foreach (var line in unreadable)
            {
                log.Warning("{Part}: {What:l}. Should it be started again while it is stopped, the restore ends and leaves everything as it was", address.Name.ToString(), line);
            }

            foreach (var holder in git.Owners.Concat(keda))
            {
                log.Information("{Part}: {Holder:l}{Does:l}", address.Name.ToString(), holder.What, holder.IsInTheWay ? $": {holder.Why}; it is suspended meanwhile" : " is suspended already");
            }
        }

        return [.. git.Owners, .. keda];
    }

    /// <summary>Left alone: at 0 replicas they do nothing, and the number that is put back wakes them.</summary>
    public async Task TellAutoscalersAsync(CancellationToken cancellation)
    {
        try
        {
            var all = await objects.ListAsync(new ClusterResource("autoscaling", "v1", "horizontalpodautoscalers"), address.Namespace, name: null, cancellation);
            foreach (var scaler in all.Where(scaler => scaler.Text("spec", "scaleTargetRef", "name") == address.Name.Name && scaler.Text("spec", "scaleTargetRef", "kind") == address.Kind))
            {
                log.Information("{Part}: the HorizontalPodAutoscaler {Scaler} is left alone: it rests at 0 replicas, and goes on from the number that is put back", address.Name.ToString(), scaler.Text("metadata", "name"));
            }
        }
        catch (KubernetesApiException unreadable)
        {
            // It changes nothing that is done here.
            log.Debug(unreadable, "The HorizontalPodAutoscalers of {Part} could not be listed", address.Name.ToString());
        }
    }
}
