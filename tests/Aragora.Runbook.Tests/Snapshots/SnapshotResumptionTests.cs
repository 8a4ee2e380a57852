using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>A run dies right after AWS has taken one of its requests; the next one, on another machine, goes on.</summary>
public sealed class SnapshotResumptionTests(RealServer server, MotoServer moto, SecondServer second) : IClassFixture<MotoServer>, IClassFixture<SecondServer>
{
    [Theory]
    [InlineData("RestoreDBInstanceFromDBSnapshot", 1)]
    [InlineData("ModifyDBInstance", 1)] // set-up
    [InlineData("AddTagsToResource", 1)] // step: checked
    [InlineData("AddTagsToResource", 2)] // which is which, on the restored one
    [InlineData("AddTagsToResource", 3)] // which is which, on the original
    [InlineData("ModifyDBInstance", 2)] // the first rename
    [InlineData("ModifyDBInstance", 3)] // the second rename
    [InlineData("AddTagsToResource", 4)] // step: switched
    public async Task A_rollback_that_died_is_finished_by_the_next_run(string action, int nth)
    {
        // moto's restore forgets the maximum of the storage, so that there is something to set up.
        var scenario = await RdsScenario.NewAsync(server, moto, second, settings: ("MaxAllocatedStorage", "500"));
        var snapshot = await scenario.SnapshotAsync();
        var options = scenario.Options(SwitchMode.Rename, snapshot.Snapshot);
        var seen = 0;
        var dead = false;
        await using (var dying = new FakeBetween(moto.Url, async request =>
        {
            if (dead)
            {
                return FakeAnswer.Torn;
            }

            var answer = await request.PassAsync();
            dead = request.Action == action && ++seen == nth;
            return dead ? FakeAnswer.Torn : answer;
        }))
        {
            var failure = await Should.ThrowAsync<RunbookException>(() => scenario.RollBackAsync(options with { Deadline = TimeSpan.FromMilliseconds(300) }, moto.Api(dying.Url)));
            dead.ShouldBeTrue(failure.Message);
            seen.ShouldBe(nth);
        }

        await using var counting = new FakeBetween(moto.Url, request => request.PassAsync());
        var result = await scenario.RollBackAsync(options, moto.Api(counting.Url));
        result.Switched.ShouldNotBeNull().To.ShouldBe(["r1000"]);
        counting.Asked.ShouldNotContain(request => request.Action == "RestoreDBInstanceFromDBSnapshot");
        var instances = await scenario.InstancesAsync();
        instances.Select(instance => instance.Identifier).ShouldBe([scenario.Instance, result.Switched.KeptInstance]);
        RestoreTags.StepOf(instances[0]).ShouldBe(RestoreStep.Switched);
        instances[0].Settings.MaxStorageGib.ShouldBe(500);
        instances[1].Tags[RestoreTags.KeptOf].ShouldBe(scenario.Instance);
        SnapshotLeftovers.Tell(instances, scenario.Instance).Trouble.ShouldBeNull();
    }

