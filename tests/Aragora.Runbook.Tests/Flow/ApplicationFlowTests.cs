using Aragora.Runbook.Applications;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Flow;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Applications;
using Aragora.Runbook.Verification;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Flow;

public sealed class ApplicationFlowTests(RealServer server)
{
    private static readonly DateTimeOffset Then = new(2026, 11, 25, 2, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_is_at_0_without_a_note_is_not_green_and_is_told_to_be_started_by_hand()
    {
        var stopped = new ScriptedPart("deployment/api", 0);
        var running = new ScriptedPart("deployment/worker");

        var told = await Should.ThrowAsync<NeedsPersonException>(StartAsync(running, stopped));

        told.What.ShouldBe("deployment/api is at 0, and no note says who stopped it, or from which number.");
        told.Next.ShouldContain("start it by hand with the number that it should have");
        (running.Replicas, stopped.Replicas).ShouldBe((2, 0), "nobody knows from which number");
    }

    [Fact]
    public async Task Every_part_at_0_without_a_note_is_named()
    {
        var told = await Should.ThrowAsync<NeedsPersonException>(StartAsync(new ScriptedPart("deployment/api", 0), new ScriptedPart("statefulset/worker", 0)));

        told.What.ShouldStartWith("deployment/api, statefulset/worker is at 0, and no note");
    }

    [Fact]
    public async Task What_runs_is_green()
    {
        (await StartAsync(new ScriptedPart("deployment/api"))).Value.ShouldBe("no run left anything stopped");
    }

    [Fact]
    public async Task What_a_dead_run_noted_is_put_back_and_is_green()
    {
        var stopped = new ScriptedPart("deployment/api", 0) { Note = new StopNote("dead", Then, 3) };

        (await StartAsync(stopped)).Value.ShouldBe("deployment/api: 3 as before");

        stopped.Replicas.ShouldBe(3);
    }

    [Fact]
    public async Task A_part_that_is_gone_keeps_no_other_one_away_and_is_for_a_person()
    {
        var gone = new ScriptedPart("deployment/gone") { OnLook = new RefusedException("There is no deployment/gone.", "it is named", "look") };
        var stopped = new ScriptedPart("deployment/api", 0) { Note = new StopNote("dead", Then, 3) };

        var told = await Should.ThrowAsync<NeedsPersonException>(StartAsync(gone, stopped));

        stopped.Replicas.ShouldBe(3);
        told.Why.ShouldStartWith("deployment/gone: There is no deployment/gone.");
        (await Should.ThrowAsync<RefusedException>(StartAsync(gone))).What.ShouldBe("There is no deployment/gone.");
    }

    [Fact]
    public async Task Before_a_rollback_what_a_dead_run_stopped_is_put_back_and_what_was_left_so_on_purpose_is_not()
    {
        var gone = new ScriptedPart("deployment/gone") { OnLook = new RefusedException("There is no deployment/gone.", "it is named", "look") };
        var died = new ScriptedPart("deployment/died", 0) { Note = new StopNote("dead", Then, 3) };
        var left = new ScriptedPart("deployment/left", 0) { Note = new StopNote("dead", Then, 3, "nobody knows what it is") };
        var (flow, production) = await FlowAsync(gone, died, left);

        await flow.PutBackLeftoversAsync(production, CancellationToken.None);

        (died.Replicas, left.Replicas).ShouldBe((3, 0));
    }

    private async Task<StepFact> StartAsync(params IReadOnlyList<IApplicationPart> parts)
    {
        var (flow, _) = await FlowAsync(parts);
        return await flow.StartAsync(CancellationToken.None);
    }

    private async Task<(ApplicationFlow Flow, DatabaseEnvironment Production)> FlowAsync(params IReadOnlyList<IApplicationPart> parts)
    {
        var production = await server.NewDatabaseAsync();
        var run = RealServer.NewRun();
        var options = new RunbookOptions
        {
            Scheduled = new HashSet<string>(["StartApplication"], StringComparer.Ordinal),
            Named = new HashSet<string>(["StartApplication"], StringComparer.Ordinal),
            TargetEnvironment = TargetEnvironment.Production,
            Backup = new BackupOptions(),
            Migrator = new MigratorOptions(),
            SmokeTest = new SmokeTestOptions(),
            HealthCheck = new HealthCheckOptions(),
        };
        var flow = new ApplicationFlow(run, options, new RunbookEnvironments([production], null!, run.Log), environment => new ApplicationControl(run, environment, parts, ClusterBench.Quick));
        return (flow, production);
    }
}
