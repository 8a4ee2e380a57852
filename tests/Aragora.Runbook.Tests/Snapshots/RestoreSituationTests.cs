using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

public sealed class RestoreSituationTests
{
    private const string Name = "prod";

    /// <summary>Whether an exchange is begun, for each step of the restored one and each place where the two may be.</summary>
    /// <param name="step">The restored one's tag; empty where nothing was restored.</param>
    /// <param name="bearsName">Whether the restored one bears the name.</param>
    /// <param name="original">The original's name and status; null where it is not there.</param>
    /// <param name="begun">What follows.</param>
    [Theory]
    [InlineData("", false, "prod available", false)]
    [InlineData("", false, "prod renaming", false)]
    [InlineData("", false, "kept available", false)]
    [InlineData("", false, null, false)]
    [InlineData("restoring", false, "prod available", false)]
    [InlineData("restoring", false, "prod renaming", false)]
    [InlineData("restoring", false, "kept available", false)]
    [InlineData("restoring", false, null, false)]
    [InlineData("configured", false, "prod available", false)]
    [InlineData("configured", false, "prod renaming", false)]
    [InlineData("configured", false, "kept available", false)]
    [InlineData("configured", false, null, false)]
    [InlineData("checked", false, "prod available", false)]
    [InlineData("checked", false, "prod renaming", false)]
    [InlineData("checked", false, "kept available", false)]
    [InlineData("checked", false, null, false)]
    [InlineData("checked over switching", false, "prod available", false)]
    [InlineData("checked over switching", false, "prod renaming", true)]
    [InlineData("checked over switching", false, "kept available", true)]
    [InlineData("checked over switching", false, null, true)]
    [InlineData("switching", false, "prod available", false)]
    [InlineData("switching", false, "prod renaming", true)]
    [InlineData("switching", false, "kept available", true)]
    [InlineData("switching", false, "kept renaming", true)]
    [InlineData("switching", false, null, true)]
    [InlineData("restoring", true, null, true)]
    [InlineData("restoring", true, "kept available", true)]
    [InlineData("configured", true, null, true)]
    [InlineData("configured", true, "kept available", true)]
    [InlineData("checked", true, null, true)]
    [InlineData("checked", true, "kept available", true)]
    [InlineData("switching", true, null, true)]
    [InlineData("switching", true, "kept available", true)]
    [InlineData("switched", true, null, true)]
    [InlineData("switched", true, "kept available", true)]
    public void An_exchange_is_begun_when_a_rename_was_asked_for_and_not_when_it_was_only_intended(string step, bool bearsName, string? original, bool begun)
    {
        var instances = new List<RdsInstance>();
        if (step.Length > 0)
        {
            // A run that is behind writes its step over that of one that has prepared the exchange.
            var words = step.Split(' ');
            (string, string)[] prepared = words.Length > 1 ? [(RestoreTags.KeptAs, "kept")] : [];
            instances.Add(Instance(bearsName ? Name : "restored", "available", [(RestoreTags.RestoreOf, Name), (RestoreTags.Snapshot, "s"), (RestoreTags.Step, words[0]), .. prepared]));
        }

        if (original?.Split(' ') is [var name, var status])
        {
            instances.Add(Instance(name, status, (RestoreTags.KeptOf, Name), (RestoreTags.KeptFor, "s")));
        }

        var situation = RestoreSituation.Tell(instances, Name, "s");
        (situation.Restored is not null, situation.Original is not null).ShouldBe((step.Length > 0, original is not null));
        situation.IsExchangeBegun.ShouldBe(begun);
    }

    /// <summary>A restored one that was switched and does not bear the name any more was put away by a person: it is not found again. An exchange of one that was seen so is begun.</summary>
    [Fact]
    public void One_that_was_switched_and_put_away_is_history()
    {
        var away = Instance("put-away", "available", (RestoreTags.RestoreOf, Name), (RestoreTags.Snapshot, "s"), (RestoreTags.Step, "switched"));
        RestoreSituation.Tell([away, Instance(Name, "available")], Name, "s").ShouldSatisfyAllConditions(told => told.Restored.ShouldBeNull(), told => told.IsExchangeBegun.ShouldBeFalse());
        new RestoreSituation(Name, "s", null, away).IsExchangeBegun.ShouldBeTrue();
    }

    [Fact]
    public void Two_restored_ones_are_for_a_person()
    {
        RdsInstance Named(string name) => Instance(name, "available", (RestoreTags.RestoreOf, Name), (RestoreTags.Snapshot, "s"), (RestoreTags.Step, "checked"));
        Should.Throw<NeedsPersonException>(() => RestoreSituation.Tell([Named("a"), Named("b")], Name, "s")).What.ShouldContain("a, b");
    }

    [Fact]
    public void Status_remembers_an_instance_that_was_let_go_of_and_says_how_a_protected_one_is_deleted()
    {
        var name = RdsNames.Restored(Name, "run-1");
        var letGo = Instance(name, "available", (SnapshotTags.RunId, "run-1"), (RestoreTags.RestoredAs, name), (RestoreTags.Snapshot, "s"), (RestoreTags.Step, "checked"));
        letGo = letGo with { Settings = new InstanceSettings { DeletionProtection = true } };
        var others = Instance("other-restored-run-1", "available", (SnapshotTags.RunId, "run-1"), (RestoreTags.RestoredAs, "other-restored-run-1"), (RestoreTags.Snapshot, "s"));
        var line = SnapshotLeftovers.Tell([Instance(Name, "available"), letGo, others], Name).Lines.Skip(1).ShouldHaveSingleItem();
        line.ShouldStartWith($"{name}, restored from s by run run-1, lost its tag aragora:restore-of");
        line.ShouldEndWith($"aws rds modify-db-instance --db-instance-identifier {name} --no-deletion-protection --apply-immediately && aws rds delete-db-instance --db-instance-identifier {name} --final-db-snapshot-identifier {name}-final");
    }

    [Fact]
    public void An_exchange_that_was_only_intended_is_no_trouble_though_production_was_restored_before()
    {
        var bearer = Instance(Name, "available", (RestoreTags.RestoreOf, Name), (RestoreTags.Snapshot, "older"), (RestoreTags.RestoredAs, "prod-restored-1"), (RestoreTags.Step, "switched"));
        var intended = Instance("prod-restored-2", "available", (RestoreTags.RestoreOf, Name), (RestoreTags.Snapshot, "s"), (RestoreTags.RestoredAs, "prod-restored-2"), (RestoreTags.Step, "switching"));
        SnapshotLeftovers.Tell([bearer, intended], Name).Trouble.ShouldBeNull();
        SnapshotLeftovers.Tell([bearer with { Status = "renaming" }, intended], Name).Trouble.ShouldNotBeNull();
        SnapshotLeftovers.Tell([intended with { Identifier = Name }], Name).Trouble.ShouldNotBeNull().What.ShouldStartWith("The exchange of names around prod has not come to its end");
    }

    private static RdsInstance Instance(string name, string status, params (string Key, string Value)[] tags) => new()
    {
        Identifier = name,
        Arn = name,
        ResourceId = name,
        Status = status,
        Engine = "postgres",
        EngineVersion = "15.8",
        Pending = [],
        Tags = tags.ToDictionary(tag => tag.Key, tag => tag.Value, StringComparer.Ordinal),
        Settings = new InstanceSettings(),
    };
}
