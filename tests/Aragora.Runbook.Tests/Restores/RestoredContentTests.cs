using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Restores;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Restores;

public sealed class RestoredContentTests(RealServer server)
{
    [Fact]
    public async Task A_table_of_that_name_without_a_revision_is_left_out()
    {
        var database = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE SCHEMA other; CREATE TABLE other.alembic_version (i int); CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('b'), ('a')");
        (await RestoredContent.RevisionsAsync(database, CancellationToken.None)).ShouldHaveSingleItem().ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Two_tables_that_read_the_same_without_quotes_are_counted_together()
    {
        var database = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(database, """
            CREATE SCHEMA a; CREATE SCHEMA "a.b";
            CREATE TABLE a."b.c" AS SELECT 1 AS i; CREATE TABLE "a.b".c AS SELECT 1 AS i; ANALYZE a."b.c"; ANALYZE "a.b".c
            """);
        await using var session = await PostgresSession.OpenAsync(database, "aragora-tests");
        (await BackupSource.ReadAsync(session, database, CancellationToken.None)).Tables.ShouldHaveSingleItem().ShouldBe(new("a.b.c", new SourceTable(2, 2)));
    }
}
