using k8s;
using k8s.Models;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>Jobs of one namespace, their pods and events.</summary>
public sealed class JobClient(KubernetesCluster cluster)
{
    private const string Jobs = "jobs.batch";

    /// <summary>The cluster.</summary>
    public KubernetesCluster Cluster => cluster;

    /// <summary>Makes a Job.</summary>
    /// <param name="job">The Job.</param>
    /// <param name="dryRun">Whether the server only checks it, with its admission controllers, and makes nothing.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="KubernetesApiException">It was not made, or its answer was lost: then it may have been.</exception>
    public Task<V1Job> CreateAsync(V1Job job, bool dryRun, CancellationToken cancellation) =>
        cluster.CallAsync(new ApiAct("create", Jobs, job.Metadata.Name), (client, ended) => client.BatchV1.CreateNamespacedJobAsync(job, cluster.Namespace, dryRun: dryRun ? "All" : null, cancellationToken: ended), cancellation);

    /// <summary>A Job; null where there is none of that name.</summary>
    public async Task<V1Job?> FindAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return await cluster.CallAsync(new ApiAct("get", Jobs, name), (client, ended) => client.BatchV1.ReadNamespacedJobAsync(name, cluster.Namespace, cancellationToken: ended), cancellation);
        }
        catch (KubernetesApiException absent) when (absent.Kind == ApiFailureKind.NotFound)
        {
            return null;
        }
    }

    /// <summary>Jobs with these labels, oldest first.</summary>
    public async Task<IReadOnlyList<V1Job>> ListAsync(string labelSelector, CancellationToken cancellation)
    {
        var list = await cluster.CallAsync(new ApiAct("list", Jobs), (client, ended) => client.BatchV1.ListNamespacedJobAsync(cluster.Namespace, labelSelector: labelSelector, cancellationToken: ended), cancellation);
        return [.. list.Items.OrderBy(job => job.Metadata.CreationTimestamp)];
    }

    /// <summary>The pods of a Job, oldest first.</summary>
    public async Task<IReadOnlyList<V1Pod>> PodsAsync(string jobName, CancellationToken cancellation)
    {
        var list = await cluster.CallAsync(new ApiAct("list", "pods"), (client, ended) => client.CoreV1.ListNamespacedPodAsync(cluster.Namespace, labelSelector: $"job-name={jobName}", cancellationToken: ended), cancellation);
        return [.. list.Items.OrderBy(pod => pod.Metadata.CreationTimestamp)];
    }

    /// <summary>What was reported of an object, oldest first.</summary>
    /// <param name="uid">The object's uid.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<IReadOnlyList<ObjectEvent>> EventsAsync(string uid, CancellationToken cancellation)
    {
        var list = await cluster.CallAsync(new ApiAct("list", "events"), (client, ended) => client.CoreV1.ListNamespacedEventAsync(cluster.Namespace, fieldSelector: $"involvedObject.uid={uid}", cancellationToken: ended), cancellation);
        return [.. list.Items.OrderBy(one => one.LastTimestamp ?? one.EventTime ?? one.Metadata.CreationTimestamp).Select(one => new ObjectEvent(one.Reason ?? "", one.Message ?? ""))];
    }

    /// <summary>Asks for a Job to be deleted with its pods, which get their time to end; it is there until they are gone.</summary>
    /// <param name="name">The Job.</param>
    /// <param name="uid">Only the one with this uid.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> DeleteAsync(string name, string uid, CancellationToken cancellation)
    {
        try
        {
            var how = new V1DeleteOptions { PropagationPolicy = "Foreground", Preconditions = new V1Preconditions { Uid = uid } };
            await cluster.CallAsync(new ApiAct("delete", Jobs, name), (client, ended) => client.BatchV1.DeleteNamespacedJobAsync(name, cluster.Namespace, how, cancellationToken: ended), cancellation);
            return true;
        }
        catch (KubernetesApiException absent) when (absent.Kind is ApiFailureKind.NotFound or ApiFailureKind.Conflict)
        {
            // Conflict: another one has that name by now.
            return false;
        }
    }
}

/// <summary>What was reported of an object.</summary>
/// <param name="Reason">Such as <c>FailedCreate</c>.</param>
/// <param name="Message">In words.</param>
public sealed record ObjectEvent(string Reason, string Message);
