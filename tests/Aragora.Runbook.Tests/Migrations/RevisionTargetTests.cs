using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class RevisionTargetTests
{
    private static readonly MigrationsTree Line = Tree("aaaa4", "aaaa4:aaaa3", "aaaa3:bbbb2", "bbbb2:bbbb1", "bbbb1");
    private static readonly MigrationsTree Branched = Tree("cccc4,dddd5", "dddd5:bbbb2", "cccc4:cccc3", "cccc3:bbbb2", "bbbb2:bbbb1", "bbbb1");
    private static readonly MigrationsTree Joined = Tree("eeee6", "eeee6:cccc4+dddd5", "dddd5:bbbb2", "cccc4:bbbb2", "bbbb2:bbbb1", "bbbb1");

    [Theory]
    [InlineData("", "head", "bbbb1 bbbb2 aaaa3 aaaa4")]
    [InlineData("bbbb2", "head", "aaaa3 aaaa4")]
    [InlineData("aaaa4", "head", "")]
    [InlineData("bbbb1", "+1", "bbbb2")]
    [InlineData("bbbb1", "+3", "bbbb2 aaaa3 aaaa4")]
    [InlineData("", "+1", "bbbb1")]
    [InlineData("bbbb1", "aaaa3", "bbbb2 aaaa3")]
    [InlineData("bbbb1", "aaaa3 ", "bbbb2 aaaa3")]
    public void Upwards_the_steps_run_oldest_first(string current, string requested, string steps) =>
        Resolve(Line, current, requested, MigrationDirection.Upgrade).Steps.Select(step => step.Id).ShouldBe(Words(steps));

    [Theory]
    [InlineData("aaaa4", "-1", "aaaa3", "aaaa4")]
    [InlineData("aaaa4", "-3", "bbbb1", "aaaa4 aaaa3 bbbb2")]
    [InlineData("bbbb1", "-1", "base", "bbbb1")]
    [InlineData("aaaa4", "base", "base", "aaaa4 aaaa3 bbbb2 bbbb1")]
    [InlineData("aaaa4", "bbbb2", "bbbb2", "aaaa4 aaaa3")]
    [InlineData("aaaa4", "aaaa4", "aaaa4", "")]
    public void Downwards_the_steps_run_newest_first(string current, string requested, string revision, string steps)
    {
        var target = Resolve(Line, current, requested, MigrationDirection.Downgrade);

        target.Revision.ShouldBe(revision);
        target.Steps.Select(step => step.Id).ShouldBe(Words(steps));
    }

    [Fact]
    public void The_beginning_of_an_id_is_enough_where_it_is_unique()
    {
        Resolve(Tree("abcdef12", "abcdef12:abc99999", "abc99999"), "", "abcd", MigrationDirection.Upgrade).Revision.ShouldBe("abcdef12");
        Should.Throw<BadInputException>(() => Resolve(Tree("abcdef12", "abcdef12:abcd9999", "abcd9999"), "", "abcd", MigrationDirection.Upgrade)).Message.ShouldContain("beginning of 2 revisions");
    }

    [Theory]
    [InlineData("", "aaab4", MigrationDirection.Upgrade, "near misses: aaaa4")]
    [InlineData("", "zzzzzzzz", MigrationDirection.Upgrade, "There is no revision \"zzzzzzzz\"")]
    [InlineData("bbbb2", "+3", MigrationDirection.Upgrade, "only 2 revisions after bbbb2")]
    [InlineData("bbbb2", "+x", MigrationDirection.Upgrade, "not a number")]
    [InlineData("bbbb2", "heads", MigrationDirection.Upgrade, "\"heads\" is not a target")]
    [InlineData("aaaa3", "bbbb1", MigrationDirection.Upgrade, "past bbbb1")]
    [InlineData("aaaa3", "base", MigrationDirection.Upgrade, "past base")]
    [InlineData("aaaa3", "-1", MigrationDirection.Upgrade, "past bbbb2")]
    [InlineData("bbbb2", "-3", MigrationDirection.Downgrade, "Only 2 revisions are applied")]
    [InlineData("bbbb2", "aaaa4", MigrationDirection.Downgrade, "aaaa4 is not applied")]
    [InlineData("", "-1", MigrationDirection.Downgrade, "nothing to go back from")]
    public void What_cannot_be_is_told_why(string current, string requested, MigrationDirection direction, string expected) =>
        Should.Throw<BadInputException>(() => Resolve(Line, current, requested, direction)).Message.ShouldContain(expected);

    [Theory]
    [InlineData("bbbb2", "head", MigrationDirection.Upgrade, "2 heads: cccc4, dddd5")]
    [InlineData("bbbb2", "+1", MigrationDirection.Upgrade, "ambiguous")]
    [InlineData("cccc4,dddd5", "-1", MigrationDirection.Downgrade, "at 2 revisions at once: cccc4, dddd5")]
    [InlineData("bbbb2,bbbb1", "cccc4", MigrationDirection.Upgrade, "holds bbbb1 beside bbbb2")]
    public void What_is_ambiguous_is_refused(string current, string requested, MigrationDirection direction, string expected) =>
        Should.Throw<RefusedException>(() => Resolve(Branched, current, requested, direction)).Message.ShouldContain(expected);

    [Fact]
    public void One_of_two_heads_can_be_named()
    {
        var target = Resolve(Branched, "dddd5", "cccc4", MigrationDirection.Upgrade);

        target.Steps.Select(step => step.Id).ShouldBe(["cccc3", "cccc4"]);
        target.Applied.ShouldBe(["bbbb1", "bbbb2", "cccc3", "cccc4", "dddd5"], ignoreOrder: true);
    }

    [Fact]
    public void Going_back_over_a_join_leaves_the_other_branch_applied()
    {
        var target = Resolve(Joined, "eeee6", "cccc4", MigrationDirection.Downgrade);

        target.Steps.Select(step => step.Id).ShouldBe(["eeee6"]);
        target.Applied.ShouldBe(["bbbb1", "bbbb2", "cccc4", "dddd5"], ignoreOrder: true);
        Should.Throw<RefusedException>(() => Resolve(Joined, "eeee6", "-1", MigrationDirection.Downgrade)).Message.ShouldContain("joins cccc4 and dddd5");
    }

    internal static MigrationsTree Tree(string heads, params string[] revisions) => new("/tree/alembic.ini", "hash", heads.Split(','), [.. revisions.Select(text =>
    {
        var parts = text.Split(':');
        return new Revision(parts[0], parts.Length > 1 ? parts[1].Split('+') : [], "Step " + parts[0], "/tree/" + parts[0] + ".py", HasDowngrade: true, DowngradeDestroys: null);
    })]);

    private static RevisionTarget Resolve(MigrationsTree tree, string current, string requested, MigrationDirection direction) =>
        RevisionTarget.Resolve(tree, current.Split(',', StringSplitOptions.RemoveEmptyEntries), requested, direction);

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
