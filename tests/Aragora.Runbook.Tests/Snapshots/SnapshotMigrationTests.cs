using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>A Job or a container whose run is dead goes on with whatever bears the name of its database.</summary>
public sealed class SnapshotMigrationTests(RealServer server, MotoServer moto, SecondServer second) : IClassFixture<MotoServer>, IClassFixture<SecondServer>
{
    private static readonly RunningMigration Job = new("job aragora/x", "20261125T020000Z-dead", MigrationDirection.Upgrade, "r2000", "tree", "aragora-migrate-x");

    [Fact]
    public async Task One_at_work_refuses_a_switch_before_anything_is_restored()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var refused = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), running: () => Job));
        refused.What.ShouldBe("A migration of production is still at work: job aragora/x, started by run 20261125T020000Z-dead.");
        refused.Why.ShouldBe("it would migrate the restored database again; nothing was restored");
        (await scenario.InstancesAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task One_that_begins_while_the_snapshot_is_restored_refuses_right_before_the_first_rename()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        var isPrepared = false;
        await using var between = new FakeBetween(moto.Url, request =>
        {
            isPrepared |= request.Members.Values.Contains("switching");
            return request.PassAsync();
        });
        var refused = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), moto.Api(between.Url), running: () => isPrepared ? Job : null));
        refused.Why.ShouldEndWith("; nothing was renamed");
        between.Asked.ShouldNotContain(request => request["NewDBInstanceIdentifier"] != null);
        scenario.Moves.ShouldBeEmpty();
        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), running: () => null)).Switched.ShouldNotBeNull();
    }

    [Fact]
    public async Task Where_nothing_is_moved_it_is_a_warning_and_where_nobody_can_be_asked_as_well()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        (await scenario.RollBackAsync(scenario.Options(snapshot: snapshot), running: () => Job)).Switched.ShouldBeNull();
        scenario.Warnings.ShouldContain(line => line.Contains("job aragora/x, started by run 20261125T020000Z-dead. It goes on with the database that PRODUCTION_DATABASE_URL leads to", StringComparison.Ordinal));

        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), running: () => throw new BadInputException("The cluster is away.", "", ""))).Switched.ShouldNotBeNull();
        scenario.Warnings.Count(line => line.Contains("cannot be asked: The cluster is away.", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task One_that_does_not_say_what_it_is_is_one_all_the_same()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = (await scenario.SnapshotAsync()).Snapshot;
        RunningMigration? Unnamed() => throw new RefusedException("The Job x is at work, and does not say for what.", "its annotations were changed", "wait until it has ended");
        (await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot), running: Unnamed))).What.ShouldStartWith("The Job x is at work");
        (await scenario.RollBackAsync(scenario.Options(snapshot: snapshot), running: Unnamed)).Switched.ShouldBeNull();
        scenario.Warnings.ShouldContain(line => line.Contains("The Job x is at work", StringComparison.Ordinal));
    }
}
