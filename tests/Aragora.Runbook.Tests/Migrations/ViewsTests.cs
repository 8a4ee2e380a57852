using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class ViewsTests(RealServer server)
{
    [Fact]
    public async Task Status_shows_the_environments_side_by_side_and_one_that_is_down_does_not_hide_the_other()
    {
        var tree = RevisionTargetTests.Tree("aaaa3", "aaaa3:aaaa2", "aaaa2:aaaa1", "aaaa1");
        var staging = await server.NewDatabaseAsync(TargetEnvironment.Staging);
        var production = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(staging, "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('aaaa3')");
        await RealServer.SqlAsync(production, "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('aaaa1')");
        var view = new StatusView(new RevisionOrigin(RealServer.NewRun(), server.Commands));

        var status = await view.ReadAsync(tree, [staging, production], CancellationToken.None);
        var withOneDown = await view.ReadAsync(tree, [staging, production with { Database = production.Database with { Port = 1 } }], CancellationToken.None);

        StatusView.Render(status).ShouldBe(
        [
            "heads: aaaa3 (Step aaaa3)",
            "",
            "environment  revision  pending  database",
            $"staging      aaaa3     0        {staging.Database}",
            $"production   aaaa1     2        {production.Database}",
            "",
            "pending on production:",
            "  aaaa2  Step aaaa2",
            "  aaaa3  Step aaaa3",
            "",
            "The environments DIFFER.",
        ]);
        withOneDown.Differ.ShouldBeNull();
        withOneDown.Environments[0].Current.ShouldBe(["aaaa3"]);
        withOneDown.Environments[1].Problem.ShouldNotBeNull().ShouldContain("nothing listens");
        string.Join('\n', StatusView.Render(withOneDown)).ShouldContain("whether they differ is not known");

        HistoryView.Render(tree, status.Environments).ShouldBe(
        [
            "aaaa3  Step aaaa3  (head)  (staging)",
            "aaaa2  Step aaaa2",
            "aaaa1  Step aaaa1  (production)",
        ]);
    }

    [Fact]
    public async Task Status_says_what_is_unclear_about_a_database()
    {
        var tree = RevisionTargetTests.Tree("aaaa1,bbbb1", "bbbb1", "aaaa1");
        var unknown = await server.NewDatabaseAsync(TargetEnvironment.Staging);
        var empty = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(unknown, "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('zzzz')");

        var status = await new StatusView(new RevisionOrigin(RealServer.NewRun(), server.Commands)).ReadAsync(tree, [unknown, empty], CancellationToken.None);

        status.Environments[0].Problem.ShouldNotBeNull().ShouldContain("is at zzzz, which is not in");
        status.Environments[1].Problem.ShouldNotBeNull().ShouldContain("2 heads: aaaa1, bbbb1");
        status.Differ.ShouldBe(true);
    }

    [Fact]
    public async Task A_new_migration_follows_the_head_and_its_file_is_told()
    {
        var (tree, run) = (await TestTree.NewAsync(server, "new ü"), RealServer.NewRun());
        tree.AddTables(1);
        var create = new NewMigration(run, server.Commands, tree.Python, tree.Reader, tree.Project);

        var revision = await create.CreateAsync("-- Add a \"thing\"; it's 100% new", autogenerateFrom: null, CancellationToken.None);
        tree.Add("r9999", "r1000", "pass");

        revision.Parents.ShouldBe(["r1000"]);
        File.Exists(revision.File).ShouldBeTrue();
        revision.Message.ShouldBe("-- Add a \"thing\"; it's 100% new");
        (await Should.ThrowAsync<RefusedException>(() => create.CreateAsync("another", null, CancellationToken.None))).Message.ShouldContain("2 heads");
        await Should.ThrowAsync<BadInputException>(() => create.CreateAsync(" ", null, CancellationToken.None));
    }

    [Fact]
    public async Task Autogenerate_asks_the_database_and_wants_it_at_head()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        File.WriteAllText(Path.Combine(tree.Folder, "env.py"), TestTree.PlainEnv.Replace("target_metadata=None", "target_metadata=__import__('sqlalchemy').MetaData()", StringComparison.Ordinal));
        tree.AddTables(1);
        var create = new NewMigration(run, server.Commands, tree.Python, tree.Reader, tree.Project);

        var behind = await Should.ThrowAsync<FailedCleanException>(() => create.CreateAsync("x", environment, CancellationToken.None));
        await tree.Migrator(run).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, CancellationToken.None);
        var revision = await create.CreateAsync("Drop what the models lack", environment, CancellationToken.None);

        behind.Message.ShouldContain("not up to date");
        behind.Next.ShouldContain("./build.sh MigrateProduction");
        revision.Parents.ShouldBe(["r1000"]);
    }
}
