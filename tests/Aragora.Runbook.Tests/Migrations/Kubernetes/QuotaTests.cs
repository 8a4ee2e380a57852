using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Clusters;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Kubernetes;

/// <summary>A namespace with a quota, for itself.</summary>
public sealed class QuotaTests(TestCluster cluster, RealServer server, ClusterDatabase database, ImageBuilder images) : IClassFixture<TestCluster>
{
    [Fact]
    public async Task A_quota_that_is_used_up_is_told_with_what_it_allows()
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(1));
        await QuotaAsync("none", "pods", "0");

        var refusal = await Should.ThrowAsync<RefusedException>(() => scenario.MigrateAsync());

        refusal.What.ShouldContain($"A quota of namespace {cluster.Namespace} leaves no room");
        refusal.Why.ShouldContain("exceeded quota: none");
        await cluster.Cluster.Client.CoreV1.DeleteNamespacedResourceQuotaAsync("none", cluster.Namespace);

        // One pod at a time is enough: the check is gone before the migration begins.
        await QuotaAsync("one", "pods", "1");
        (await scenario.Migrator(RealServer.NewRun()).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None)).After.Revisions.ShouldBe(["r1000"]);

        await QuotaAsync("jobs", "count/jobs.batch", "0");
        scenario.Tree.AddTables(2);
        var denied = await Should.ThrowAsync<Aragora.Runbook.Adapters.Kubernetes.KubernetesApiException>(async () => await scenario.Migrator(RealServer.NewRun()).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None));
        denied.ExitCode.ShouldBe(ExitCodes.Refused);
        denied.What.ShouldStartWith($"A quota of namespace \"{cluster.Namespace}\" is used up");
    }

    private async Task QuotaAsync(string name, string resource, string most)
    {
        await cluster.Cluster.Client.CoreV1.CreateNamespacedResourceQuotaAsync(new V1ResourceQuota { Metadata = new V1ObjectMeta { Name = name }, Spec = new V1ResourceQuotaSpec { Hard = new Dictionary<string, ResourceQuantity>(StringComparer.Ordinal) { [resource] = new(most) } } }, cluster.Namespace);
        await TestCluster.UntilAsync("the quota counts", async () => (await cluster.Cluster.Client.CoreV1.ReadNamespacedResourceQuotaAsync(name, cluster.Namespace)).Status?.Used?.ContainsKey(resource) == true);
    }
}
