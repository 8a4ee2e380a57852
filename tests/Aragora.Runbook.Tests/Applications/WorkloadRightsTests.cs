using System.Security.Cryptography.X509Certificates;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Applications.Workloads;
using Aragora.Runbook.Outcomes;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>A service account of a real cluster that may do too little.</summary>
public sealed class WorkloadRightsTests
{
    private const string Api = "deployment/api";

    [Fact]
    public async Task Every_missing_right_is_named_before_anything_is_touched()
    {
        await using var bench = await ClusterBench.NewAsync();
        await bench.ApplicationAsync("Deployment", "api", 1, dsn: null);
        using var restricted = await RestrictedAsync(bench, new V1PolicyRule { ApiGroups = ["apps"], Resources = ["deployments"], Verbs = ["get"] });

        var refusal = await Should.ThrowAsync<RefusedException>(() => bench.Workload(RealServer.NewRun(), Api, cluster: restricted).RequireStoppableAsync(CancellationToken.None));

        refusal.Why.ShouldBe($"missing: patch deployments.apps/api in the namespace {bench.Namespace}; list pods in the namespace {bench.Namespace}");
        refusal.Next.ShouldContain("docs/application.md");
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(1);
    }

    [Fact]
    public async Task The_rights_that_are_documented_are_enough()
    {
        await using var bench = await ClusterBench.NewAsync();
        await bench.ApplicationAsync("Deployment", "api", 1, dsn: null);
        using var restricted = await RestrictedAsync(
            bench,
            new V1PolicyRule { ApiGroups = ["apps"], Resources = ["deployments"], Verbs = ["get", "patch"] },
            new V1PolicyRule { ApiGroups = [""], Resources = ["pods"], Verbs = ["list"] });
        var run = RealServer.NewRun();
        var part = bench.Workload(run, Api, cluster: restricted);
        await part.RequireStoppableAsync(CancellationToken.None);

        (await part.StopAsync(await part.LookAsync(CancellationToken.None), run.RunId, run.Clock.GetUtcNow(), CancellationToken.None)).ShouldBe(1);
        (await part.StartAsync(run.RunId, CancellationToken.None)).ShouldBe("1 replicas as before");
        await ClusterBench.UntilAsync(async () => (await part.RolloutAsync(CancellationToken.None)).IsDone, "it is back");
    }

    [Fact]
    public async Task A_cluster_that_does_not_answer_is_named()
    {
        ClusterBench.RequireCluster();
        using var nowhere = await ConnectAsync("https://127.0.0.1:1", "none", null, "x");
        var part = new KubernetesWorkload(RealServer.NewRun(), nowhere, ApplicationName.Parse(Api), ClusterBench.Quick);

        var failure = await Should.ThrowAsync<BadInputException>(() => part.LookAsync(CancellationToken.None));

        failure.What.ShouldStartWith("deployment/api cannot be asked for. The Kubernetes API at https://127.0.0.1:1");
        failure.Why.ShouldContain("nothing listens there");
        (await Should.ThrowAsync<PartException>(() => part.StartAsync("run", CancellationToken.None))).IsTransient.ShouldBeTrue("it is tried again");
    }

    /// <summary>The token of a service account: of its Secret, which the cluster makes by itself up to version 1.23, and because it is asked to from then on.</summary>
    private static async Task<KubernetesCluster> RestrictedAsync(ClusterBench bench, params V1PolicyRule[] rules)
    {
        var client = bench.Cluster.Client;
        await client.CoreV1.CreateNamespacedServiceAccountAsync(new V1ServiceAccount { Metadata = new V1ObjectMeta { Name = "restricted" } }, bench.Namespace);
        await client.RbacAuthorizationV1.CreateNamespacedRoleAsync(new V1Role { Metadata = new V1ObjectMeta { Name = "restricted" }, Rules = rules }, bench.Namespace);
        await client.RbacAuthorizationV1.CreateNamespacedRoleBindingAsync(
            new V1RoleBinding
            {
                Metadata = new V1ObjectMeta { Name = "restricted" },
                RoleRef = new V1RoleRef { ApiGroup = "rbac.authorization.k8s.io", Kind = "Role", Name = "restricted" },
                Subjects = [new Rbacv1Subject { Kind = "ServiceAccount", Name = "restricted", NamespaceProperty = bench.Namespace }],
            },
            bench.Namespace);
        await client.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret { Metadata = new V1ObjectMeta { Name = "restricted", Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { ["kubernetes.io/service-account.name"] = "restricted" } }, Type = "kubernetes.io/service-account-token" },
            bench.Namespace);
        byte[]? token = null;
        await ClusterBench.UntilAsync(async () => (await client.CoreV1.ReadNamespacedSecretAsync("restricted", bench.Namespace)).Data?.TryGetValue("token", out token) == true, "the token is there");
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(new FileInfo(ClusterBench.Kubeconfig));
        return await ConnectAsync(configuration.Host, System.Text.Encoding.UTF8.GetString(token!), configuration.SslCaCerts, bench.Namespace);
    }

    private static async Task<KubernetesCluster> ConnectAsync(string server, string token, X509Certificate2Collection? authorities, string @namespace)
    {
        var file = Path.GetTempFileName();
        var trust = authorities is null ? "\"insecure-skip-tls-verify\": true" : $"\"certificate-authority-data\": \"{Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(authorities.ExportCertificatePems()))}\"";
        await File.WriteAllTextAsync(file, $$"""{"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "c", "cluster": {"server": "{{server}}", {{trust}} } }], "users": [{"name": "u", "user": {"token": "{{token}}"} }], "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"} }], "current-context": "c"}""");
        try
        {
            return KubernetesCluster.Connect(new ClusterAddress(file, null, @namespace));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
