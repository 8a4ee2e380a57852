using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>Two runs exchange the same two names. moto refuses no rename for another one's sake, so RDS's refusals are faked in its own words.</summary>
public sealed class NameRaceTests(RealServer server, MotoServer moto, SecondServer second) : IClassFixture<MotoServer>, IClassFixture<SecondServer>
{
    [Theory]
    [InlineData(1, "DBInstanceNotFound")]
    [InlineData(1, "InvalidDBInstanceState")]
    [InlineData(1, "DBInstanceAlreadyExists")]
    [InlineData(1, "")]
    [InlineData(2, "DBInstanceNotFound")]
    [InlineData(2, "InvalidDBInstanceState")]
    [InlineData(2, "DBInstanceAlreadyExists")]
    [InlineData(2, "")]
    public async Task A_rename_that_is_refused_because_it_is_done_already_is_waited_for(int nth, string code)
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var renames = 0;
        await using var late = new FakeBetween(moto.Url, async request =>
        {
            var answer = await request.PassAsync();
            return request["NewDBInstanceIdentifier"] is null || ++renames != nth ? answer : code.Length == 0 ? FakeAnswer.Torn : FakeBetween.Error(400, code, "it is not as you think");
        });
        var result = (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), moto.Api(late.Url))).Switched.ShouldNotBeNull();
        renames.ShouldBe(2);
        (await scenario.InstancesAsync()).Select(instance => instance.Identifier).ShouldBe([scenario.Instance, result.KeptInstance]);
        (result.Unavailable is null).ShouldBe(nth == 1, "who did not begin it has not measured it");
        scenario.Warnings.ShouldContain(line => line.Contains("already, asked for by another run or by a request whose answer was lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_rename_that_is_on_its_way_is_waited_for_though_rds_still_describes_the_old_name()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var (renames, looks) = (0, 0);
        Func<Task>? other = null;
        await using var busy = new FakeBetween(moto.Url, async request =>
        {
            if (request["NewDBInstanceIdentifier"] is not null && ++renames == 1)
            {
                other = () => request.PassAsync();
                return FakeBetween.Error(400, "InvalidDBInstanceState", $"Database instance {scenario.Instance} is not in available state.");
            }

            if (other is { } begun && request["DBInstanceIdentifier"] == scenario.Instance && request.Action == "DescribeDBInstances" && ++looks == 3)
            {
                await begun();
                other = null;
            }

            var answer = await request.PassAsync();
            return other is not null && looks == 2 && request["DBInstanceIdentifier"] == scenario.Instance ? answer.With("<DBInstanceStatus>available", "<DBInstanceStatus>renaming") : answer;
        });
        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot) with { Lag = TimeSpan.FromSeconds(10) }, moto.Api(busy.Url))).Switched.ShouldNotBeNull();
        renames.ShouldBe(2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_rename_that_rds_could_not_take_is_asked_for_again(int nth)
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var renames = 0;
        await using var failing = new FakeBetween(moto.Url, request => request["NewDBInstanceIdentifier"] is not null && ++renames == nth ? Task.FromResult(FakeBetween.Error(503, "ServiceUnavailable", "come back later")) : request.PassAsync());
        var result = (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), moto.Api(failing.Url))).Switched.ShouldNotBeNull();
        renames.ShouldBe(3);
        (await scenario.InstancesAsync()).Select(instance => instance.Identifier).ShouldBe([scenario.Instance, result.KeptInstance]);
        scenario.Warnings.ShouldContain(line => line.Contains("was not taken, and is asked for again", StringComparison.Ordinal));
    }

    /// <summary>A backup that begins between the two renames, as RDS words it, and for longer than its descriptions lag.</summary>
    [Fact]
    public async Task While_nobody_bears_the_name_a_busy_instance_is_asked_until_it_takes_it()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var renames = 0;
        await using var busy = new FakeBetween(moto.Url, request => request["NewDBInstanceIdentifier"] is not null && ++renames is > 1 and < 9 ? Task.FromResult(FakeBetween.Error(400, "InvalidDBInstanceState", "Database instance is not in available state.")) : request.PassAsync());
        var result = (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot) with { Lag = TimeSpan.FromMilliseconds(60) }, moto.Api(busy.Url))).Switched.ShouldNotBeNull();
        renames.ShouldBe(9);
        (await scenario.InstancesAsync()).Select(instance => instance.Identifier).ShouldBe([scenario.Instance, result.KeptInstance]);
    }

    [Fact]
    public async Task A_restored_instance_that_is_busy_right_before_the_first_rename_leaves_the_names_as_they_are()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var isPrepared = false;
        await using var busy = new FakeBetween(moto.Url, async request =>
        {
            var answer = await request.PassAsync();
            isPrepared |= request.Members.Values.Contains(RestoreTags.KeptFor);
            return isPrepared && request.Action == "DescribeDBInstances" && request["DBInstanceIdentifier"] is { } asked && asked != scenario.Instance ? answer.With("<DBInstanceStatus>available", "<DBInstanceStatus>backing-up") : answer;
        });
        var failure = await Should.ThrowAsync<FailedCleanException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), moto.Api(busy.Url)));
        failure.What.ShouldEndWith($"cannot take the name {scenario.Instance} at the moment; nothing was renamed.");
        failure.Why.ShouldStartWith("RDS says that it is backing-up");
        busy.Asked.ShouldNotContain(request => request["NewDBInstanceIdentifier"] != null);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_rename_that_is_not_allowed_is_for_a_person(int nth)
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var renames = 0;
        await using var denying = new FakeBetween(moto.Url, request => request["NewDBInstanceIdentifier"] is not null && ++renames == nth ? Task.FromResult(FakeBetween.Error(403, "AccessDenied", "User: arn:aws:iam::1:user/ci is not authorized to perform: rds:ModifyDBInstance on resource: arn:aws:rds:eu-central-1:1:db:x")) : request.PassAsync());
        var failure = await Should.ThrowAsync<NeedsPersonException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), moto.Api(denying.Url)));
        failure.What.ShouldStartWith("The exchange of names did not come to its end: ");
        failure.Why.ShouldStartWith("AWS does not allow rds:ModifyDBInstance on arn:aws:rds:eu-central-1:1:db:x.");
        renames.ShouldBe(nth);
    }

    [Fact]
    public async Task Two_runs_that_finish_one_exchange_at_once_both_come_to_its_end()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var options = scenario.Options(SwitchMode.Rename, snapshot);
        var isDead = false;
        await using (var dying = new FakeBetween(moto.Url, async request =>
        {
            var answer = isDead ? FakeAnswer.Torn : await request.PassAsync();
            isDead |= request["NewDBInstanceIdentifier"] is not null;
            return isDead ? FakeAnswer.Torn : answer;
        }))
        {
            await Should.ThrowAsync<NeedsPersonException>(() => scenario.RollBackAsync(options with { Deadline = TimeSpan.FromSeconds(1) }, moto.Api(dying.Url)));
        }

        // Both ask for the rename that is left before either is answered; the second answer is as RDS gives it.
        var both = new TaskCompletionSource();
        var asked = 0;
        using var one = new SemaphoreSlim(1);
        await using var racing = new FakeBetween(moto.Url, async request =>
        {
            if (request["NewDBInstanceIdentifier"] is not { } to)
            {
                return await request.PassAsync();
            }

            if (Interlocked.Increment(ref asked) == 2)
            {
                both.SetResult();
            }

            await both.Task;
            await one.WaitAsync();
            try
            {
                return await scenario.FindAsync(to) is not null ? FakeBetween.Error(400, "DBInstanceAlreadyExists", "DB instance already exists") : await request.PassAsync();
            }
            finally
            {
                one.Release();
            }
        });
        var results = await Task.WhenAll(scenario.RollBackAsync(options, moto.Api(racing.Url)), scenario.RollBackAsync(options, moto.Api(racing.Url)));
        results.ShouldAllBe(result => result.Switched!.To.Single() == "r1000" && result.Switched.Unavailable == null && result.Switched.From == null);
        results.Select(result => result.Switched!.KeptInstance).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        (await scenario.InstancesAsync()).Select(instance => instance.Identifier).ShouldBe([scenario.Instance, results[0].Switched!.KeptInstance]);
        asked.ShouldBe(2);
    }

    [Fact]
    public async Task A_run_that_prepares_while_another_exchanges_the_names_renames_nothing_away()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var offered = (await scenario.RollBackAsync(scenario.Options(snapshot: snapshot))).Restored.Instance;
        var isOvertaken = false;
        await using var between = new FakeBetween(moto.Url, async request =>
        {
            if (!isOvertaken && request.Members.Values.Contains("switching"))
            {
                isOvertaken = true;
                await OvertakeAsync(scenario, offered);
            }

            return await request.PassAsync();
        });
        var result = (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), moto.Api(between.Url))).Switched.ShouldNotBeNull();
        isOvertaken.ShouldBeTrue();
        between.Asked.ShouldNotContain(request => request["NewDBInstanceIdentifier"] != null);
        (await scenario.InstancesAsync()).Select(instance => instance.Identifier).ShouldBe([scenario.Instance, result.KeptInstance]);
        scenario.Warnings.ShouldContain(line => line.Contains("Another run has begun to exchange the names", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_that_restored_while_another_exchanged_the_names_says_so_and_counts_nothing_in_the_new_one()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var offered = (await scenario.RollBackAsync(scenario.Options(snapshot: snapshot))).Restored.Instance;
        var lists = 0;
        await using var between = new FakeBetween(moto.Url, async request =>
        {
            // The second list of all instances is asked for under the lock.
            if (request.Action == "DescribeDBInstances" && request["DBInstanceIdentifier"] is null && ++lists == 2)
            {
                await OvertakeAsync(scenario, offered);
            }

            return await request.PassAsync();
        });
        var result = (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), moto.Api(between.Url))).Switched.ShouldNotBeNull();
        (result.From, result.LostWrites, result.Unavailable).ShouldBe((null, null, null));
        scenario.Warnings.ShouldContain(line => line.Contains($"restored from {snapshot} already", StringComparison.Ordinal));
    }

    /// <summary>What another run does from preparing to its end.</summary>
    private static async Task OvertakeAsync(RdsScenario scenario, string offered)
    {
        using var rds = scenario.Moto.Api();
        var (original, restored) = ((await scenario.FindAsync(scenario.Instance))!, (await scenario.FindAsync(offered))!);
        var keptAs = RdsNames.Before(scenario.Instance, restored.Tags[SnapshotTags.RunId]);
        await rds.TagAsync(original.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.KeptOf] = scenario.Instance, [RestoreTags.KeptFor] = restored.Tags[RestoreTags.Snapshot] }, CancellationToken.None);
        await rds.TagAsync(restored.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.KeptAs] = keptAs, [RestoreTags.Step] = "switching" }, CancellationToken.None);
        await rds.RenameAsync(scenario.Instance, keptAs, CancellationToken.None);
        await rds.RenameAsync(offered, scenario.Instance, CancellationToken.None);
    }
}
