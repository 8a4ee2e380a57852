using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class CancellationTests(RealServer server)
{
    [Theory]
    [InlineData("op.execute('CREATE TABLE half (a int)')\nop.execute('SELECT pg_sleep(300)')")]
    [InlineData("op.execute('CREATE TABLE half (a int)')\nop.execute('SET application_name = \\'aragora-migrate-asleep\\'')\ntime.sleep(300)")]
    public async Task A_cancelled_migration_rolls_back_ends_its_children_and_frees_the_lock(string upgrade)
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.Add("r1000", null, upgrade);
        using var cancel = new CancellationTokenSource();
        var definition = await tree.ReadAsync();
        var runner = new LocalAlembicRunner(server.Commands, tree.Python, tree.Project, run.Secrets, run.Log, TimeProvider.System) { RollbackPatience = TimeSpan.FromMilliseconds(500) };

        var migration = new Migrator(run, server.Commands, runner, new MigratorOptions()).MigrateAsync(environment, definition, "head", gate: null, cancel.Token);
        await UntilAsync(environment, "query LIKE '%pg_sleep(300)%' OR application_name = 'aragora-migrate-asleep'", migration);
        await cancel.CancelAsync();
        var told = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => migration);

        told.Message.ShouldContain("migrate production was cancelled. The database is unchanged, at base");
        (await new MigrationSessions(environment).ListAsync(CancellationToken.None)).ShouldBeEmpty();
        await using var lease = await new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, CancellationToken.None);
    }

    [Fact]
    public async Task A_second_migration_is_refused_and_a_cancellation_after_a_committed_revision_needs_a_person()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.AddTables(1).Add("r2000", "r1000", "op.execute('SELECT pg_sleep(300)')");
        using var cancel = new CancellationTokenSource();
        var definition = await tree.ReadAsync();

        var migration = tree.Migrator(run).MigrateAsync(environment, definition, "head", gate: null, cancel.Token);
        await UntilAsync(environment, "query LIKE '%pg_sleep(300)%'", migration);
        var second = await Should.ThrowAsync<RefusedException>(() => tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, definition, "head", gate: null, CancellationToken.None));
        await cancel.CancelAsync();
        var told = await Should.ThrowAsync<NeedsPersonException>(migration);

        second.Message.ShouldContain($"aragora-guard-{run.RunId}");
        second.Message.ShouldContain("SELECT pg_sleep(300)");
        told.Message.ShouldContain("was cancelled");
        told.Message.ShouldContain("The database is at r1000: 1 of 2 revisions are committed");
    }

    [Fact]
    public async Task A_migration_whose_guard_is_lost_is_ended()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.Add("r1000", null, "op.execute('SELECT pg_sleep(300)')");
        var definition = await tree.ReadAsync();

        var migration = tree.Migrator(run, new MigratorOptions { GuardHeartbeat = TimeSpan.FromMilliseconds(50) }).MigrateAsync(environment, definition, "head", gate: null, CancellationToken.None);
        await UntilAsync(environment, "query LIKE '%pg_sleep(300)%'", migration);
        await RealServer.SqlAsync(environment, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{SingleFlight.NamePrefix}{run.RunId}'");
        var told = await Should.ThrowAsync<FailedCleanException>(migration);

        told.Message.ShouldContain("the session that guards it was lost");
        told.Message.ShouldContain("unchanged, at base");
    }

    private static async Task UntilAsync(DatabaseEnvironment environment, string condition, Task migration)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await session.ScalarAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ({condition})", deadline.Token) == 0)
        {
            if (migration.IsCompleted)
            {
                await migration;
            }

            await Task.Delay(20, deadline.Token);
        }
    }
}
