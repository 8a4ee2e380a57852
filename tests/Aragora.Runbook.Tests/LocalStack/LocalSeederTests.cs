using Aragora.Runbook.Environments;
using Aragora.Runbook.LocalStack;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Servers;
using Serilog;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.LocalStack;

public sealed class LocalSeederTests(RealServer server) : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<string> upgrades = [];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_tree_without_a_seed_stays_empty_and_is_not_migrated()
    {
        (await Seeder().SeedAsync(await server.NewDatabaseAsync(), CancellationToken.None)).ShouldBeNull();
        upgrades.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_seeds_name_is_the_revision_that_is_migrated_to_before_it_runs()
    {
        var database = await server.NewDatabaseAsync();
        Seed("abc123", "INSERT INTO t SELECT 1; DO $$ BEGIN PERFORM 'a;b'; END $$; INSERT INTO t VALUES (2);");

        (await Seeder().SeedAsync(database, CancellationToken.None)).ShouldBe("abc123");

        upgrades.ShouldBe(["abc123"]);
        await RealServer.SqlAsync(database, "SELECT 1 / (count(*) = 2)::int FROM t");
    }

    [Fact]
    public async Task A_seed_that_fails_leaves_none_of_its_rows()
    {
        var database = await server.NewDatabaseAsync();
        Seed("abc123", "INSERT INTO t VALUES (1); INSERT INTO nowhere VALUES (2);");

        var failure = await Should.ThrowAsync<FailedCleanException>(() => Seeder().SeedAsync(database, CancellationToken.None));

        failure.Message.ShouldContain("nowhere");
        await RealServer.SqlAsync(database, "SELECT 1 / (count(*) = 0)::int FROM t");
    }

    [Fact]
    public async Task Two_seeds_are_one_too_many()
    {
        Seed("a", "");
        Seed("b", "");
        (await Should.ThrowAsync<BadInputException>(async () => await Seeder().SeedAsync(await server.NewDatabaseAsync(), CancellationToken.None))).Message.ShouldContain("a.sql, b.sql");
    }

    private void Seed(string revision, string sql)
    {
        Directory.CreateDirectory(folder["seed"]);
        File.WriteAllText(folder[$"seed/{revision}.sql"], sql);
    }

    private LocalSeeder Seeder() => new(
        folder["alembic.ini"],
        async (database, revision, _) =>
        {
            upgrades.Add(revision);
            await RealServer.SqlAsync(database, "CREATE TABLE t (n int)");
        },
        new LoggerConfiguration().CreateLogger());
}
