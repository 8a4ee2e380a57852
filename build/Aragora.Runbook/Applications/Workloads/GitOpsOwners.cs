using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>Who deploys a workload from Git, and would undo what is changed by hand: Argo CD's Applications, Flux's Kustomizations and HelmReleases.</summary>
/// <param name="objects">The cluster.</param>
internal sealed class GitOpsOwners(ClusterObjects objects)
{
    private const string TrackingId = "argocd.argoproj.io/tracking-id";
    private const string Instance = "app.kubernetes.io/instance";
    private const string ArgoGroup = "argoproj.io";
    private const string ArgoNamespace = "argocd";
    private const int MostParents = 5;
    private static readonly (string Group, string Plural, string Kind, string Command)[] Flux =
    [
        ("kustomize.toolkit.fluxcd.io", "kustomizations", "Kustomization", "kustomization"),
        ("helm.toolkit.fluxcd.io", "helmreleases", "HelmRelease", "helmrelease"),
    ];

    private readonly List<Holder> owners = [];
    private readonly List<string> unreadable = [];

    /// <summary>Those that were found, the outermost first: a parent puts back what is changed in its child.</summary>
    public IReadOnlyList<Holder> Owners => owners;

    /// <summary>What could not be read, for people.</summary>
    public IReadOnlyList<string> Unreadable => unreadable;

    /// <summary>Looks who deploys this object.</summary>
    public static async Task<GitOpsOwners> FindAsync(ClusterObjects objects, JsonObject workload, CancellationToken cancellation)
    {
        var found = new GitOpsOwners(objects);
        foreach (var kind in Flux)
        {
            await found.FluxAsync(workload, kind, cancellation);
        }

        await found.ArgoAsync(workload, 0, cancellation);
        return found;
    }

    private async Task FluxAsync(JsonObject workload, (string Group, string Plural, string Kind, string Command) kind, CancellationToken cancellation)
    {
        var name = workload.Text("metadata", "labels", kind.Group + "/name");
        var @namespace = workload.Text("metadata", "labels", kind.Group + "/namespace");
        if (name is null || @namespace is null)
        {
            return;
        }

        var what = $"Flux {kind.Kind} {@namespace}/{name}";
        var version = await objects.PreferredVersionAsync(kind.Group, cancellation);
        var resource = new ClusterResource(kind.Group, version ?? "v1", kind.Plural);
        if (await ReadAsync(what, resource, () => objects.GetAsync(resource, @namespace, name, cancellation)) is { } owner)
        {
            owners.Add(new Holder(what, resource, owner, ["spec", "suspend"], JsonValue.Create(true))
            {
                IsInTheWay = !owner.IsTrue("spec", "suspend"),
                Why = kind.Kind == "HelmRelease" && owner.Text("spec", "driftDetection", "mode") != "enabled" ? "it puts the count of its chart back with its next upgrade" : "it puts the count of Git back with its next reconciliation",
                Command = objects.Kubectl.Of("flux", $"suspend {kind.Command} {name} --namespace {@namespace}"),
                Resuming = _ => objects.Kubectl.Of("flux", $"resume {kind.Command} {name} --namespace {@namespace}"),
            });
        }
    }

    /// <summary>The tracking annotation names the Application; the instance label alone may as well be Helm's, so it counts where an Application of that name deploys into the workload's namespace.</summary>
    private async Task ArgoAsync(JsonObject thing, int depth, CancellationToken cancellation)
    {
        var tracked = StopAnnotations.Annotation(thing, TrackingId)?.Split(':')[0];
        var name = tracked ?? thing.Text("metadata", "labels", Instance);
        if (string.IsNullOrEmpty(name) || depth == MostParents)
        {
            return;
        }

        // Applications outside of Argo CD's own namespace are tracked as namespace_name.
        var parts = tracked?.Split('_', 2) is [var of, var own] ? (Namespace: of, Name: own) : (Namespace: null, Name: name);
        var version = await objects.PreferredVersionAsync(ArgoGroup, cancellation);
        if (version is null)
        {
            if (tracked is not null)
            {
                unreadable.Add($"Argo CD deploys it (Application {name}), from outside of this cluster");
            }

            return;
        }

        var resource = new ClusterResource(ArgoGroup, version, "applications");
        var found = await ReadAsync($"Argo CD Application {name}", resource, () => ApplicationsAsync(resource, parts.Namespace, parts.Name, cancellation), isCertain: tracked is not null);
        if (found is null)
        {
            return;
        }

        if (found.Count == 0 && tracked is not null)
        {
            unreadable.Add($"Argo CD deploys it (Application {name}), from outside of this cluster");
        }

        var into = thing.Text("metadata", "namespace");
        foreach (var application in found.Where(application => tracked is not null || application.Text("spec", "destination", "namespace") == into))
        {
            if (!ReferenceEquals(application, thing))
            {
                await ArgoAsync(application, depth + 1, cancellation);
                Add(resource, application);
            }
        }
    }

    private async Task<IReadOnlyList<JsonObject>?> ApplicationsAsync(ClusterResource resource, string? @namespace, string name, CancellationToken cancellation)
    {
        try
        {
            return await objects.ListAsync(resource, @namespace, name, cancellation);
        }
        catch (KubernetesApiException denied) when (denied.Kind == ApiFailureKind.Forbidden && @namespace is null)
        {
            // Not in all namespaces: then where they usually are.
            return await objects.GetAsync(resource, ArgoNamespace, name, cancellation) is { } usual ? [usual] : [];
        }
    }

    private void Add(ClusterResource resource, JsonObject application)
    {
        var (name, @namespace) = (application.Text("metadata", "name"), application.Text("metadata", "namespace"));
        if (owners.Any(known => known.Resource == resource && known.Name == name && known.Namespace == @namespace))
        {
            return;
        }

        var automated = application.At("spec", "syncPolicy", "automated");
        owners.Add(new Holder($"Argo CD Application {@namespace}/{name}", resource, application, ["spec", "syncPolicy", "automated"], null)
        {
            IsInTheWay = automated is not null && automated.At("enabled")?.GetValueKind() != System.Text.Json.JsonValueKind.False,
            Why = automated.IsTrue("selfHeal") ? "it heals itself: it puts the count of Git back at once" : "it syncs by itself: it puts the count of Git back with the next commit",
            Command = $"argocd app set {@namespace}/{name} --sync-policy none",
            Resuming = before => $"argocd app set {@namespace}/{name} --sync-policy automated{(before.IsTrue("selfHeal") ? " --self-heal" : "")}{(before.IsTrue("prune") ? " --auto-prune" : "")}",
        });
        if (application.Each("metadata", "ownerReferences").FirstOrDefault(owner => owner.Text("kind") == "ApplicationSet") is { } set)
        {
            unreadable.Add($"Argo CD's ApplicationSet {set.Text("name")} made the Application {name}, and may put its syncPolicy back");
        }
    }

    /// <summary>What cannot be read for want of rights is said, and stops nothing.</summary>
    private async Task<T?> ReadAsync<T>(string what, ClusterResource resource, Func<Task<T?>> read, bool isCertain = true)
        where T : class
    {
        try
        {
            var found = await read();
            if (found is null && isCertain)
            {
                unreadable.Add($"{what} deploys it, by its own label, and is not in this cluster");
            }

            return found;
        }
        catch (KubernetesApiException denied) when (denied.Kind == ApiFailureKind.Forbidden)
        {
            unreadable.Add($"{what} {(isCertain ? "deploys it" : "may deploy it")}, and cannot be asked: this needs the verbs get and list on {resource}");
            return null;
        }
    }
}
