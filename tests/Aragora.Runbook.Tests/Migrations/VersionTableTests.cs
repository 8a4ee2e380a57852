using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class VersionTableTests(RealServer server)
{
    [Fact]
    public async Task A_first_migration_that_commits_while_it_is_looked_is_no_reason_to_refuse()
    {
        var environment = await server.NewDatabaseAsync();
        var before = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);
        await RealServer.SqlAsync(environment, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('r1000'); CREATE TABLE users (id int)");

        await VersionTable.RequireAsync(environment, before, CancellationToken.None);
    }

    [Fact]
    public async Task Tables_without_a_revision_and_a_revision_that_is_not_on_the_search_path_are_told_apart()
    {
        var tables = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(tables, "CREATE TABLE users (id int)");
        var elsewhere = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(elsewhere, "CREATE SCHEMA shop; CREATE TABLE shop.alembic_version (version_num varchar(32) PRIMARY KEY)");

        (await RefusedAsync(tables)).ShouldBe("The production database has 1 table but no alembic_version.");
        (await RefusedAsync(elsewhere)).ShouldStartWith("The production database keeps its revision in shop.alembic_version, which is not on the search_path");
    }

    private static async Task<string> RefusedAsync(DatabaseEnvironment environment)
    {
        var facts = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);
        return (await Should.ThrowAsync<RefusedException>(() => VersionTable.RequireAsync(environment, facts, CancellationToken.None))).What;
    }
}
