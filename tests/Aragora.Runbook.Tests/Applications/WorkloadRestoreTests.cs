using Aragora.Runbook.Applications;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>A real cluster, real pods with real sessions, a real restore.</summary>
public sealed class WorkloadRestoreTests(LabDatabase database)
{
    [Theory]
    [InlineData("Deployment")]
    [InlineData("StatefulSet")]
    public async Task A_workload_goes_from_two_to_none_and_back_to_two_around_a_restore(string kind)
    {
        await using var bench = await ClusterBench.NewAsync();
        var shop = await ApplicationScenario.NewAsync(database);
        await bench.ApplicationAsync(kind, "api", 2, LabDatabase.Dsn(shop.Environment));
        (await shop.ApplicationSessionsAsync()).ShouldBe(2);
        var name = $"{kind.ToLowerInvariant()}/api";

        var result = await shop.RestoreAsync([bench.Workload(shop.Run, name)]);

        (await shop.GenerationAsync()).ShouldBe(1);
        (await bench.ReplicasAsync(kind, "api")).ShouldBe(2);
        (await bench.IsReadyAsync(kind, "api")).ShouldBeTrue("it was waited for");
        (await bench.NotesAsync(ClusterBench.Resource(kind), "api")).ShouldBeEmpty();
        (await shop.ApplicationSessionsAsync()).ShouldBe(2, "each pod is ready when it has a session in the restored database");
        var facts = shop.Run.Evidence.ReadAll().Accepted.Single(record => record.Kind == EvidenceKinds.Rollback).FactsAs<RestoreFacts>().Application!;
        facts.Parts.ShouldHaveSingleItem().ShouldBe(new StoppedPart(name, facts.Parts[0].Images, 2, "2 replicas as before"));
        facts.Parts[0].Images.ShouldBe(["aragora/api:latest"]);
        facts.Unavailable.ShouldBeGreaterThan(facts.StopTook + result.Facts.Unavailable);
        facts.StartTook.ShouldBeLessThan(facts.Unavailable);
        var acts = JournalReader.Read(shop.Run.Journal.Path).Acts.Select(act => act.Act).ToList();
        acts.IndexOf("compare the copy with the backup's manifest").ShouldBeLessThan(acts.IndexOf("stop the application of production"), "it runs on while the copy is restored");
        acts.IndexOf("stop the application of production").ShouldBeLessThan(acts.IndexOf("fence the live database"));
        acts.IndexOf("exchange the live database for the restored copy").ShouldBeLessThan(acts.IndexOf("start the application of production"));
        TestContext.Current.SendDiagnosticMessage("{0}: stop {1}, fence {2}, start {3}, away {4}", kind, facts.StopTook, result.Facts.Unavailable, facts.StartTook, facts.Unavailable);
    }

    [Fact]
    public async Task A_restore_that_refuses_behind_the_fence_puts_the_application_back()
    {
        await using var bench = await ClusterBench.NewAsync();
        var shop = await ApplicationScenario.NewAsync(database);
        await bench.ApplicationAsync("Deployment", "api", 2, LabDatabase.Dsn(shop.Environment));
        var writing = new WritesBehind(bench.Workload(shop.Run, "deployment/api"), () => RealServer.SqlAsync(shop.Environment, "INSERT INTO generation VALUES (3)"));

        await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync([writing]));

