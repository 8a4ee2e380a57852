using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Applications.Workloads;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>KEDA, Flux and Argo CD beside a real Deployment: their controllers are not there, and their objects are real where the cluster can hold them (see <see cref="HolderKinds"/>).</summary>
public sealed class HolderTests(RealServer server, HolderKinds kinds)
{
    private const string Api = "deployment/api";
    private const string FluxLabels = "\"labels\": {\"kustomize.toolkit.fluxcd.io/name\": \"apps\", \"kustomize.toolkit.fluxcd.io/namespace\": \"NAMESPACE\"}";
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(null, null)]
    [InlineData("5", "5")]
    public async Task Keda_is_paused_at_zero_and_gets_back_what_was_there(string? before, string? after)
    {
        await using var bench = await kinds.NewBenchAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 2, dsn: null);
        await bench.CreateAsync(HolderKinds.ScaledObjects, $$"""{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "api", "annotations": { {{(before is null ? "" : $"\"{KedaScaling.PausedReplicas}\": \"{before}\"")}} } }, "spec": {"scaleTargetRef": {"name": "api"}, "minReplicaCount": 2} }""");
        await bench.CreateAsync(HolderKinds.ScaledObjects, """{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "other"}, "spec": {"scaleTargetRef": {"name": "worker"}}}""");
        var run = scenario.NewRun();
        var part = bench.Workload(run, Api);
        var control = scenario.Control(run, part);
        await control.RequireStoppableAsync(None);

        await scenario.StopAsync(control, run);

        (await PausedAsync(bench)).ShouldBe("0");
        part.StartingCommand(2).ShouldBe(bench.Cluster.Kubectl.Line($"annotate scaledobject api {KedaScaling.PausedReplicas}{(before is null ? "-" : $"={before} --overwrite")}") + " && " + bench.Cluster.Kubectl.Line("scale deployment/api --replicas 2"));
        (await bench.NotesAsync(HolderKinds.ScaledObjects, "api")).Count.ShouldBe(4);
        (await bench.NotesAsync(HolderKinds.ScaledObjects, "other")).ShouldBeEmpty();
        File.ReadAllText(run.Journal.Path).ShouldContain($"KEDA ScaledObject {bench.Namespace}/api: metadata.annotations.{KedaScaling.PausedReplicas} = {(before is null ? "not set" : "\\\"" + before + "\\\"")}");

        await part.LeaveAsync(run.RunId, "nobody knows what it is", None);
        (await bench.NotesAsync(HolderKinds.ScaledObjects, "api")).Count.ShouldBe(5, "who deploys others as well is not to be taken for what a dead run left");
        (await control.StartAsync())!.Failure.ShouldBeNull();
        (await PausedAsync(bench)).ShouldBe(after);
        (await bench.NotesAsync(HolderKinds.ScaledObjects, "api")).ShouldBeEmpty();
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(2);
    }

    [Fact]
    public async Task A_run_that_died_between_pausing_keda_and_stopping_left_the_number_there()
    {
        await using var bench = await kinds.NewBenchAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 0, dsn: null);

        // KEDA itself scaled it to 0, since it is paused there.
        await bench.CreateAsync(HolderKinds.ScaledObjects, $$"""{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "api", "annotations": {"{{KedaScaling.PausedReplicas}}": "0", "aragora.build/replicas": "2", "aragora.build/stopped-by": "dead", "aragora.build/stopped-at": "2026-11-22T19:04:55Z", "aragora.build/before": "null"} }, "spec": {"scaleTargetRef": {"name": "api"} } }""");
        var run = scenario.NewRun();

        var put = await scenario.Control(run, bench.Workload(run, Api)).PutBackAsync(isAsked: true, waits: true, None);

        put.Failure.ShouldBeNull();
        put.Done[Api].ShouldBe("2 replicas as before");
        (await PausedAsync(bench)).ShouldBeNull();
        (await bench.IsReadyAsync("Deployment", "api")).ShouldBeTrue();
    }

    [Fact]
    public async Task Flux_is_named_and_refused_and_with_the_word_suspended_and_resumed()
    {
        await using var bench = await kinds.NewBenchAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 2, dsn: null, FluxLabels.Replace("NAMESPACE", bench.Namespace, StringComparison.Ordinal));
        await bench.CreateAsync(HolderKinds.Kustomizations, """{"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "apps"}, "spec": {"interval": "10m"}}""");
        var run = scenario.NewRun();

        var refusal = await Should.ThrowAsync<RefusedException>(() => bench.Workload(run, Api).RequireStoppableAsync(None));

        refusal.What.ShouldBe($"deployment/api would not stay stopped: Flux Kustomization {bench.Namespace}/apps would start it again.");
        refusal.Next.ShouldContain("--suspend-gitops");
        refusal.Next.ShouldContain(bench.Cluster.Kubectl.Of("flux", $"suspend kustomization apps --namespace {bench.Namespace}"));
        (await bench.NotesAsync(HolderKinds.Kustomizations, "apps")).ShouldBeEmpty();

        // What plays Flux obeys its suspend, as Flux does.
        await using var controller = new FakeController(bench, "api", 2, "kustomize-controller", async () => !(await bench.GetAsync(HolderKinds.Kustomizations, "apps")).IsTrue("spec", "suspend"));
        var options = ClusterBench.Quick with { SuspendGitOps = true };
        var control = scenario.Control(run, bench.Workload(run, Api, options), options);
        await control.RequireStoppableAsync(None);
        await scenario.StopAsync(control, run);
        (await bench.GetAsync(HolderKinds.Kustomizations, "apps")).IsTrue("spec", "suspend").ShouldBeTrue();

        (await control.StartAsync())!.Failure.ShouldBeNull();
        var back = await bench.GetAsync(HolderKinds.Kustomizations, "apps");
        back["spec"]!.ToJsonString().ShouldBe("""{"interval":"10m"}""", "nothing is left of it, and nothing was added");
        (await bench.NotesAsync(HolderKinds.Kustomizations, "apps")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Flux_that_somebody_suspended_before_stays_suspended()
    {
        await using var bench = await kinds.NewBenchAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 1, dsn: null, "\"labels\": {\"helm.toolkit.fluxcd.io/name\": \"api\", \"helm.toolkit.fluxcd.io/namespace\": \"NAMESPACE\"}".Replace("NAMESPACE", bench.Namespace, StringComparison.Ordinal));
        await bench.CreateAsync(HolderKinds.HelmReleases, """{"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "api"}, "spec": {"suspend": true}}""");
        var run = scenario.NewRun();
        var control = scenario.Control(run, bench.Workload(run, Api));
        await control.RequireStoppableAsync(None);

        await scenario.StopAsync(control, run);
        (await control.StartAsync())!.Failure.ShouldBeNull();

        (await bench.GetAsync(HolderKinds.HelmReleases, "api")).IsTrue("spec", "suspend").ShouldBeTrue();
        scenario.Log().ShouldContain($"Flux HelmRelease {bench.Namespace}/api is suspended already");
    }

    [Fact]
    public async Task Argo_cd_loses_its_automation_whole_and_gets_it_back_whole_with_its_parent()
    {
        await using var bench = await kinds.NewBenchAsync();
        var scenario = await StopScenario.NewAsync(server);
        var (shop, root) = ($"shop-{bench.Namespace}", $"root-{bench.Namespace}");
        await bench.ApplicationAsync("Deployment", "api", 2, dsn: null, $"\"annotations\": {{\"argocd.argoproj.io/tracking-id\": \"{bench.Namespace}_{shop}:apps/Deployment:{bench.Namespace}/api\"}}");
        await bench.CreateAsync(HolderKinds.Applications, Application(shop, """{"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]}""", $"\"annotations\": {{\"argocd.argoproj.io/tracking-id\": \"{bench.Namespace}_{root}:argoproj.io/Application:{bench.Namespace}/{shop}\"}}"));
        await bench.CreateAsync(HolderKinds.Applications, Application(root, """{"automated": {}}""", "\"annotations\": {}"));
        var policies = await PoliciesAsync(bench, shop, root);
        var run = scenario.NewRun();

        var refusal = await Should.ThrowAsync<RefusedException>(() => bench.Workload(run, Api).RequireStoppableAsync(None));

        refusal.What.ShouldContain($"Argo CD Application {bench.Namespace}/{root} and Argo CD Application {bench.Namespace}/{shop}", customMessage: "the parent first: it puts back what is changed in its child");
        refusal.Why.ShouldContain($"{shop}: it heals itself");
        refusal.Next.ShouldContain($"argocd app set {bench.Namespace}/{shop} --sync-policy none");

        var options = ClusterBench.Quick with { SuspendGitOps = true };
        var control = scenario.Control(run, bench.Workload(run, Api, options), options);
        await scenario.StopAsync(control, run);
        (await PoliciesAsync(bench, shop, root)).ShouldBe(["""{"syncOptions":["CreateNamespace=true"]}""", "{}"]);
        StopAnnotations.Annotation(await bench.GetAsync(HolderKinds.Applications, shop), StopAnnotations.Before).ShouldBe("""{"prune":true,"selfHeal":true}""");

        // The run dies here, and a later one that was not told to suspend anything puts all of it back.
        var later = scenario.NewRun();
        (await scenario.Control(later, bench.Workload(later, Api)).PutBackAsync(isAsked: true, waits: true, None)).Failure.ShouldBeNull();
        (await PoliciesAsync(bench, shop, root)).Select(Sorted).ShouldBe(policies.Select(Sorted));
        (await bench.NotesAsync(HolderKinds.Applications, shop)).ShouldBeEmpty();
        (await bench.NotesAsync(HolderKinds.Applications, root)).ShouldBeEmpty();
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(2);
    }

    [Fact]
    public async Task The_instance_label_alone_counts_only_with_an_application_that_deploys_there()
    {
        await using var bench = await kinds.NewBenchAsync();
        var name = $"shop-{bench.Namespace}";
        await bench.ApplicationAsync("Deployment", "api", 0, dsn: null, $"\"labels\": {{\"app.kubernetes.io/instance\": \"{name}\"}}");
        var run = RealServer.NewRun();
        await bench.Workload(run, Api).RequireStoppableAsync(None);

        await bench.CreateAsync(HolderKinds.Applications, Application(name, """{"automated": {"enabled": false}}""", "\"annotations\": {}"));
        await bench.Workload(run, Api).RequireStoppableAsync(None);

        await bench.PatchAsync(HolderKinds.Applications, name, """{"spec": {"syncPolicy": {"automated": {"enabled": true}}}}""");
        (await Should.ThrowAsync<RefusedException>(() => bench.Workload(run, Api).RequireStoppableAsync(None))).What.ShouldContain($"Argo CD Application {bench.Namespace}/{name}");

        await bench.PatchAsync(HolderKinds.Applications, name, """{"spec": {"destination": {"namespace": "elsewhere"}}}""");
        await bench.Workload(run, Api).RequireStoppableAsync(None);
    }

    [Fact]
    public async Task An_application_of_another_cluster_is_a_warning()
    {
        await using var bench = await kinds.NewBenchAsync();
        var lines = new List<string>();
        RunContext run = RealServer.NewRun(LogLines.To(lines));
        await bench.ApplicationAsync("Deployment", "api", 0, dsn: null, "\"annotations\": {\"argocd.argoproj.io/tracking-id\": \"far-away:apps/Deployment:x/api\"}");

        await bench.Workload(run, Api).RequireStoppableAsync(None);

        lines.ShouldContain(line => line.Contains("far-away", StringComparison.Ordinal) && line.Contains("the restore ends and leaves everything as it was", StringComparison.Ordinal));
    }

    private static string Application(string name, string policy, string metadata) =>
        $$$"""{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "{{{name}}}", {{{metadata}}} }, "spec": {"destination": {"namespace": "{{{name[(name.IndexOf('-', StringComparison.Ordinal) + 1)..]}}}"}, "syncPolicy": {{{policy}}} } }""";

    private static async Task<string?> PausedAsync(ClusterBench bench) => StopAnnotations.Annotation(await bench.GetAsync(HolderKinds.ScaledObjects, "api"), KedaScaling.PausedReplicas);

    private static async Task<IReadOnlyList<string>> PoliciesAsync(ClusterBench bench, params string[] names)
    {
        var policies = new List<string>();
        foreach (var name in names)
        {
            policies.Add((await bench.GetAsync(HolderKinds.Applications, name)).At("spec", "syncPolicy")!.ToJsonString());
        }

        return policies;
    }

    private static string Sorted(string json) => new JsonObject(((JsonObject)JsonNode.Parse(json)!).OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))).ToJsonString();
}
