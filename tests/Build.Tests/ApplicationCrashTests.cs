using System.Text.Json;
using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Servers;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace BuildTests;

/// <summary>The host is killed (SIGKILL) while the application is stopped: a real host, a real cluster, a server of its own.</summary>
public sealed class ApplicationCrashTests : IAsyncLifetime
{
    private static readonly ClusterResource Deployments = new("apps", "v1", "deployments");
    private readonly CommandRunner commands = new(TimeProvider.System);
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"aragora-away-{Guid.NewGuid():N}");
    private readonly string @namespace = $"aragora-app-{Guid.NewGuid().ToString("N")[..8]}";
    private KubernetesCluster? cluster;
    private ThrowawayServer server = null!;

    private ShopDatabase Shop => new(server);

    private string Named => $"--target-environment Production --production-application deployment/api --production-namespace {@namespace}";

    public async ValueTask InitializeAsync()
    {
        var kubeconfig = Environment.GetEnvironmentVariable("KUBECONFIG");
        Assert.SkipWhen(string.IsNullOrEmpty(kubeconfig) || Environment.GetEnvironmentVariable("ARAGORA_TEST_CLUSTER") != "1", "no Kubernetes cluster for tests: KUBECONFIG has to name it, and ARAGORA_TEST_CLUSTER=1 has to say that it is one for tests");
        var binaries = await ServerBinaries.FindAllAsync(commands, CancellationToken.None);
        Assert.SkipWhen(binaries.Count == 0, "no PostgreSQL server binaries on this machine");
        server = await ThrowawayServer.StartAsync(binaries[0], new ThrowawayServerOptions { Folder = folder }, commands, new SecretMask(), CancellationToken.None);
        cluster = KubernetesCluster.Connect(new ClusterAddress(kubeconfig, null, @namespace));
        await cluster.Client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = @namespace } });
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
        {
            await cluster.Client.CoreV1.DeleteNamespaceAsync(@namespace, gracePeriodSeconds: 0);
            cluster.Dispose();
        }

        if (server is not null)
        {
            await server.EraseAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Killed_while_the_application_is_stopped_a_later_run_puts_it_back()
    {
        var host = new HostProcess("away");
        (string, string?) url = ("PRODUCTION_DATABASE_URL", $"postgresql://{server.Url.User}:{Uri.EscapeDataString(server.Url.Password!)}@{server.Url.Host}:{server.Url.Port}/shop");
        await Shop.SqlAsync("CREATE DATABASE shop", "postgres");
        await Shop.SqlAsync("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('b86d1e4f97c2'); CREATE TABLE generation AS SELECT 1 AS n");
        var made = await host.RunAsync("Backup", url);
        made.ExitCode.ShouldBe(0, made.Output + made.Error);
        await Shop.SqlAsync("UPDATE generation SET n = 2");
        await DeployAsync();
        var backup = Path.GetFileName(Directory.EnumerateDirectories(Path.Combine(host.Root, "artifacts", "backups")).Single(path => Path.GetFileName(path) != BackupCatalog.RecordsFolder));
        var rollback = $"Rollback {Named} --strategy Restore --backup {backup} --accept-lost-writes 10 --skip SmokeTest HealthCheck";

        // Whoever updates the database's row in pg_database waits for this transaction: the application is stopped by then, and the fence is not up yet.
        await using (var holder = await Shop.HoldAsync("SELECT FROM pg_database WHERE datname = 'shop' FOR UPDATE"))
        {
            await KilledAsync(host, rollback, url, "fence the live database");
        }

        (await ReplicasAsync()).ShouldBe(0);
        var status = await host.RunAsync($"Status {Named}", url);
        status.ExitCode.ShouldBe(5, status.Output + status.Error);
        status.Output.ShouldContain("deployment/api was stopped by run ", customMessage: status.Output);
        status.Output.ShouldContain("(it had 2), and that run is not at work any more. To put it back: ./build.sh StartApplication --target-environment Production");

        var started = await host.RunAsync($"StartApplication {Named}", url);
        started.ExitCode.ShouldBe(0, started.Output + started.Error);
        started.Output.ShouldContain("deployment/api: 2 replicas as before");
        (await ReplicasAsync()).ShouldBe(2);
        (await host.RunAsync($"StartApplication {Named}", url)).Output.ShouldContain("no run left anything stopped");

        await KilledAsync(host, rollback, url, "stop the application of production");
        var done = await host.RunAsync(rollback, url);

        done.ExitCode.ShouldBe(5, "it was not verified, since that was skipped: " + done.Output + done.Error);
        done.Output.ShouldContain("The application is back: deployment/api: 2 replicas as before");
        done.Output.ShouldContain("After this, aragora/api:latest runs on schema revision b86d1e4f97c2");
        (await ReplicasAsync()).ShouldBe(2);
        (await Shop.GenerationAsync()).ShouldBe(1);
    }

    private async Task DeployAsync()
    {
        var deployment = JsonNode.Parse("""
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "api"}}, "template": {"metadata": {"labels": {"app": "api"}},
             "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "api", "image": "aragora/api:latest", "imagePullPolicy": "IfNotPresent", "command": ["sleep", "3600"]}]}}}}
            """)!;
        await cluster!.Client.CustomObjects.CreateNamespacedCustomObjectAsync(deployment, "apps", "v1", @namespace, "deployments");
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while ((await DeploymentAsync())["status"]?["availableReplicas"]?.GetValue<int>() != 2)
        {
            await Task.Delay(200, patience.Token);
        }
    }

    private async Task<JsonObject> DeploymentAsync() => (await new ClusterObjects(cluster!).GetAsync(Deployments, @namespace, "api", CancellationToken.None))!;

    private async Task<int> ReplicasAsync() => (await DeploymentAsync())["spec"]!["replicas"]!.GetValue<int>();

    private async Task KilledAsync(HostProcess host, string arguments, (string Name, string? Value) variable, string act)
    {
        using var process = host.Start(arguments, variable);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var line = $"\"kind\":\"intent\",\"act\":{JsonSerializer.Serialize(act, RunbookJson.Line)}";
        while (!process.HasExited && !host.Journals(process.StartTime.ToUniversalTime()).Any(text => text.Contains(line, StringComparison.Ordinal)))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(2), patience.Token);
        }

        process.HasExited.ShouldBeFalse($"it ended before it came to: {act}");
        process.Kill();
        await process.WaitForExitAsync(patience.Token);
        await Shop.UntilGuardIsGoneAsync(patience.Token);
    }
}
