using Aragora.Runbook.Migrations.Kubernetes;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Clusters;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Kubernetes;

/// <summary>Each failure is provoked in a real cluster, and told apart quickly.</summary>
public sealed class JobFailureTests(TestCluster cluster, RealServer server, ClusterDatabase database, ImageBuilder images) : IClassFixture<TestCluster>
{
    // On a busy machine; the patience that would end these waits otherwise is ten minutes and an hour.
    private static readonly TimeSpan Quickly = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task An_image_that_cannot_be_pulled_is_named()
    {
        var scenario = await NewAsync();
        var refusal = await RefusedAsync(scenario, scenario.Options with { Image = "registry.invalid/aragora/none:1" });

        refusal.What.ShouldBe("The image registry.invalid/aragora/none:1 cannot be pulled.");
        refusal.Why.ShouldContain("ErrImagePull");
        refusal.Next.ShouldContain("--migration-image");
    }

    [Fact]
    public async Task A_name_that_is_no_image_is_told()
    {
        var scenario = await NewAsync();
        var refusal = await RefusedAsync(scenario, scenario.Options with { Image = "Not/An:Image:Name" });

        refusal.Why.ShouldContain("InvalidImageName");
    }

    [Fact]
    public async Task A_secret_that_is_not_there_is_named()
    {
        var scenario = await NewAsync();
        var refusal = await RefusedAsync(scenario, scenario.Options with { Secret = "no-such-secret" });

        refusal.What.ShouldContain("what it takes its settings from is not there");
        refusal.Why.ShouldContain("secret \"no-such-secret\" not found");
        refusal.Next.ShouldContain("--migration-secret");
    }

    [Fact]
    public async Task A_service_account_that_is_not_there_is_named()
    {
        var scenario = await NewAsync();
        var refusal = await RefusedAsync(scenario, scenario.Options with { ServiceAccount = "nobody" });

        refusal.What.ShouldStartWith("The service account of the Job aragora-migration-production-");
        refusal.Why.ShouldContain("serviceaccount \"nobody\" not found");
    }

    [Fact]
    public async Task What_no_node_can_hold_is_told_in_the_schedulers_words()
    {
        var scenario = await NewAsync();
        var refusal = await RefusedAsync(scenario, scenario.Options with { Cpu = "500" });

        refusal.What.ShouldContain("No node takes the pod");
        refusal.Why.ShouldContain("Insufficient cpu");
    }

    [Fact]
    public async Task A_command_that_is_not_in_the_image_is_told()
    {
        var scenario = await NewAsync();
        using var folder = new Servers.TemporaryFolder();
        var file = await JobFileAsync(folder, "[\"alembic\", \"upgrade\", \"head\"]", "[\"/no/such/program\", \"upgrade\", \"head\"]");
        var failure = await FailedAsync(scenario, scenario.Options with { JobFile = file });

        failure.What.ShouldContain("cannot be run in its image");
        failure.Why.ShouldContain("/no/such/program");
        failure.Why.ShouldContain("unchanged, at base");
    }

    [Fact]
    public async Task Memory_that_ran_out_is_told_with_its_limit()
    {
        var scenario = await NewAsync("hoard = []\nwhile True:\n    hoard.append(bytearray(10_000_000))");
        var failure = await FailedAsync(scenario, scenario.Options with { Memory = "100Mi" });

        failure.What.ShouldContain("out of memory");
        failure.Why.ShouldContain("its limit is 100Mi");
        failure.Next.ShouldContain("--migration-memory");
    }

    [Fact]
    public async Task A_signal_that_ended_alembic_is_told_with_its_last_lines()
    {
        var scenario = await NewAsync("import os, signal\nprint('just before', flush=True)\nos.kill(os.getpid(), signal.SIGKILL) if os.getpid() != 1 else os.abort()");
        var failure = await FailedAsync(scenario, scenario.Options);

        failure.Why.ShouldContain("exit code 13");
        failure.Why.ShouldContain("just before");
        failure.Why.ShouldContain("unchanged, at base");
    }

