using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Tests.Applications;
using k8s;
using k8s.Autorest;
using Xunit;

[assembly: AssemblyFixture(typeof(HolderKinds))]

namespace Aragora.Runbook.Tests.Applications;

/// <summary>The kinds of KEDA, Flux and Argo CD in a cluster that has none of them: real objects of real kinds, without their controllers.</summary>
public sealed class HolderKinds : IAsyncLifetime
{
    public static readonly ClusterResource ScaledObjects = new("keda.sh", "v1alpha1", "scaledobjects");
    public static readonly ClusterResource Kustomizations = new("kustomize.toolkit.fluxcd.io", "v1", "kustomizations");
    public static readonly ClusterResource HelmReleases = new("helm.toolkit.fluxcd.io", "v2", "helmreleases");
    public static readonly ClusterResource Applications = new("argoproj.io", "v1alpha1", "applications");
    private static readonly (ClusterResource Resource, string Kind)[] All = [(ScaledObjects, "ScaledObject"), (Kustomizations, "Kustomization"), (HelmReleases, "HelmRelease"), (Applications, "Application")];
    private readonly SemaphoreSlim only = new(1);
    private readonly List<string> made = [];
    private FakeCustomObjects? fake;
    private string? fakeKubeconfig;
    private bool isReady;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A namespace in a cluster that has these kinds: they are made where the cluster can hold them; where it cannot, something fake stands before it.</summary>
    internal async Task<ClusterBench> NewBenchAsync()
    {
        ClusterBench.RequireCluster();
        await only.WaitAsync();
        try
        {
            if (!isReady)
            {
                await MakeAsync();
                isReady = true;
            }
        }
        finally
        {
            only.Release();
        }

        return await ClusterBench.NewAsync(fakeKubeconfig);
    }

    private async Task MakeAsync()
    {
        await using var bench = await ClusterBench.NewAsync();
        var version = await bench.Cluster.Client.Version.GetCodeAsync();
        if (int.Parse(version.Minor.TrimEnd('+'), CultureInfo.InvariantCulture) < 24 && Version.Parse(version.GoVersion["go".Length..]) >= new Version(1, 18))
        {
            fake = new FakeCustomObjects([.. All.Select(kind => kind.Resource)]);
            fakeKubeconfig = Path.GetTempFileName();
            await File.WriteAllTextAsync(fakeKubeconfig, $$"""{"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "fake", "cluster": {"server": "{{fake.Url}}"} }], "users": [{"name": "nobody", "user": {"token": "none"} }], "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "nobody"} }], "current-context": "fake"}""");
            return;
        }

        foreach (var (resource, kind) in All)
        {
            await MakeAsync(bench, resource, kind);
        }
    }

    /// <summary>Only what was made here goes again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (made.Count > 0)
        {
            using var cluster = KubernetesCluster.Connect(new ClusterAddress(ClusterBench.Kubeconfig, null, null));
            foreach (var name in made)
            {
                await cluster.Client.CustomObjects.DeleteClusterCustomObjectAsync("apiextensions.k8s.io", "v1", "customresourcedefinitions", name);
            }
        }

        if (fake is not null)
        {
            await fake.DisposeAsync();
            File.Delete(fakeKubeconfig!);
        }

        only.Dispose();
    }

    private async Task MakeAsync(ClusterBench bench, ClusterResource resource, string kind)
    {
        var name = resource.ToString();
        var definition = JsonNode.Parse($$"""
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "{{name}}"},
             "spec": {"group": "{{resource.Group}}", "scope": "Namespaced", "names": {"plural": "{{resource.Plural}}", "singular": "{{kind.ToLowerInvariant()}}", "kind": "{{kind}}", "listKind": "{{kind}}List"},
              "versions": [{"name": "{{resource.Version}}", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true} } }] } }
            """)!;
        try
        {
            await bench.Cluster.Client.CustomObjects.CreateClusterCustomObjectAsync(definition, "apiextensions.k8s.io", "v1", "customresourcedefinitions");
            made.Add(name);
        }
        catch (HttpOperationException there) when (there.Response?.StatusCode == HttpStatusCode.Conflict)
        {
            // The cluster has it already, and keeps it.
        }

        await ClusterBench.UntilAsync(
            async () =>
            {
                var groups = await new ClusterObjects(bench.Cluster).PreferredVersionAsync(resource.Group, CancellationToken.None);
                return groups is not null && await IsServedAsync(bench, resource);
            },
            $"the cluster serves {name}");
    }

    private static async Task<bool> IsServedAsync(ClusterBench bench, ClusterResource resource)
    {
        try
        {
            await bench.Cluster.Client.CustomObjects.ListNamespacedCustomObjectAsync<JsonObject>(resource.Group, resource.Version, bench.Namespace, resource.Plural);
            return true;
        }
        catch (HttpOperationException notYet) when (notYet.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}
