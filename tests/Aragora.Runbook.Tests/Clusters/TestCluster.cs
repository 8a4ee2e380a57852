using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Adapters.Processes;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Clusters;

/// <summary>A namespace of its own in a cluster for tests, for one test class.</summary>
/// <remarks>Two variables have to say so, and neither has a default: KUBECONFIG names the cluster, ARAGORA_TEST_CLUSTER=1 says that tests may make and delete things there. A laptop's production cluster is never touched by accident.</remarks>
public sealed class TestCluster : IAsyncLifetime
{
    private string? missing;
    private KubernetesCluster? cluster;

    /// <summary>The kubeconfig.</summary>
    public static string Kubeconfig => Environment.GetEnvironmentVariable("KUBECONFIG") ?? "";

    /// <summary>The namespace.</summary>
    public string Namespace { get; } = $"aragora-test-{Guid.NewGuid():N}"[..21];

    /// <summary>The cluster; the test is skipped where there is none for tests.</summary>
    public KubernetesCluster Cluster
    {
        get
        {
            Assert.SkipWhen(cluster is null, missing ?? "there is no cluster for tests");
            return cluster!;
        }
    }

    /// <summary>Another connection, which its owner disposes of.</summary>
    public KubernetesCluster Connect(string? kubeconfig = null, string? @namespace = null)
    {
        _ = Cluster;
        return KubernetesCluster.Connect(new ClusterAddress(kubeconfig ?? Kubeconfig, null, @namespace ?? Namespace));
    }

    public async ValueTask InitializeAsync()
    {
        missing = Kubeconfig.Length == 0 ? "KUBECONFIG names no cluster"
            : Environment.GetEnvironmentVariable("ARAGORA_TEST_CLUSTER") != "1" ? "ARAGORA_TEST_CLUSTER=1 does not say that tests may use the cluster of KUBECONFIG"
            : null;
        if (missing is not null)
        {
            return;
        }

        var candidate = KubernetesCluster.Connect(new ClusterAddress(Kubeconfig, null, Namespace));
        try
        {
            await candidate.Client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } });
            cluster = candidate;
            await UntilAsync("the namespace's default service account", async () => (await candidate.Client.CoreV1.ListNamespacedServiceAccountAsync(Namespace)).Items.Count > 0);
        }
        catch (Exception unreachable) when (cluster is null && unreachable is HttpRequestException or OperationCanceledException)
        {
            missing = $"no cluster answers at KUBECONFIG ({candidate.Server})";
            candidate.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
        {
            await cluster.Client.CoreV1.DeleteNamespaceAsync(Namespace, new V1DeleteOptions { GracePeriodSeconds = 0 });
            cluster.Dispose();
        }
    }

    /// <summary>Makes a Secret.</summary>
    public async Task<V1Secret> MakeSecretAsync(string name, IReadOnlyDictionary<string, string> values) =>
        await Cluster.Client.CoreV1.CreateNamespacedSecretAsync(new V1Secret { Metadata = new V1ObjectMeta { Name = name }, StringData = new Dictionary<string, string>(values, StringComparer.Ordinal) }, Namespace);

    /// <summary>A kubeconfig for a service account that may do what the rules say, and nothing else.</summary>
    public async Task<string> RestrictedKubeconfigAsync(string folder, string account, IReadOnlyList<V1PolicyRule> rules)
    {
        var client = Cluster.Client;
        var made = await client.CoreV1.CreateNamespacedServiceAccountAsync(new V1ServiceAccount { Metadata = new V1ObjectMeta { Name = account } }, Namespace);
        await client.RbacAuthorizationV1.CreateNamespacedRoleAsync(new V1Role { Metadata = new V1ObjectMeta { Name = account }, Rules = [.. rules] }, Namespace);
        await client.RbacAuthorizationV1.CreateNamespacedRoleBindingAsync(
            new V1RoleBinding
            {
                Metadata = new V1ObjectMeta { Name = account },
                RoleRef = new V1RoleRef { ApiGroup = "rbac.authorization.k8s.io", Kind = "Role", Name = account },
                Subjects = [new Rbacv1Subject { Kind = "ServiceAccount", Name = account, NamespaceProperty = Namespace }],
            },
            Namespace);
        return await KubeconfigWithTokenAsync(folder, account, await TokenOfAsync(made.Metadata.Name));
    }

    /// <summary>A token of a service account.</summary>
    public async Task<string> TokenOfAsync(string account)
    {
        var request = new Authenticationv1TokenRequest { Spec = new V1TokenRequestSpec { Audiences = ["https://kubernetes.default.svc"], ExpirationSeconds = 3600 } };
        return (await Cluster.Client.CoreV1.CreateNamespacedServiceAccountTokenAsync(request, account, Namespace)).Status.Token;
    }

    /// <summary>The test's kubeconfig with another server or another login.</summary>
    public static async Task<string> KubeconfigWithTokenAsync(string folder, string name, string token) =>
        await WriteKubeconfigAsync(folder, name, server: null, $"{{token: {token}}}");

    /// <summary>The test's kubeconfig with other details.</summary>
    /// <param name="folder">Where it is written.</param>
    /// <param name="name">Its name.</param>
    /// <param name="server">Another server, whose certificate has to be that of the true one; null for the same.</param>
    /// <param name="user">Another login, as YAML; null for the same.</param>
    public static async Task<string> WriteKubeconfigAsync(string folder, string name, string? server, string? user)
    {
        var original = KubernetesYaml.Deserialize<k8s.KubeConfigModels.K8SConfiguration>(await File.ReadAllTextAsync(Kubeconfig));
        var cluster = original.Clusters.First().ClusterEndpoint;
        var login = original.Users.First().UserCredentials;
        var path = Path.Combine(folder, $"{name}.kubeconfig");
        var credentials = user ?? $"{{client-certificate-data: {login.ClientCertificateData}, client-key-data: {login.ClientKeyData}}}";
        await File.WriteAllTextAsync(path, $$$"""
            apiVersion: v1
            kind: Config
            clusters: [{name: c, cluster: {server: "{{{server ?? cluster.Server}}}", certificate-authority-data: {{{cluster.CertificateAuthorityData}}} }}]
            users: [{name: u, user: {{{credentials}}} }]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x

            """);
        return path;
    }

    /// <summary>Waits for a condition, for three minutes at most.</summary>
    public static async Task UntilAsync(string what, Func<Task<bool>> condition, Task? meanwhile = null)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (!await condition())
        {
            if (meanwhile?.IsCompleted == true)
            {
                await meanwhile;
            }

            deadline.IsCancellationRequested.ShouldBeFalse($"{what}: not within a minute");
            await Task.Delay(50, CancellationToken.None);
        }
    }
}
