using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class TreeGuardTests(RealServer server)
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("op.execute('CREATE TABLE other (id int)')", "is")]
    [InlineData("this is no Python", "does not load any more")]
    public async Task Files_that_change_while_the_gate_is_asked_are_not_run(string changed, string expected)
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var moved = new List<string>();
        var read = await tree.AddTables(1).ReadAsync();

        var refusal = await Should.ThrowAsync<RefusedException>(() => tree.Migrator(run, Watching(tree, moved)).MigrateAsync(environment, read, "head", ChangeIt, None));

        refusal.Message.ShouldContain("changed since this run read them");
        refusal.Message.ShouldContain(expected);
        (await DatabaseInspector.ReadAsync(environment, None)).RevisionStamp.ShouldBeNull();
        moved.ShouldBeEmpty();

        Task ChangeIt(DatabaseFacts database, RevisionTarget target, CancellationToken cancellation)
        {
            tree.Add("r1000", null, changed);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Files_that_change_while_Alembic_runs_need_a_person_and_make_no_evidence()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var moved = new List<string>();
        tree.Add("r1000", null, "open(__file__, 'a').write('# changed')");

        var unclear = await Should.ThrowAsync<NeedsPersonException>(async () => await tree.Migrator(run, Watching(tree, moved)).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        unclear.Message.ShouldContain("changed while Alembic ran");
        unclear.Message.ShouldContain("is at r1000, where it was to be");
        run.Evidence.ReadAll().Accepted.ShouldBeEmpty();
        moved.ShouldBe(["production"]);
    }

    [Fact]
    public async Task The_caller_learns_of_a_move_before_its_evidence_is_written_in_both_directions()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var recordsAtThatTime = new List<int>();
        var options = Watching(tree, []) with { Moved = _ => recordsAtThatTime.Add(run.Evidence.ReadAll().Accepted.Count) };
        var read = await tree.AddTables(2).ReadAsync();

        await tree.Migrator(run, options).MigrateAsync(environment, read, "head", gate: null, None);
        await tree.Migrator(run, options).MigrateAsync(environment, read, "head", gate: null, None);
        await new DowngradeRollback(run, server.Commands, tree.Runner(run), options).RunAsync(environment, read, "-1", acceptDataLoss: false, None);

        recordsAtThatTime.Count.ShouldBe(2, "an upgrade, nothing to do, a downgrade");
        recordsAtThatTime[0].ShouldBe(0);
        recordsAtThatTime[1].ShouldBe(run.Evidence.ReadAll().Accepted.Count - 1);
    }

    [Theory]
    [InlineData("r2000", "production")]
    [InlineData("r1000", "")]
    public async Task The_caller_learns_of_a_move_that_failed_on_the_way_and_not_of_one_that_left_everything_as_it_was(string failing, string expected)
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        var moved = new List<string>();
        tree.AddTables(3).Add(failing, failing == "r1000" ? null : "r1000", "raise ValueError('no luck')");

        await Should.ThrowAsync<RunbookException>(async () => await tree.Migrator(RealServer.NewRun(), Watching(tree, moved)).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        moved.ShouldBe(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static MigratorOptions Watching(TestTree tree, List<string> moved) => new()
    {
        CurrentTreeHash = async cancellation => (await tree.Reader.ReadAsync(tree.Project, cancellation)).Hash,
        Moved = environment => moved.Add(environment.DisplayName),
    };
}
