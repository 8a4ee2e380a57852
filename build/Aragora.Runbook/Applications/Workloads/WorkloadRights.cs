using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>What the cluster has to allow before a workload can be stopped and started: asked of the API server itself, before anything is touched.</summary>
internal static class WorkloadRights
{
    /// <summary>Asks for all that is needed.</summary>
    /// <exception cref="RefusedException">Something is missing; the message names verb and resource, each of them.</exception>
    /// <exception cref="KubernetesApiException">No answer came.</exception>
    public static async Task RequireAsync(ClusterObjects objects, WorkloadAddress address, IReadOnlyList<Holder> held, CancellationToken cancellation)
    {
        var needed = new List<(string Verb, string Group, string Plural, string Namespace, string? Name)>
        {
            ("get", address.Resource.Group, address.Resource.Plural, address.Namespace, address.Name.Name),
            ("patch", address.Resource.Group, address.Resource.Plural, address.Namespace, address.Name.Name),
            ("list", "", "pods", address.Namespace, null),
        };
        needed.AddRange(held.Select(holder => ("patch", holder.Resource.Group, holder.Resource.Plural, holder.Namespace, (string?)holder.Name)));
        var missing = new List<string>();
        foreach (var right in needed)
        {
            if (!await objects.MayAsync(right.Verb, right.Group, right.Plural, right.Namespace, right.Name, cancellation))
            {
                missing.Add($"{right.Verb} {right.Plural}{(right.Group.Length > 0 ? "." + right.Group : "")}{(right.Name is null ? "" : "/" + right.Name)} in the namespace {right.Namespace}");
            }
        }

        if (missing.Count > 0)
        {
            throw new RefusedException(
                $"{address.Name} cannot be stopped and started: the cluster does not allow it.",
                $"missing: {string.Join("; ", missing)}",
                $"give the role of this build these verbs (docs/application.md has one to copy); {address.Kubectl.Line("auth can-i --list")} shows what it has");
        }
    }
}