    [Fact]
    public async Task Between_the_renames_status_says_who_is_named_what_and_how_to_go_on()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        var renames = 0;
        await using var refusing = new FakeBetween(moto.Url, request =>
            request["NewDBInstanceIdentifier"] is not null && ++renames >= 2 ? Task.FromResult(FakeBetween.Error(400, "InvalidDBInstanceState", "Database instance is not in available state.")) : request.PassAsync());
        var run = scenario.NewRun();
        var failure = await Should.ThrowAsync<NeedsPersonException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot) with { Deadline = TimeSpan.FromSeconds(2) }, moto.Api(refusing.Url), run));
        var (kept, restored) = (RdsNames.Before(scenario.Instance, run.RunId), RdsNames.Restored(scenario.Instance, run.RunId));
        failure.What.ShouldBe($"The exchange of names did not come to its end: {scenario.Instance} is or was to become {kept}, and {restored} is or was to become {scenario.Instance}.");
        failure.Next.ShouldContain($"aws rds modify-db-instance --db-instance-identifier {kept} --new-db-instance-identifier {scenario.Instance} --apply-immediately");
        scenario.Moves.Count.ShouldBe(1);

        var left = SnapshotLeftovers.Tell(await scenario.InstancesAsync(), scenario.Instance);
        left.Trouble.ShouldBeOfType<NeedsPersonException>().What.ShouldBe($"Nobody bears the name {scenario.Instance}: production's endpoint leads nowhere.");
        left.Trouble!.Next.ShouldContain("--switch Rename");
        left.Lines.ShouldContain(line => line.StartsWith($"{kept} is what {scenario.Instance} was before", StringComparison.Ordinal));
        (await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Print, snapshot.Snapshot)))).Next.ShouldContain("--switch Rename");
        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot))).Switched!.KeptInstance.ShouldBe(kept);
    }

    [Fact]
    public async Task Answers_that_lag_behind_a_rename_are_waited_for_from_both_sides()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        var lag = 0;
        FakeAnswer? old = null;
        string? oldName = null;
        await using var lagging = new FakeBetween(moto.Url, async request =>
        {
            if (request["NewDBInstanceIdentifier"] is not null)
            {
                oldName = request["DBInstanceIdentifier"];
                old = await (request with { Members = new Dictionary<string, string>(StringComparer.Ordinal) }).PassAsync();
                lag = 6;
                return old;
            }

            // For a while the new name is unknown, and the old one is still described.
            if (lag > 0 && request.Action == "DescribeDBInstances" && request["DBInstanceIdentifier"] is { } asked)
            {
                lag--;
                return asked == oldName
                    ? new FakeAnswer(200, old!.Body.Replace("ModifyDBInstanceResult", "DescribeDBInstancesResult", StringComparison.Ordinal).Replace("<DBInstance>", "<DBInstances><DBInstance>", StringComparison.Ordinal).Replace("</DBInstance>", "</DBInstance></DBInstances>", StringComparison.Ordinal).Replace("available", "renaming", StringComparison.Ordinal))
                    : FakeBetween.Error(404, "DBInstanceNotFound", $"DBInstance {asked} not found.");
            }

            return await request.PassAsync();
        });
        var result = await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot), moto.Api(lagging.Url));
        result.Switched.ShouldNotBeNull();
        lagging.Asked.Count(request => request["NewDBInstanceIdentifier"] is not null).ShouldBe(2);
        scenario.Log.ShouldContain(line => line.Contains("is not described yet", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Once_the_first_rename_was_asked_for_a_cancellation_does_not_leave_the_name_to_nobody()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        using var cancelled = new CancellationTokenSource();
        await using var between = new FakeBetween(moto.Url, async request =>
        {
            if (request["NewDBInstanceIdentifier"] is not null)
            {
                await cancelled.CancelAsync();
            }

            return await request.PassAsync();
        });
        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot), moto.Api(between.Url), cancellation: cancelled.Token)).Switched.ShouldNotBeNull();
    }

    [Fact]
    public async Task Rds_that_fails_for_a_while_does_not_end_a_long_wait()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        var looks = 0;
        await using var shaky = new FakeBetween(moto.Url, request => request.Action == "DescribeDBInstances" && request["DBInstanceIdentifier"]?.Contains("-restored-", StringComparison.Ordinal) == true && ++looks is > 0 and < 4
            ? Task.FromResult(looks == 1 ? FakeBetween.Error(400, "Throttling", "Rate exceeded") : looks == 2 ? FakeBetween.Error(503, "ServiceUnavailable", "later") : FakeAnswer.Torn)
            : request.PassAsync());
        (await scenario.RollBackAsync(scenario.Options(snapshot: snapshot.Snapshot), moto.Api(shaky.Url))).Switched.ShouldBeNull();
        looks.ShouldBeGreaterThan(3);
    }
}