    [Fact]
    public async Task An_error_of_alembic_itself_is_alembics_and_its_job_stays_to_be_read()
    {
        var scenario = await NewAsync("raise ValueError('no luck today')");
        var failure = await FailedAsync(scenario, scenario.Options);

        failure.What.ShouldStartWith("migrate production failed in r1000");
        failure.Why.ShouldContain("no luck today");
        (await scenario.JobsAsync()).ShouldContain(job => job.Metadata.Name.EndsWith(scenario.Run.RunId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_deadline_that_passed_is_told_as_one()
    {
        var scenario = await NewAsync("time.sleep(300)");
        var failure = await FailedAsync(scenario, scenario.Options with { Deadline = TimeSpan.FromSeconds(6) });

        failure.What.ShouldContain("was ended by its deadline");
        failure.Why.ShouldContain("longer than 00:00:06");
        failure.Next.ShouldContain("--migration-deadline");
    }

    [Fact]
    public async Task An_eviction_is_told_as_one_and_no_second_pod_migrates_unguarded()
    {
        var scenario = await NewAsync("print('at work', flush=True)\ntime.sleep(300)");
        var migration = FailedAsync(scenario, scenario.Options);
        var pod = await PodAtWorkAsync(scenario, migration);

        await cluster.Cluster.Client.CoreV1.CreateNamespacedPodEvictionAsync(new V1Eviction { Metadata = new V1ObjectMeta { Name = pod.Metadata.Name }, ApiVersion = "policy/v1beta1" }, pod.Metadata.Name, cluster.Namespace);
        var failure = await migration;

        failure.What.ShouldContain("was evicted");
        (await scenario.JobsAsync()).ShouldNotContain(job => job.Metadata.Name.EndsWith(scenario.Run.RunId, StringComparison.Ordinal));
        (await PodsAsync(scenario)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_somebody_deleted_is_told_as_deleted()
    {
        var scenario = await NewAsync("print('at work', flush=True)\ntime.sleep(300)");
        var migration = FailedAsync(scenario, scenario.Options);
        await PodAtWorkAsync(scenario, migration);

        await cluster.Cluster.Client.BatchV1.DeleteNamespacedJobAsync(Name(scenario), cluster.Namespace, propagationPolicy: "Background");
        var failure = await migration;

        failure.What.ShouldContain($"Somebody deleted the Job {Name(scenario)}.");
    }

    private static string Name(ClusterScenario scenario) => $"aragora-migration-production-{scenario.Run.RunId}";

    private static async Task<string> JobFileAsync(Servers.TemporaryFolder folder, string before, string after)
    {
        var file = Path.Combine(folder.Path, "job.yaml");
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(ClusterScenario.JobFile)).Replace(before, after, StringComparison.Ordinal));
        return file;
    }

    private Task<ClusterScenario> NewAsync(string upgrade = "op.execute('CREATE TABLE t1 (id int)')") =>
        ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.Add("r1000", null, upgrade));

    private async Task<IReadOnlyList<V1Pod>> PodsAsync(ClusterScenario scenario) => [.. (await cluster.Cluster.Client.CoreV1.ListNamespacedPodAsync(cluster.Namespace, labelSelector: $"job-name={Name(scenario)}")).Items];

    private async Task<V1Pod> PodAtWorkAsync(ClusterScenario scenario, Task migration)
    {
        V1Pod? found = null;
        await TestCluster.UntilAsync("a pod runs", async () => (found = (await PodsAsync(scenario)).FirstOrDefault(pod => pod.Status.ContainerStatuses?[0].State.Running is not null)) is not null, migration);
        return found!;
    }

    /// <summary>Before anything moves: the Job that looks into the image meets it.</summary>
    private static async Task<RefusedException> RefusedAsync(ClusterScenario scenario, KubernetesRunnerOptions options)
    {
        var started = TimeProvider.System.GetTimestamp();
        var refusal = await Should.ThrowAsync<RefusedException>(async () => await scenario.Migrator(runner: scenario.Runner(options: options)).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None));
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(Quickly);
        refusal.Message.ShouldContain("Nothing was moved");
        refusal.Message.ShouldNotContain(scenario.Environment.Database.Password!);
        (await scenario.JobsAsync()).ShouldNotContain(job => job.Metadata.Name.EndsWith(scenario.Run.RunId, StringComparison.Ordinal));
        return refusal;
    }

    /// <summary>While it moves.</summary>
    private static async Task<FailedCleanException> FailedAsync(ClusterScenario scenario, KubernetesRunnerOptions options)
    {
        var started = TimeProvider.System.GetTimestamp();
        var failure = await Should.ThrowAsync<FailedCleanException>(async () => await scenario.Migrator(runner: scenario.Runner(options: options)).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None));
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(Quickly);
        failure.Message.ShouldNotContain(scenario.Environment.Database.Password!);
        return failure;
    }
}
