using Aragora.Runbook.Applications;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>What nobody expected happens while an application is put back: it hides neither the other parts nor itself.</summary>
public sealed class ApplicationStartTests(RealServer server)
{
    private readonly ScriptedPart first = new("deployment/first");
    private readonly ScriptedPart last = new("deployment/last", 3);

    [Fact]
    public async Task A_part_that_throws_what_nobody_expected_keeps_no_other_from_being_put_back_and_is_told()
    {
        var broken = new ScriptedPart("deployment/broken") { OnStart = new InvalidOperationException("the answer was no JSON") };

        var (facts, control, log) = await StopAndStartAsync(first, broken, last);

        (first.Replicas, broken.Replicas, last.Replicas).ShouldBe((2, 0, 3));
        facts.Failure.ShouldBe("the answer was no JSON");
        facts.Parts.Select(part => (part.Name, part.PutBack)).ShouldBe([("deployment/first", "2 as before"), ("deployment/broken", null), ("deployment/last", "3 as before")]);
        log.ShouldContain("\"deployment/broken\" could not be put back");
        log.ShouldNotContain("The application is back");
        control.NotBack(facts, null).ShouldSatisfyAllConditions(
            told => told.What.ShouldContain("is not back: the answer was no JSON"),
            told => told.Next.ShouldContain("start deployment/broken 2"));
    }

    [Fact]
    public async Task Several_that_throw_are_all_told()
    {
        var (facts, _, _) = await StopAndStartAsync(
            new ScriptedPart("deployment/one") { OnStart = new InvalidOperationException("one is broken") },
            new ScriptedPart("deployment/two") { OnStart = new FormatException("two is broken, too") },
            last);

        last.Replicas.ShouldBe(3);
        facts.Failure.ShouldBe("one is broken; two is broken, too");
    }

    [Fact]
    public async Task A_rollout_that_cannot_be_asked_for_is_told_at_once_and_the_others_are_awaited_all_the_same()
    {
        var broken = new ScriptedPart("deployment/broken") { OnRollout = new InvalidOperationException("the answer was no JSON") };
        var later = new ScriptedPart("deployment/later") { OnRollout = new PartException("it is gone", isTransient: false) };

        var (facts, _, log) = await StopAndStartAsync(broken, later, last);

        (broken.Replicas, later.Replicas, last.Replicas).ShouldBe((2, 2, 3));
        facts.Failure.ShouldNotBeNull().ShouldMatch("^deployment/broken: 0 of 0 are ready after .*: the answer was no JSON; deployment/later: 0 of 0 are ready after .*: it is gone$");
        facts.Parts.Select(part => part.PutBack).ShouldBe(["2 as before", "2 as before", "3 as before"]);
        log.ShouldContain("\"deployment/broken\" is put back (2 as before), and is not ready");
    }

    [Fact]
    public async Task A_part_that_cannot_be_noted_as_left_stopped_hides_no_other_and_is_named()
    {
        var broken = new ScriptedPart("deployment/broken") { OnLeave = new InvalidOperationException("the answer was no JSON") };
        var scenario = await StopScenario.NewAsync(server);
        var run = scenario.NewRun();
        var control = new ApplicationControl(run, scenario.Environment, [broken, last], ClusterBench.Quick);
        await scenario.StopAsync(control, run);

        var told = await control.LeaveStoppedAsync(new NeedsPersonException("Nobody knows what it is.", "it was not seen", "look"));

        last.Note.ShouldNotBeNull().LeftBecause.ShouldBe("Nobody knows what it is.");
        told.Why.ShouldContain("The application is stopped, and stays so: deployment/broken (it had 2), deployment/last (it had 3)");
        told.Why.ShouldEndWith("on deployment/broken that could not be noted, and the next Rollback would start it");
    }

    [Fact]
    public async Task A_part_that_is_gone_hides_no_other_from_Status()
    {
        var scenario = await StopScenario.NewAsync(server);
        var (dead, looking) = (scenario.NewRun(), scenario.NewRun());
        await scenario.StopAsync(scenario.Control(dead, last), dead);
        var gone = new ScriptedPart("deployment/gone") { OnLook = new RefusedException("There is no deployment/gone.", "it is named", "look") };

        var told = await new ApplicationStatus(looking).ShowAsync(scenario.Environment, environment => new ApplicationControl(looking, environment, [gone, last], ClusterBench.Quick), CancellationToken.None);

        told.ShouldNotBeNull().What.ShouldBe("The application of production is stopped: deployment/last.");
        scenario.Log().ShouldContain("could not be looked at: deployment/gone: There is no deployment/gone.");
    }

    /// <summary>One owner in Git may deploy both: released for the one, it would start the other.</summary>
    [Fact]
    public async Task What_was_stopped_with_a_part_that_was_left_so_is_put_back_only_when_a_person_asks()
    {
        var scenario = await StopScenario.NewAsync(server);
        var (run, later) = (scenario.NewRun(), scenario.NewRun());
        var (api, worker) = (new ScriptedPart("deployment/api") { Suspended = ["the Application shop"] }, new ScriptedPart("deployment/worker", 3) { Suspended = ["the Application shop"] });
        await scenario.StopAsync(new ApplicationControl(run, scenario.Environment, [first, api, worker], ClusterBench.Quick), run);
        await worker.LeaveAsync(run.RunId, "nobody knows what it is", CancellationToken.None);
        var control = new ApplicationControl(later, scenario.Environment, [first, api, worker], ClusterBench.Quick);

        (await control.PutBackAsync(isAsked: false, waits: false, CancellationToken.None)).Done.Keys.ShouldBe(["deployment/first"]);
        (first.Replicas, api.Replicas, worker.Replicas).ShouldBe((2, 0, 0));
        scenario.Log().ShouldContain("the Application shop is suspended for it, and for another part");

        await control.PutBackAsync(isAsked: true, waits: false, CancellationToken.None);
        (api.Replicas, worker.Replicas).ShouldBe((2, 3));
    }

    private async Task<(ApplicationFacts Facts, ApplicationControl Control, string Log)> StopAndStartAsync(params IReadOnlyList<ScriptedPart> parts)
    {
        var scenario = await StopScenario.NewAsync(server);
        var run = scenario.NewRun();
        var control = new ApplicationControl(run, scenario.Environment, parts, ClusterBench.Quick);
        await scenario.StopAsync(control, run);
        parts.ShouldAllBe(part => part.Replicas == 0);
        return ((await control.StartAsync()).ShouldNotBeNull(), control, scenario.Log());
    }
}
