using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;
using Serilog;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>Changes objects only as they were read.</summary>
/// <param name="log">Log.</param>
/// <param name="objects">The cluster.</param>
internal sealed class OptimisticPatch(ILogger log, ClusterObjects objects)
{
    private const int Tries = 5;

    /// <summary>Optimistic: where somebody else changed the object meanwhile, it is read and looked at again.</summary>
    public async Task<JsonObject> ApplyAsync(string what, ClusterResource resource, string @namespace, string name, JsonObject json, Func<JsonObject, JsonObject> patch, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await objects.PatchAsync(resource, @namespace, name, patch(json), cancellation);
            }
            catch (KubernetesApiException changed) when (changed.Kind == ApiFailureKind.Conflict && attempt < Tries)
            {
                log.Debug("{What} was changed meanwhile; it is read again", what);
                json = await objects.GetAsync(resource, @namespace, name, cancellation) ?? throw new PartException($"{what} is gone", isTransient: false, changed);
            }
        }
    }

    /// <summary>Puts a holder's setting back.</summary>
    public Task<JsonObject> ReleaseAsync(Holder holder, CancellationToken cancellation) =>
        ApplyAsync(holder.What, holder.Resource, holder.Namespace, holder.Name, holder.Json, json => (holder with { Json = json }).ReleasePatch(), cancellation);
}
