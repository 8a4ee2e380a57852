using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class MoveFailureTests
{
    private static readonly MigrationsTree Branched = RevisionTargetTests.Tree("cccc4,dddd5", "dddd5:bbbb2", "cccc4:cccc3", "cccc3:bbbb2", "bbbb2:bbbb1", "bbbb1");

    [Theory]
    [InlineData("", "bbbb1", "--revision base   goes back")]
    [InlineData("bbbb1", "bbbb2", "--revision bbbb1   goes back")]
    public void Halfway_the_way_back_leads_to_where_it_stood(string before, string after, string hint) =>
        Explain(before, after).Next.ShouldContain(hint);

    [Theory]
    [InlineData("bbbb2,dddd5", "cccc3,dddd5")]
    [InlineData("dddd5", "cccc3,dddd5")]
    public void Where_no_single_revision_undoes_it_none_is_named(string before, string after) =>
        Explain(before, after).Next.ShouldNotContain("goes back");

    [Fact]
    public void What_a_runner_calls_for_a_person_is_not_called_clean_where_the_database_looks_unchanged()
    {
        var failure = Explain("bbbb1", "bbbb1", new NeedsPersonException("The Job goes on.", "the API is away", "follow it"), stamp: "1");

        failure.What.ShouldBe("migrate production: The Job goes on.");
        failure.Why.ShouldContain("No revision was committed");
        failure.Next.ShouldBe("follow it");
    }

    private static NeedsPersonException Explain(string before, string after, Exception? ended = null, string stamp = "2")
    {
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u@h/d", "test") };
        var from = Facts(before, "1");
        // What Resolve would refuse for a hand-made state is not the matter here.
        var steps = Branched.Between(from.Revisions, "cccc4");
        var target = new RevisionTarget(MigrationDirection.Upgrade, "cccc4", steps, Branched.Ancestors(["cccc4"]));
        var request = new RunnerRequest(environment, target.Direction, target.Revision, new LockBudget(), "aragora-migrate-test");
        var story = new MoveStory(environment, Branched, "migrate production", target, from, request, new AlembicOutput(), ended is null ? new RunnerResult(1, "", TimeSpan.Zero) : null, ended, LeaseLost: false, Cancelled: false);
        var now = Facts(after, stamp);
        var applied = Branched.Ancestors(now.Revisions);
        var state = new MoveState(now, [.. steps.Where(step => applied.Contains(step.Id))], Reached: false, new CatalogChanges([], [], [], []), [], [], []);

        return MoveFailure.Explain(story, state).ShouldBeOfType<NeedsPersonException>();
    }

    private static DatabaseFacts Facts(string revisions, string stamp) =>
        new(new DatabaseIdentity("1", 1, 1, "d", "h:5432"), revisions.Split(',', StringSplitOptions.RemoveEmptyEntries), stamp);
}
