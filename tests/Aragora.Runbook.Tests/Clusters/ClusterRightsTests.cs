using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Kubernetes;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Tests.Migrations.Kubernetes;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Clusters;

public sealed partial class ClusterRightsTests(TestCluster cluster, RealServer server, ClusterDatabase database, ImageBuilder images) : IClassFixture<TestCluster>, IDisposable
{
    private readonly Servers.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_role_of_the_documentation_is_enough_to_migrate_and_for_preflight()
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(1));
        var text = await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(ClusterScenario.JobFile)!, "..", "..", "docs", "kubernetes.md"));
        var role = KubernetesYaml.LoadAllFromString(YamlBlock().Matches(text).Select(match => match.Groups["yaml"].Value).Single(yaml => yaml.Contains("kind: Role\n", StringComparison.Ordinal))).OfType<V1Role>().Single();
        using var limited = cluster.Connect(await cluster.RestrictedKubeconfigAsync(folder.Path, "documented", [.. role.Rules]));

        var rights = await KubernetesChecks.Rights(TargetEnvironment.Production, () => limited, migrates: true, new PortForwardTarget(IsService: true, "postgres", 5432)).Run(CancellationToken.None);
        var dryRun = await KubernetesChecks.DryRun(TargetEnvironment.Production, () => limited, () => scenario.Template, scenario.Options, "20261122T190455Z-3f9c", new LockBudget()).Run(CancellationToken.None);
        var result = await scenario.Migrator(runner: scenario.Runner(cluster: limited)).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None);

        rights.ShouldBeOfType<Finding.Ok>(rights.Text + rights.Next);
        dryRun.Text.ShouldContain("accepted by the server (dry run)");
        result.After.Revisions.ShouldBe(["r1000"]);
        (await scenario.JobsAsync()).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("jobs", "create", "create jobs.batch")]
    [InlineData("pods/log", "get", "get pods/log")]
    public async Task A_right_that_is_missing_is_named_by_preflight_and_by_the_migration(string resource, string verb, string named)
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(1));
        var account = $"without-{verb}-{resource.Replace('/', '-')}";
        using var limited = cluster.Connect(await cluster.RestrictedKubeconfigAsync(folder.Path, account, ClusterRights.Without(resource, verb)));

        var finding = await KubernetesChecks.Rights(TargetEnvironment.Production, () => limited, migrates: true, forward: null).Run(CancellationToken.None);
        var refusal = finding.ShouldBeOfType<Finding.Refusal>();
        refusal.Text.ShouldStartWith("missing in namespace");
        refusal.Text.ShouldEndWith(named);
        refusal.Next.ShouldContain($"--verb={verb} --resource={named.Split(' ')[1]} -n {cluster.Namespace}");

        var failure = await Should.ThrowAsync<RunbookException>(async () => await scenario.Migrator(runner: scenario.Runner(cluster: limited)).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None));
        failure.ExitCode.ShouldBe(ExitCodes.Refused);
        failure.Message.ShouldContain(named);
        failure.Message.ShouldContain(limited.Kubectl.Line($"auth can-i {named}"));
    }

    [Fact]
    public async Task A_namespace_that_is_not_there_and_a_field_that_is_not_valid_are_told_by_the_servers_own_words()
    {
        using var elsewhere = cluster.Connect(@namespace: "no-such-namespace");
        var job = new V1Job { Metadata = new V1ObjectMeta { Name = "a" }, Spec = new V1JobSpec { Template = new V1PodTemplateSpec { Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [new V1Container { Name = "a", Image = "i" }] } } } };

        var absent = await Should.ThrowAsync<KubernetesApiException>(() => new JobClient(elsewhere).CreateAsync(job, dryRun: true, CancellationToken.None));
        absent.What.ShouldStartWith("There is no namespace \"no-such-namespace\"");
        absent.ExitCode.ShouldBe(ExitCodes.BadInput);

        job.Spec.Template.Spec.RestartPolicy = "Always";
        var invalid = await Should.ThrowAsync<KubernetesApiException>(() => new JobClient(cluster.Cluster).CreateAsync(job, dryRun: true, CancellationToken.None));
        invalid.Kind.ShouldBe(ApiFailureKind.Invalid);
        invalid.Why.ShouldContain("spec.template.spec.restartPolicy");
    }

    [Fact]
    public async Task A_wrong_token_and_a_server_that_is_not_there_are_told_apart()
    {
        _ = cluster.Cluster;
        using var wrong = cluster.Connect(await TestCluster.KubeconfigWithTokenAsync(folder.Path, "wrong", "no-token-of-theirs"));
        using var nowhere = cluster.Connect(await TestCluster.WriteKubeconfigAsync(folder.Path, "nowhere", "https://127.0.0.1:1", user: null));

        var refused = await Should.ThrowAsync<KubernetesApiException>(() => new JobClient(wrong).FindAsync("a", CancellationToken.None));
        var unreachable = await Should.ThrowAsync<KubernetesApiException>(() => new JobClient(nowhere).FindAsync("a", CancellationToken.None));

        (refused.Kind, unreachable.Kind).ShouldBe((ApiFailureKind.Unauthorized, ApiFailureKind.Unreachable));
        refused.Message.ShouldNotContain("no-token-of-theirs");
        unreachable.What.ShouldBe("The Kubernetes API at https://127.0.0.1:1 cannot be reached.");
        unreachable.Why.ShouldBe("nothing listens there");
    }

    [Fact]
    public async Task A_credential_plugin_is_asked_again_where_its_token_is_refused()
    {
        var token = Path.Combine(folder.Path, "plugin-token");
        await File.WriteAllTextAsync(token, "expired");
        var plugin = Path.Combine(folder.Path, "plugin.sh");
        TestFolders.Script(plugin, $"#!/bin/sh\nprintf '{{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"%s\"}}}}' \"$(cat {token})\"\n");

        await cluster.RestrictedKubeconfigAsync(folder.Path, "by-plugin", ClusterRights.Needed);
        using var limited = cluster.Connect(await TestCluster.WriteKubeconfigAsync(folder.Path, "plugin", server: null, "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin.sh, interactiveMode: Never}}"));
        (await Should.ThrowAsync<KubernetesApiException>(() => new JobClient(limited).FindAsync("a", CancellationToken.None))).Kind.ShouldBe(ApiFailureKind.Unauthorized);

        await File.WriteAllTextAsync(token, await cluster.TokenOfAsync("by-plugin"));

        (await new JobClient(limited).FindAsync("a", CancellationToken.None)).ShouldBeNull();
    }

    [GeneratedRegex("```yaml\n(?<yaml>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex YamlBlock();
}
