using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Applications.Workloads;
using Aragora.Runbook.Journal;
using k8s;
using k8s.Models;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>A namespace of its own in a real cluster, for one test. Only where somebody said that the cluster is for tests: a laptop's KUBECONFIG may be production's.</summary>
internal sealed class ClusterBench : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private ClusterBench(KubernetesCluster cluster) => (Cluster, Objects) = (cluster, new ClusterObjects(cluster));

    public KubernetesCluster Cluster { get; }

    public ClusterObjects Objects { get; }

    public string Namespace => Cluster.Namespace;

    public static string Kubeconfig => Environment.GetEnvironmentVariable("KUBECONFIG")!;

    public static void RequireCluster() =>
        Assert.SkipWhen(Environment.GetEnvironmentVariable("KUBECONFIG") is null or "" || Environment.GetEnvironmentVariable("ARAGORA_TEST_CLUSTER") != "1", "no Kubernetes cluster for tests: KUBECONFIG has to name it, and ARAGORA_TEST_CLUSTER=1 has to say that it is one for tests");

    public static async Task<ClusterBench> NewAsync(string? kubeconfig = null)
    {
        RequireCluster();
        var bench = new ClusterBench(KubernetesCluster.Connect(new ClusterAddress(kubeconfig ?? Kubeconfig, null, $"aragora-app-{Guid.NewGuid().ToString("N")[..8]}")));
        await bench.Cluster.Client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = bench.Namespace } });
        return bench;
    }

    public async ValueTask DisposeAsync()
    {
        await Cluster.Client.CoreV1.DeleteNamespaceAsync(Namespace, gracePeriodSeconds: 0);
        Cluster.Dispose();
    }

    public KubernetesWorkload Workload(RunContext run, string name, ApplicationOptions? options = null, KubernetesCluster? cluster = null) =>
        new(run, cluster ?? Cluster, ApplicationName.Parse(name), options ?? Quick);

    public static ApplicationOptions Quick { get; } = new() { Timeout = TimeSpan.FromMinutes(4), Interval = TimeSpan.FromMilliseconds(100), AnswerPatience = TimeSpan.FromSeconds(5) };

    public Task CreateAsync(ClusterResource resource, string json) =>
        Cluster.Client.CustomObjects.CreateNamespacedCustomObjectAsync(JsonNode.Parse(json)!, resource.Group, resource.Version, Namespace, resource.Plural);

    public async Task<JsonObject> GetAsync(ClusterResource resource, string name) =>
        await Objects.GetAsync(resource, Namespace, name, CancellationToken.None) ?? throw new InvalidOperationException($"there is no {resource}/{name}");

    public Task<JsonObject> PatchAsync(ClusterResource resource, string name, string json) =>
        Objects.PatchAsync(resource, Namespace, name, (JsonObject)JsonNode.Parse(json)!, CancellationToken.None);

    /// <summary>Scales a Deployment in somebody's name, as <c>metadata.managedFields</c> shows it.</summary>
    public Task ScaleAsync(string name, int replicas, string manager) =>
        Cluster.Client.CustomObjects.PatchNamespacedCustomObjectAsync(new V1Patch($$$"""{"spec": {"replicas": {{{replicas}}}}}""", V1Patch.PatchType.MergePatch), "apps", "v1", Namespace, "deployments", name, fieldManager: manager);

    /// <summary>A small program that holds a session, comes back when it is ended, and is ready while it has one.</summary>
    /// <param name="kind">Deployment or StatefulSet.</param>
    /// <param name="name">Its name.</param>
    /// <param name="replicas">How many.</param>
    /// <param name="dsn">The database; null for a program that only sleeps.</param>
    /// <param name="metadata">More of its metadata, as JSON members.</param>
    public async Task ApplicationAsync(string kind, string name, int replicas, string? dsn, string metadata = "")
    {
        const string Program =
            """
            import os, time, signal, sys
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            if not os.environ['DSN']:
                open('/tmp/up', 'w').close()
                while True:
                    time.sleep(1)
            import psycopg2
            while True:
                try:
                    session = psycopg2.connect(os.environ['DSN'], application_name='aragora-api')
                    session.autocommit = True
                    open('/tmp/up', 'w').close()
                    while True:
                        session.cursor().execute('SELECT 1')
                        time.sleep(0.2)
                except Exception as failure:
                    print(failure, flush=True)
                    if os.path.exists('/tmp/up'):
                        os.remove('/tmp/up')
                    time.sleep(0.2)
            """;
        var container = new JsonObject
        {
            ["name"] = "api",
            ["image"] = "aragora/api:latest",
            ["imagePullPolicy"] = "IfNotPresent",
            ["command"] = new JsonArray("python3", "-c", Program),
            ["env"] = new JsonArray(new JsonObject { ["name"] = "DSN", ["value"] = dsn ?? "" }),
            ["readinessProbe"] = new JsonObject { ["exec"] = new JsonObject { ["command"] = new JsonArray("cat", "/tmp/up") }, ["periodSeconds"] = 1 },
        };
        var workload = (JsonObject)JsonNode.Parse($$"""{"apiVersion": "apps/v1", "kind": "{{kind}}", "metadata": { {{metadata}} }, "spec": {"replicas": {{replicas}} } }""")!;
        workload.Put(name, "metadata", "name");
        workload.Put(name, "spec", "selector", "matchLabels", "app");
        workload.Put(name, "spec", "template", "metadata", "labels", "app");
        workload.Put(5, "spec", "template", "spec", "terminationGracePeriodSeconds");
        workload.Put(new JsonArray(container), "spec", "template", "spec", "containers");
        if (kind == "StatefulSet")
        {
            workload.Put(name, "spec", "serviceName");
            workload.Put("Parallel", "spec", "podManagementPolicy");
        }

        await CreateAsync(Resource(kind), workload.ToJsonString());
        await UntilAsync(async () => new WorkloadObject(await GetAsync(Resource(kind), name)).Rollout(null).IsDone, $"{name} is ready");
    }

    public async Task<int> ReplicasAsync(string kind, string name) => new WorkloadObject(await GetAsync(Resource(kind), name)).Replicas;

    public async Task<bool> IsReadyAsync(string kind, string name) => new WorkloadObject(await GetAsync(Resource(kind), name)).Rollout(null) is { IsDone: true, Wanted: > 0 };

    public async Task<IReadOnlyList<string>> NotesAsync(ClusterResource resource, string name) =>
        [.. ((await GetAsync(resource, name)).At("metadata", "annotations") as JsonObject ?? []).Select(annotation => annotation.Key).Where(key => key.StartsWith("aragora.build/", StringComparison.Ordinal))];

    public static ClusterResource Resource(string kind) => new("apps", "v1", kind == "StatefulSet" ? "statefulsets" : "deployments");

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await condition())
        {
            await Task.Delay(100, patience.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            Assert.False(patience.IsCancellationRequested, $"waited in vain until: {what}");
        }
    }
}
