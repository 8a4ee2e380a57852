using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

public sealed class RdsNamesTests
{
    private const string RunId = "20261122T190455Z-3f9c";

    [Theory]
    [InlineData("prod", true)]
    [InlineData("Prod-Db-1", true)]
    [InlineData("1prod", false)]
    [InlineData("prod-", false)]
    [InlineData("prod--db", false)]
    [InlineData("prod db", false)]
    [InlineData("", false)]
    public void An_instance_is_named_as_rds_takes_it(string name, bool fits) => RdsNames.IsInstance(name).ShouldBe(fits);

    [Fact]
    public void Snapshots_have_names_that_no_two_runs_share()
    {
        RdsNames.Snapshot("prod", RunId).ShouldBe("aragora-prod-20261122t190455z-3f9c");
        RdsNames.IsSnapshot(RdsNames.Snapshot(new string('a', 63), RunId)).ShouldBeTrue();
        RdsNames.IsSnapshot("rds:prod-2026-11-25-17-39").ShouldBeTrue();
    }

    [Fact]
    public void Derived_instances_fit_into_sixty_three_letters()
    {
        RdsNames.Restored("prod", RunId).ShouldBe("prod-restored-20261122t190455z-3f9c");
        RdsNames.Before("prod", RunId).ShouldBe("prod-before-20261122t190455z-3f9c");
        var longest = RdsNames.Restored($"{new string('a', 31)}-{new string('b', 31)}", RunId);
        longest.ShouldBe($"{new string('a', 31)}-restored-20261122t190455z-3f9c");
        RdsNames.IsInstance(longest).ShouldBeTrue();
    }

    [Fact]
    public void Options_that_rds_would_refuse_are_refused_first()
    {
        Should.Throw<BadInputException>(() => new RdsOptions { InstanceIdentifier = "no_such" }.Validated()).What.ShouldContain("--production-db-instance-identifier no_such");
        Should.Throw<BadInputException>(() => new RdsOptions { InstanceIdentifier = "prod", SnapshotIdentifier = "a--b" }.Validated());
        new RdsOptions { InstanceIdentifier = "Prod" }.Validated().InstanceIdentifier.ShouldBe("prod");
    }

    [Fact]
    public void Tags_hold_only_what_rds_takes() => SnapshotTags.Value("a,b;c(d) ä:/=+-@_.").ShouldBe("a-b-c-d- ä:/=+-@_.");
}
