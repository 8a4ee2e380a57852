using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>An instance whose endpoint was handed out may be somebody's by the time that it is found again.</summary>
public sealed class OfferedInstanceTests(RealServer server, MotoServer moto, SecondServer second) : IClassFixture<MotoServer>, IClassFixture<SecondServer>
{
    [Fact]
    public async Task One_that_nobody_wrote_to_is_taken_again_and_bears_the_name_in_the_end()
    {
        var (scenario, snapshot, offered) = await OfferedAsync();
        await using (var reader = await PostgresSession.OpenAsync(scenario.RestoredEnvironment, "psql"))
        {
            (await reader.ScalarAsync<long>("SELECT count(*) FROM users", CancellationToken.None)).ShouldBe(200);
        }

        (await scenario.RollBackAsync(scenario.Options(snapshot: snapshot))).Restored.Instance.ShouldBe(offered.Identifier);
        var result = await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot));
        result.Switched.ShouldNotBeNull().KeptInstance.ShouldBe(RdsNames.Before(scenario.Instance, offered.Tags[SnapshotTags.RunId]));
        result.Switched.Unavailable.ShouldNotBeNull();
        (await scenario.InstancesAsync()).Count.ShouldBe(2);
        scenario.Log.Count(line => line.Contains($"{offered.Identifier} is as it was when it was looked into", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Theory]
    [InlineData(SwitchMode.Print)]
    [InlineData(SwitchMode.Rename)]
    public async Task One_that_was_written_to_is_no_longer_the_snapshot(SwitchMode mode)
    {
        var (scenario, snapshot, offered) = await OfferedAsync();
        await scenario.SqlOnRestoredAsync("INSERT INTO users (name) VALUES ('work'), ('more work')");
        var refused = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(mode, snapshot)));
        refused.What.ShouldStartWith($"{offered.Identifier}, which run {offered.Tags[SnapshotTags.RunId]} restored from {snapshot}, was written to since it was looked into at ");
        refused.What.ShouldEndWith(": 2 writes.");
        refused.Why.ShouldBe("what is in it may be somebody's work, and is no longer sure to be the snapshot; nothing was renamed, and production was not touched");
        refused.Next.Split(Environment.NewLine).Select(line => line.Trim()).ShouldBe(
        [
            $"to take exactly this instance, with whatever was written to it: aws rds add-tags-to-resource --resource-name {offered.Arn} --tags Key=aragora:step,Value=configured   then repeat the command, which looks into it anew (what writes by itself there, such as pg_cron or a subscription, has to be stopped first)",
            $"to restore the snapshot anew: aws rds remove-tags-from-resource --resource-name {offered.Arn} --tag-keys aragora:restore-of   then repeat the command ({offered.Identifier} stays, and costs until somebody deletes it)",
        ]);
        scenario.Moves.ShouldBeEmpty();
        (await scenario.InstancesAsync()).Select(instance => instance.Identifier).ShouldBe([scenario.Instance, offered.Identifier]);
        (await scenario.FindAsync(offered.Identifier))!.Tags.ShouldBe(offered.Tags, ignoreOrder: true);
    }

    [Fact]
    public async Task What_the_refusal_says_takes_exactly_this_instance_or_restores_anew()
    {
        var (scenario, snapshot, offered) = await OfferedAsync();
        await scenario.SqlOnRestoredAsync("INSERT INTO users (name) VALUES ('work')");
        await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot)));
        await moto.AskAsync("rds", "RemoveTagsFromResource", ("ResourceName", offered.Arn), ("TagKeys.member.1", RestoreTags.RestoreOf));
        await using (var anew = new FakeBetween(moto.Url, request => request.PassAsync()))
        {
            (await scenario.RollBackAsync(scenario.Options(snapshot: snapshot), moto.Api(anew.Url))).Restored.Instance.ShouldNotBe(offered.Identifier);
            anew.Asked.Count(request => request.Action == "RestoreDBInstanceFromDBSnapshot").ShouldBe(1);
        }

        var (other, itsSnapshot, taken) = await OfferedAsync();
        await other.SqlOnRestoredAsync("INSERT INTO users (name) VALUES ('work')");
        await moto.Api().TagAsync(taken.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.Step] = "configured" }, CancellationToken.None);
        var result = await other.RollBackAsync(other.Options(SwitchMode.Rename, itsSnapshot));
        (result.Switched is not null, result.Restored.Rows).ShouldBe((true, 202));
        (await other.InstancesAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task One_that_somebody_is_in_is_in_use_and_the_session_is_named()
    {
        var (scenario, snapshot, offered) = await OfferedAsync();
        await using (var somebody = await PostgresSession.OpenAsync(scenario.RestoredEnvironment, "aragora-api"))
        {
            var refused = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot)));
            refused.What.ShouldBe($"{offered.Identifier}, which run {offered.Tags[SnapshotTags.RunId]} restored from {snapshot}, is in use: 1 session of others is in its database.");
            refused.Why.ShouldStartWith($"in it: pid {somebody.ProcessId} (aragora-api, role ");
            refused.Next.ShouldStartWith("to go on: stop what is connected to it (pids above), then repeat the command");
            scenario.Moves.ShouldBeEmpty();
        }

        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot))).Switched.ShouldNotBeNull();
    }

    [Fact]
    public async Task One_of_which_nobody_knows_is_refused_as_well()
    {
        var (scenario, snapshot, offered) = await OfferedAsync();
        await using (var administrator = await PostgresSession.OpenAsync(scenario.RestoredEnvironment with { Database = second.Server.Url with { Database = scenario.Restored!.Database } }, "aragora-tests"))
        {
            await administrator.ExecuteAsync("SELECT pg_stat_reset()", CancellationToken.None);
        }

        var reset = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot)));
        reset.What.ShouldStartWith($"Nobody knows whether {offered.Identifier}, which run ");
        reset.Why.ShouldStartWith("the database's statistics were reset ");
        reset.Next.ShouldContain("Value=configured");

        await moto.AskAsync("rds", "RemoveTagsFromResource", ("ResourceName", offered.Arn), ("TagKeys.member.1", RestoreTags.LookedInto));
        var untold = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot)));
        untold.What.ShouldEndWith(" was written to since it was looked into.");
        untold.Why.ShouldStartWith("its tag aragora:looked-into, which would tell what had been counted then, is missing or cannot be read; ");
        scenario.Moves.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_happens_in_it_up_to_the_first_rename_is_seen_whoever_restored_it(bool wasOffered)
    {
        var (scenario, snapshot, _) = await OfferedAsync(offers: wasOffered);
        PostgresSession? somebody = null;
        await using var between = new FakeBetween(moto.Url, async request =>
        {
            if (request.Members.Values.Contains("switching"))
            {
                somebody = await PostgresSession.OpenAsync(scenario.RestoredEnvironment, "psql");
                await somebody.ExecuteAsync("INSERT INTO users (name) VALUES ('work')", CancellationToken.None);
            }

            return await request.PassAsync();
        });
        var refused = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), moto.Api(between.Url)));
        refused.Why.ShouldContain($"in it: pid {somebody!.ProcessId} (psql, ");
        between.Asked.ShouldNotContain(request => request["NewDBInstanceIdentifier"] != null);
        scenario.Moves.ShouldBeEmpty();

        await somebody.DisposeAsync();
        (await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot)))).What.ShouldEndWith(": 1 write.");
        (await scenario.InstancesAsync()).ShouldContain(instance => instance.Identifier == scenario.Instance && !instance.Tags.ContainsKey(RestoreTags.RestoreOf));
    }

    [Fact]
    public async Task One_whose_run_died_before_it_was_offered_is_taken_as_it_is()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        await using (var dying = new FakeBetween(moto.Url, request => request.Members.Values.Contains("checked") ? Task.FromResult(FakeAnswer.Torn) : request.PassAsync()))
        {
            await Should.ThrowAsync<RunbookException>(() => scenario.RollBackAsync(scenario.Options(snapshot: snapshot), moto.Api(dying.Url)));
            scenario.Log.ShouldNotContain(line => line.Contains("change the host", StringComparison.Ordinal));
        }

        await scenario.SqlOnRestoredAsync("INSERT INTO users (name) VALUES ('early')");
        var restored = (await scenario.RollBackAsync(scenario.Options(snapshot: snapshot))).Restored;
        var offered = (await scenario.FindAsync(restored.Instance))!;
        (RestoreTags.StepOf(offered), WriteBaseline.Parse(offered.Tags[RestoreTags.LookedInto])!.Rows).ShouldBe((RestoreStep.Checked, 202));
    }

    [Fact]
    public async Task A_server_that_never_counts_lets_the_run_go_on_that_looked_into_it_and_no_later_one()
    {
        var (scenario, snapshot, _) = await OfferedAsync(offers: false);
        await RealServer.SqlAsync(scenario.RestoredEnvironment with { Database = second.Server.Url }, $"ALTER DATABASE \"{scenario.Restored!.Database}\" SET track_counts = off");
        await scenario.RollBackAsync(scenario.Options(snapshot: snapshot));
        (await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot)))).Why.ShouldStartWith("the server does not count (track_counts is off)");

        var restored = (await scenario.InstancesAsync()).Single(instance => RestoreTags.IsOffered(instance));
        await moto.Api().TagAsync(restored.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.Step] = "configured" }, CancellationToken.None);
        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot))).Switched.ShouldNotBeNull();
        scenario.Warnings.ShouldContain(line => line.Contains("since this run looked into it cannot be told", StringComparison.Ordinal));
    }

    private async Task<(RdsScenario Scenario, string Snapshot, RdsInstance Offered)> OfferedAsync(bool offers = true)
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        return (scenario, snapshot, offers ? (await scenario.FindAsync((await scenario.RollBackAsync(scenario.Options(snapshot: snapshot))).Restored.Instance))! : null!);
    }
}
