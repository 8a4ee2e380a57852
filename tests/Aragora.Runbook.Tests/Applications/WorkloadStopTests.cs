using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>A real cluster: what happens to a Deployment, and what others do to it meanwhile.</summary>
public sealed class WorkloadStopTests(RealServer server)
{
    private const string Api = "deployment/api";
    private static readonly ClusterResource Deployments = ClusterBench.Resource("Deployment");

    [Fact]
    public async Task A_run_that_dies_leaves_its_note_and_a_later_run_puts_its_number_back()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 2, dsn: null);
        var dead = scenario.NewRun();
        await scenario.StopAsync(scenario.Control(dead, bench.Workload(dead, Api)), dead);

        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(0);
        (await bench.NotesAsync(Deployments, "api")).ShouldBe(["aragora.build/replicas", "aragora.build/stopped-at", "aragora.build/stopped-by"], ignoreOrder: true);
        var later = scenario.NewRun();
        var put = await scenario.Control(later, bench.Workload(later, Api)).PutBackAsync(isAsked: true, waits: true, CancellationToken.None);

        put.Failure.ShouldBeNull();
        put.Done[Api].ShouldBe("2 replicas as before");
        (await bench.IsReadyAsync("Deployment", "api")).ShouldBeTrue();
        (await bench.NotesAsync(Deployments, "api")).ShouldBeEmpty();
        scenario.Log().ShouldContain($"was stopped by run \"{dead.RunId}\", which died");
    }

    [Fact]
    public async Task A_run_that_stops_what_a_dead_one_stopped_keeps_the_first_number()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 2, dsn: null);
        var dead = scenario.NewRun();
        await scenario.StopAsync(scenario.Control(dead, bench.Workload(dead, Api)), dead);
        var later = scenario.NewRun();
        var control = scenario.Control(later, bench.Workload(later, Api));

        await scenario.StopAsync(control, later);
        var facts = await control.StartAsync();

        facts!.Failure.ShouldBeNull();
        facts.Parts.ShouldHaveSingleItem().Replicas.ShouldBe(2, "and not the 0 that it found");
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(2);
    }

    [Fact]
    public async Task What_is_at_zero_already_stays_so_and_what_was_scaled_by_hand_meanwhile_is_kept()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 0, dsn: null);
        var first = scenario.NewRun();
        var control = scenario.Control(first, bench.Workload(first, Api));

        await scenario.StopAsync(control, first);

        control.IsStopped.ShouldBeFalse();
        (await control.StartAsync()).ShouldBeNull();
        (await bench.NotesAsync(Deployments, "api")).ShouldBeEmpty();
        scenario.Log().ShouldContain("\"deployment/api\" is at 0 already, and stays so");

        await bench.PatchAsync(Deployments, "api", """{"spec": {"replicas": 1}}""");
        await ClusterBench.UntilAsync(() => bench.IsReadyAsync("Deployment", "api"), "one is ready");
        var second = scenario.NewRun();
        control = scenario.Control(second, bench.Workload(second, Api));
        await scenario.StopAsync(control, second);
        await bench.ScaleAsync("api", 3, "kubectl-edit");

        var facts = await control.StartAsync();

        facts!.Failure.ShouldBeNull();
        facts.Parts[0].PutBack.ShouldBe("3 replicas, as kubectl-edit set them meanwhile (before: 1)");
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(3);
        (await bench.NotesAsync(Deployments, "api")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Somebody_who_starts_it_again_is_named_at_once_and_the_number_is_put_back()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 2, dsn: null);
        await using var controller = new FakeController(bench, "api", 2, "kustomize-controller");
        var run = scenario.NewRun();
        var control = scenario.Control(run, bench.Workload(run, Api));

        var failure = await Should.ThrowAsync<FailedCleanException>(() => scenario.StopAsync(control, run));
        await control.StartAsync();

        failure.What.ShouldBe("deployment/api was started again while it was to stop.");
        failure.Why.ShouldBe("it was scaled to 2 by Flux (kustomize-controller)");
        failure.Next.ShouldContain("--suspend-gitops");
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(2);
        (await bench.NotesAsync(Deployments, "api")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pod_that_does_not_end_is_named_at_the_deadline()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 1, dsn: null);

        // It gets its time to end from the pod, and does not listen.
        await bench.PatchAsync(Deployments, "api", """{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}, "template": {"spec": {"terminationGracePeriodSeconds": 40, "containers": [{"name": "api", "image": "aragora/api:latest", "imagePullPolicy": "IfNotPresent", "command": ["sleep", "3600"]}]}}}}""");
        await ClusterBench.UntilAsync(() => bench.IsReadyAsync("Deployment", "api"), "it is ready");
        var run = scenario.NewRun();
        var control = scenario.Control(run, bench.Workload(run, Api), ClusterBench.Quick with { Timeout = TimeSpan.FromSeconds(3) });

        var failure = await Should.ThrowAsync<FailedCleanException>(() => scenario.StopAsync(control, run));

        failure.What.ShouldStartWith("The application did not stop: api-");
        failure.Next.ShouldContain("--application-timeout");
        await control.StartAsync();
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(1);
    }

    [Fact]
    public async Task An_application_that_does_not_come_back_says_why()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 1, dsn: null);
        var run = scenario.NewRun();
        var control = scenario.Control(run, bench.Workload(run, Api), ClusterBench.Quick with { Timeout = TimeSpan.FromSeconds(40) });
        await scenario.StopAsync(control, run);
        await bench.PatchAsync(Deployments, "api", """{"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "aragora/api:no-such-tag", "imagePullPolicy": "Never"}]}}}}""");

        var facts = await control.StartAsync();

        facts!.Failure.ShouldNotBeNull().ShouldContain("container api: ErrImageNeverPull");
        facts.Failure.ShouldStartWith("deployment/api: 0 of 1 are ready after");
        var told = control.NotBack(facts, null);
        told.Next.ShouldContain("./build.sh StartApplication --target-environment Production");
        told.Next.ShouldContain(bench.Cluster.Kubectl.Line("scale deployment/api --replicas 1"));
    }

    [Fact]
    public async Task What_was_left_stopped_on_purpose_is_started_by_a_restore_that_succeeds_and_by_no_other_run_unasked()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 1, dsn: null);
        var (leaving, passing, failing, restoring) = (scenario.NewRun(), scenario.NewRun(), scenario.NewRun(), scenario.NewRun());
        ApplicationControl Of(RunContext run) => scenario.Control(run, bench.Workload(run, Api), ClusterBench.Quick with { Switches = " --production-application deployment/api" });

        var first = Of(leaving);
        await scenario.StopAsync(first, leaving);
        var said = await first.LeaveStoppedAsync(new NeedsPersonException("Nobody knows what it is.", "it was not seen", "look"));

        said.Next.ShouldContain("when the database is as it should be: ./build.sh StartApplication --target-environment Production --production-application deployment/api, or by hand: ");
        (await Of(passing).PutBackAsync(isAsked: false, waits: true, CancellationToken.None)).Done.ShouldBeEmpty();
        scenario.Log().ShouldContain($"was left stopped on purpose by run \"{leaving.RunId}\"");
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(0);

        var failed = Of(failing);
        await scenario.StopAsync(failed, failing);
        (await failed.ReturnAsync()).ShouldBeNull();
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(0, "the database is what it was");
        (await Of(passing).LookAsync(CancellationToken.None)).ShouldHaveSingleItem().Note.ShouldNotBeNull().ShouldSatisfyAllConditions(note => note.LeftBecause.ShouldBe("Nobody knows what it is."), note => note.Replicas.ShouldBe(1));

        var restored = Of(restoring);
        await scenario.StopAsync(restored, restoring);
        (await restored.StartAsync())!.Failure.ShouldBeNull();
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(1);
        (await bench.NotesAsync(Deployments, "api")).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_left_stopped_and_a_person_started_by_hand_runs_again_after_a_restore_that_fails()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 1, dsn: null);
        var (leaving, failing) = (scenario.NewRun(), scenario.NewRun());
        var first = scenario.Control(leaving, bench.Workload(leaving, Api));
        await scenario.StopAsync(first, leaving);
        await first.LeaveStoppedAsync(new NeedsPersonException("Nobody knows what it is.", "it was not seen", "look"));
        await bench.ScaleAsync("api", 1, "kubectl-edit");

        var second = scenario.Control(failing, bench.Workload(failing, Api));
        await scenario.StopAsync(second, failing);
        (await bench.NotesAsync(Deployments, "api")).Count.ShouldBe(3, "it was started since, and is to be started again, also by a later run");
        (await second.ReturnAsync())!.Failure.ShouldBeNull();

        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(1);
        (await bench.NotesAsync(Deployments, "api")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Status_calls_a_person_for_what_is_stopped_with_nobody_at_work_to_start_it()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 1, dsn: null);
        var (dead, looking) = (scenario.NewRun(), scenario.NewRun());
        Task<NeedsPersonException?> LookAsync() => new ApplicationStatus(looking).ShowAsync(scenario.Environment, _ => scenario.Control(looking, bench.Workload(looking, Api)), CancellationToken.None);
        (await LookAsync()).ShouldBeNull();
        var control = scenario.Control(dead, bench.Workload(dead, Api));
        await scenario.StopAsync(control, dead);

        (await LookAsync()).ShouldNotBeNull().ShouldSatisfyAllConditions(
            stopped => stopped.What.ShouldBe("The application of production is stopped: deployment/api."),
            stopped => stopped.Why.ShouldEndWith("and that run is not at work any more"),
            stopped => stopped.Next.ShouldBe("./build.sh StartApplication --target-environment Production"));
        await control.LeaveStoppedAsync(new NeedsPersonException("Nobody knows what it is.", "it was not seen", "look"));
        (await LookAsync()).ShouldNotBeNull().Why.ShouldEndWith("which left it so on purpose: Nobody knows what it is.");
        await bench.ScaleAsync("api", 1, "kubectl-edit");
        (await LookAsync()).ShouldBeNull("it runs, and only bears the note");
    }

    [Fact]
    public async Task A_horizontal_autoscaler_is_left_alone_and_said()
    {
        await using var bench = await ClusterBench.NewAsync();
        var scenario = await StopScenario.NewAsync(server);
        await bench.ApplicationAsync("Deployment", "api", 2, dsn: null);
        var scalers = new ClusterResource("autoscaling", "v1", "horizontalpodautoscalers");
        await bench.CreateAsync(scalers, """{"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "api"}, "spec": {"minReplicas": 2, "maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}}}""");
        var run = scenario.NewRun();
        var control = scenario.Control(run, bench.Workload(run, Api));
        await control.RequireStoppableAsync(CancellationToken.None);
        var before = (await bench.GetAsync(scalers, "api"))["spec"]!.ToJsonString();

        await scenario.StopAsync(control, run);
        var facts = await control.StartAsync();

        facts!.Failure.ShouldBeNull();
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(2);
        (await bench.GetAsync(scalers, "api"))["spec"]!.ToJsonString().ShouldBe(before);
        scenario.Log().ShouldContain("the HorizontalPodAutoscaler \"api\" is left alone");
    }

    [Fact]
    public async Task What_is_not_there_is_refused_by_name()
    {
        await using var bench = await ClusterBench.NewAsync();
        var run = RealServer.NewRun();

        var refusal = await Should.ThrowAsync<RefusedException>(() => bench.Workload(run, "statefulset/nothing").RequireStoppableAsync(CancellationToken.None));

        refusal.What.ShouldStartWith($"There is no statefulset/nothing in the namespace {bench.Namespace} of");
        refusal.Next.ShouldBe(bench.Cluster.Kubectl.Line("get statefulsets"));
    }
}