        (await shop.GenerationAsync()).ShouldBe(2);
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(2);
        (await bench.IsReadyAsync("Deployment", "api")).ShouldBeTrue();
        shop.Lines.ShouldContain(line => line.StartsWith("The application is back: \"deployment/api\": 2 replicas as before", StringComparison.Ordinal) || line.StartsWith("The application is back: deployment/api: 2 replicas as before", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_restore_that_nobody_can_vouch_for_leaves_the_application_stopped_and_says_how_to_start_it()
    {
        await using var bench = await ClusterBench.NewAsync();
        var shop = await ApplicationScenario.NewAsync(database);
        await bench.ApplicationAsync("Deployment", "api", 2, LabDatabase.Dsn(shop.Environment));

        // Between the exchange and the reading back somebody moves the restored database on.
        var failure = await Should.ThrowAsync<NeedsPersonException>(() => shop.RestoreAsync([bench.Workload(shop.Run, "deployment/api")], moved: () => RealServer.SqlAsync(shop.Environment, "UPDATE alembic_version SET version_num = 'r9'")));

        failure.Why.ShouldContain("The application is stopped, and stays so: deployment/api (it had 2)");
        failure.Next.ShouldContain("./build.sh StartApplication --target-environment Production");
        failure.Next.ShouldContain(bench.Cluster.Kubectl.Line("scale deployment/api --replicas 2"));
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(0);
        (await bench.NotesAsync(ClusterBench.Resource("Deployment"), "api")).Count.ShouldBe(4, "one of them says that it was left so");
    }

    [Fact]
    public async Task A_cancelled_restore_puts_the_application_back_and_does_not_hurry_it()
    {
        await using var bench = await ClusterBench.NewAsync();
        var shop = await ApplicationScenario.NewAsync(database);
        await bench.ApplicationAsync("Deployment", "api", 2, LabDatabase.Dsn(shop.Environment));
        using var cancelling = new CancellationTokenSource();
        var stopping = new WritesBehind(bench.Workload(shop.Run, "deployment/api"), () => Task.CompletedTask) { Stopped = cancelling.Cancel };

        await Should.ThrowAsync<OperationCanceledException>(() => shop.RestoreAsync([stopping], cancellation: cancelling.Token));

        (await shop.GenerationAsync()).ShouldBe(2);
        (await bench.ReplicasAsync("Deployment", "api")).ShouldBe(2);
        (await bench.IsReadyAsync("Deployment", "api")).ShouldBeTrue();
        (await bench.NotesAsync(ClusterBench.Resource("Deployment"), "api")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_session_that_is_not_the_applications_is_named_and_left_to_the_fence()
    {
        await using var bench = await ClusterBench.NewAsync();
        var shop = await ApplicationScenario.NewAsync(database);
        await bench.ApplicationAsync("Deployment", "api", 1, LabDatabase.Dsn(shop.Environment));
        await using var person = await Aragora.Runbook.Adapters.Postgres.PostgresSession.OpenAsync(shop.Environment, "psql");
        var told = $"Still in the database, and not of the application's instances: pid {person.ProcessId} (psql, role postgres";

        await shop.RestoreAsync([bench.Workload(shop.Run, "deployment/api")]);

        shop.Lines.ShouldContain(line => line.StartsWith(told, StringComparison.Ordinal));
        (await shop.GenerationAsync()).ShouldBe(1);
    }

    /// <summary>Something happens while the application stops.</summary>
    private sealed class WritesBehind(IApplicationPart part, Func<Task> write) : IApplicationPart
    {
        public Action? Stopped { get; init; }

        public string Name => part.Name;

        public string StartingCommand(int replicas) => part.StartingCommand(replicas);

        public Task<PartSeen> LookAsync(CancellationToken cancellation) => part.LookAsync(cancellation);

        public Task RequireStoppableAsync(CancellationToken cancellation) => part.RequireStoppableAsync(cancellation);

        public async Task<int> StopAsync(PartSeen seen, string runId, DateTimeOffset at, CancellationToken cancellation)
        {
            await write();
            var replicas = await part.StopAsync(seen, runId, at, cancellation);
            Stopped?.Invoke();
            return replicas;
        }

        public Task LeaveAsync(string runId, string why, CancellationToken cancellation) => part.LeaveAsync(runId, why, cancellation);

        public Task<PartRemains> RemainsAsync(CancellationToken cancellation) => part.RemainsAsync(cancellation);

        public Task<string?> StartAsync(string runId, CancellationToken cancellation) => part.StartAsync(runId, cancellation);

        public Task<PartRollout> RolloutAsync(CancellationToken cancellation) => part.RolloutAsync(cancellation);
    }
}
