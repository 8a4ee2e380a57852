using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Migrations;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

public sealed class DowngradeRollbackTests(RealServer server)
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("-1", "r2000", "r3000")]
    [InlineData("r1000", "r1000", "r3000 r2000")]
    [InlineData("base", "", "r3000 r2000 r1000")]
    public async Task It_goes_back_and_records_what_the_database_says(string requested, string to, string steps)
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var definition = await MigratedAsync(tree.AddTables(3), environment);

        var result = await Rollback(tree, run).RunAsync(environment, definition, requested, acceptDataLoss: false, None);

        result.Facts.Direction.ShouldBe(MigrationDirection.Downgrade);
        result.Facts.From.ShouldBe(["r3000"]);
        result.Facts.To.ShouldBe(to.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        result.Facts.Applied.ShouldBe(steps.Split(' '));
        run.Evidence.ReadAll().Accepted.Single().Kind.ShouldBe(EvidenceKinds.Rollback);
    }

    [Fact]
    public async Task What_destroys_data_is_listed_and_wants_to_be_accepted()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.Add("r1000", null, "op.execute('CREATE TABLE votes (a int)')", "op.execute('DROP TABLE votes')", "downgrade_destroys = 'all votes'")
            .Add("r2000", "r1000", "op.execute('ALTER TABLE votes ADD b int')", "op.drop_column('votes', 'b')");
        var definition = await MigratedAsync(tree, environment);

        var refusal = await Should.ThrowAsync<RefusedException>(() => Rollback(tree, run).RunAsync(environment, definition, "base", acceptDataLoss: false, None));
        (await DatabaseInspector.ReadAsync(environment, None)).Revisions.ShouldBe(["r2000"]);
        var accepted = await Rollback(tree, run).RunAsync(environment, definition, "base", acceptDataLoss: true, None);

        refusal.Message.ShouldContain("r2000 (Step r2000): drop_column(votes, b)");
        refusal.Message.ShouldContain("r1000 (Step r1000): all votes");
        refusal.Next.ShouldEndWith("--revision base --accept-data-loss");
        accepted.After.Revisions.ShouldBeEmpty();
        var journal = await JournalAsync(run);
        journal.Count(line => line.Contains("\"override: accept data loss\"", StringComparison.Ordinal)).ShouldBe(1, "the refusal overrode nothing");
        journal.Single(line => line.Contains("override:", StringComparison.Ordinal)).ShouldContain("all votes");
    }

    [Theory]
    [InlineData("pass")]
    [InlineData("raise NotImplementedError('no way back')")]
    public async Task A_revision_without_a_real_downgrade_is_named_and_nothing_runs(string downgrade)
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.AddTables(1).Add("r2000", "r1000", "op.execute('CREATE TABLE x (a int)')", downgrade).Add("r3000", "r2000", "op.execute('CREATE TABLE y (a int)')", "op.execute('DROP INDEX none')");
        var definition = await MigratedAsync(tree, environment);

        var refusal = await Should.ThrowAsync<RefusedException>(() => Rollback(tree, run).RunAsync(environment, definition, "base", acceptDataLoss: true, None));

        refusal.Message.ShouldContain("r2000 (Step r2000) cannot be undone");
        (await DatabaseInspector.ReadAsync(environment, None)).Revisions.ShouldBe(["r3000"]);
    }

    [Fact]
    public async Task A_checkout_that_lacks_the_revision_names_the_run_that_brought_it()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun() with { GitCommit = "0123456789abcdef0123456789abcdef01234567" }, await server.NewDatabaseAsync());
        var newer = await TestTree.NewAsync(server);
        await newer.Migrator(run).MigrateAsync(environment, await newer.AddTables(3).ReadAsync(), "head", gate: null, None);
        var older = await tree.AddTables(2).ReadAsync();

        var refusal = await Should.ThrowAsync<RefusedException>(() => Rollback(tree, run).RunAsync(environment, older, "-1", acceptDataLoss: false, None));

        refusal.Message.ShouldContain("at r3000, which is not in");
        refusal.Message.ShouldContain($"run {run.RunId}");
        refusal.Next.ShouldContain("git worktree add ../at-0123456789 0123456789abcdef0123456789abcdef01234567");
    }

    [Fact]
    public async Task A_downgrade_that_fails_halfway_says_where_it_stands()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.AddTables(3).Add("r2000", "r1000", "pass", "op.execute('DROP VIEW no_such_view')");
        var definition = await MigratedAsync(tree, environment);

        var failure = await Should.ThrowAsync<NeedsPersonException>(() => Rollback(tree, run).RunAsync(environment, definition, "base", acceptDataLoss: false, None));

        failure.Message.ShouldContain("roll back production failed in r2000");
        failure.Message.ShouldContain("The database is at r2000: 1 of 3 revisions are committed (it was at r3000)");
        failure.Next.ShouldContain("./build.sh Rollback --strategy Downgrade --target-environment Production --revision base");
    }

    [Fact]
    public async Task A_database_that_was_never_migrated_has_nothing_to_roll_back()
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());

        var refusal = await Should.ThrowAsync<RefusedException>(async () => await Rollback(tree, RealServer.NewRun()).RunAsync(environment, await tree.AddTables(1).ReadAsync(), "-1", acceptDataLoss: false, None));

        refusal.Message.ShouldContain("has no alembic_version");
    }

    private static async Task<string[]> JournalAsync(RunContext run)
    {
        await using var file = new FileStream(run.Journal.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return (await reader.ReadToEndAsync()).Split('\n');
    }

    private static async Task<MigrationsTree> MigratedAsync(TestTree tree, DatabaseEnvironment environment)
    {
        var definition = await tree.ReadAsync();
        await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, definition, "head", gate: null, None);
        return definition;
    }

    private DowngradeRollback Rollback(TestTree tree, RunContext run) => new(run, server.Commands, tree.Runner(run), new MigratorOptions());
}
