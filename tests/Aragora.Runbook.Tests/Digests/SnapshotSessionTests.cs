using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Npgsql;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Digests;

public sealed class SnapshotSessionTests(RealServer server)
{
    [Fact]
    public async Task A_TRUNCATE_that_came_first_is_in_the_snapshot_and_one_that_comes_later_waits_for_the_end()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE TABLE t AS SELECT 1 AS i");
        await using var other = await PostgresSession.OpenAsync(source, "aragora-tests");
        await other.ExecuteAsync("BEGIN; TRUNCATE t; INSERT INTO t VALUES (2), (3)", CancellationToken.None);
        var opening = SnapshotSession.OpenAsync(source, new SnapshotOptions(), CancellationToken.None);
        await WaitsForLockAsync(source, "aragora-snapshot");
        await other.ExecuteAsync("COMMIT", CancellationToken.None);
        await using var snapshot = await opening;

        var failure = await Should.ThrowAsync<PostgresException>(() => RealServer.SqlAsync(source, "SET lock_timeout = '50ms'; TRUNCATE t"));
        failure.SqlState.ShouldBe(PostgresErrorCodes.LockNotAvailable);
        await RealServer.SqlAsync(source, "INSERT INTO t VALUES (4)");

        var digest = await new DigestReader(snapshot).ReadAsync(jobs: 2);
        digest.Tables["public.t"].Rows.ShouldBe(2);
        var copy = await DigestZoo.DumpAndRestoreAsync(server, source, snapshot);
        DigestComparison.Compare(digest, await DigestZoo.DigestAsync(copy)).ShouldBeEmpty();
        snapshot.Attempt.ShouldBe(1);
    }

    [Fact]
    public async Task A_table_that_is_made_between_listing_and_locking_starts_it_over()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE TABLE t (i int)");
        var opening = await MakeTableMeanwhileAsync(source, new SnapshotOptions());
        await using var snapshot = await opening;
        snapshot.Attempt.ShouldBe(2);
        snapshot.Tables.Select(table => table.Name).ShouldBe(["public.made_meanwhile", "public.t"]);
        (await new DigestReader(snapshot).ReadAsync()).Tables["public.made_meanwhile"].Rows.ShouldBe(1);
    }

    [Fact]
    public async Task A_table_that_is_dropped_between_listing_and_locking_starts_it_over()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE TABLE t (i int); CREATE TABLE stays (i int)");
        await using var other = await PostgresSession.OpenAsync(source, "aragora-tests");
        await other.ExecuteAsync("BEGIN; DROP TABLE t", CancellationToken.None);
        var opening = SnapshotSession.OpenAsync(source, new SnapshotOptions(), CancellationToken.None);
        await WaitsForLockAsync(source, "aragora-snapshot");
        await other.ExecuteAsync("COMMIT", CancellationToken.None);
        await using var snapshot = await opening;
        snapshot.Attempt.ShouldBe(2);
        snapshot.Tables.Select(table => table.Name).ShouldBe(["public.stays"]);
    }

    [Fact]
    public async Task Starting_over_ends()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE TABLE t (i int)");
        var opening = await MakeTableMeanwhileAsync(source, new SnapshotOptions { Attempts = 1 });
        (await Should.ThrowAsync<FailedCleanException>(opening)).Message.ShouldStartWith("Tables of the production database were made, dropped or renamed at each of 1 attempts to lock them.");
    }

    [Fact]
    public async Task A_lock_that_is_not_had_in_time_is_said()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE TABLE t (i int)");
        await using var other = await PostgresSession.OpenAsync(source, "aragora-tests");
        await other.ExecuteAsync("BEGIN; LOCK TABLE t", CancellationToken.None);
        var failure = await Should.ThrowAsync<FailedCleanException>(() => SnapshotSession.OpenAsync(source, new SnapshotOptions { LockWaitTimeout = TimeSpan.FromMilliseconds(100) }, CancellationToken.None));
        failure.Why.ShouldBe("somebody holds, or waits for, an exclusive lock on one of them for longer than 0.1 s");
    }

    [Fact]
    public async Task Row_security_and_a_closed_table_are_refused_by_name()
    {
        var source = await server.NewDatabaseAsync();
        var role = $"reader_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(source, $"""
            CREATE ROLE {role} LOGIN PASSWORD 'secret-{role}';
            CREATE TABLE guarded (i int); CREATE TABLE closed (i int);
            GRANT SELECT ON guarded TO {role};
            """);
        var asReader = source with { Database = source.Database with { User = role, Password = $"secret-{role}" } };
        var closed = await Should.ThrowAsync<RefusedException>(() => SnapshotSession.OpenAsync(asReader, new SnapshotOptions(), CancellationToken.None));
        closed.Why.ShouldBe($"role \"{role}\" may not read all of them: permission denied for table closed");

        await RealServer.SqlAsync(source, $"GRANT SELECT ON closed TO {role}; ALTER TABLE guarded ENABLE ROW LEVEL SECURITY");
        var hidden = await Should.ThrowAsync<RefusedException>(() => SnapshotSession.OpenAsync(asReader, new SnapshotOptions(), CancellationToken.None));
        hidden.What.ShouldBe($"Row security would hide rows of public.guarded from role \"{role}\".");
        hidden.Next.ShouldStartWith($"ALTER ROLE \"{role}\" BYPASSRLS;");

        await RealServer.SqlAsync(source, $"ALTER ROLE {role} BYPASSRLS; INSERT INTO guarded VALUES (1)");
        (await DigestZoo.DigestAsync(asReader, jobs: 2)).Tables["public.guarded"].Rows.ShouldBe(1);
    }

    /// <summary>pg_dump waits for a view without end, behind DDL that would wait for us.</summary>
    [Fact]
    public async Task DDL_on_a_view_does_not_wait_for_the_snapshot_once_its_definition_was_read()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE VIEW shown AS SELECT 1 AS i; CREATE MATERIALIZED VIEW stored AS SELECT i FROM shown");
        await using var snapshot = await SnapshotSession.OpenAsync(source, new SnapshotOptions(), CancellationToken.None);

        var digest = await new DigestReader(snapshot).ReadAsync(jobs: 2);
        await RealServer.SqlAsync(source, "SET lock_timeout = '5s'; ALTER VIEW shown RENAME TO seen; ALTER MATERIALIZED VIEW stored RENAME TO kept");

        digest.Catalogue.ShouldContain(line => line.Kind == "view" && line.Name == "public.shown");
    }

    [Fact]
    public async Task Workers_read_on_while_DDL_queues_behind_the_snapshot()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE TABLE t AS SELECT generate_series(1, 10) AS i; CREATE TABLE u AS SELECT 1 AS i");
        await using var snapshot = await SnapshotSession.OpenAsync(source, new SnapshotOptions(), CancellationToken.None);
        await using var other = await PostgresSession.OpenAsync(source, "aragora-tests-ddl");
        var ddl = other.ExecuteAsync("ALTER TABLE t ADD COLUMN late int", CancellationToken.None);
        await WaitsForLockAsync(source, "aragora-tests-ddl");
        var digest = await new DigestReader(snapshot).ReadAsync(jobs: 3);
        digest.Tables["public.t"].Rows.ShouldBe(10);
        digest.Catalogue.ShouldNotContain(line => line.Name.Contains("late", StringComparison.Ordinal));
        await snapshot.DisposeAsync();
        await ddl;
    }

    [Fact]
    public async Task Sequences_that_move_during_the_dump_are_in_order_between_before_and_after_and_only_there()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE SEQUENCE s; CREATE SEQUENCE d INCREMENT -1; CREATE SEQUENCE c MAXVALUE 5 CYCLE; SELECT setval('c', 4), nextval('s'), nextval('d')");
        await using var snapshot = await SnapshotSession.OpenAsync(source, new SnapshotOptions(), CancellationToken.None);
        await RealServer.SqlAsync(source, "SELECT nextval('s'), nextval('d'), nextval('c')");
        var copy = await DigestZoo.DumpAndRestoreAsync(server, source, snapshot);
        await RealServer.SqlAsync(source, "SELECT nextval('s'), nextval('d'), nextval('c')");

        var digest = await new DigestReader(snapshot).ReadAsync();
        DigestComparison.Compare(digest, await DigestZoo.DigestAsync(copy)).Select(difference => difference.ToString()).ShouldBe(["sequence public.c: at 5 instead of 4", "sequence public.d: at -2 instead of -1", "sequence public.s: at 2 instead of 1"]);
        digest = digest.WithSequencesAfter(await snapshot.ReadSequencesAsync(CancellationToken.None));
        DigestComparison.Compare(digest, await DigestZoo.DigestAsync(copy)).ShouldBeEmpty();

        // One that cycles may have gone round: anywhere is right.
        await RealServer.SqlAsync(copy, "SELECT setval('s', 4), setval('d', -4), setval('c', 3)");
        DigestComparison.Compare(digest, await DigestZoo.DigestAsync(copy)).Select(difference => difference.ToString()).ShouldBe(
            ["sequence public.d: at -4, outside of -1 to -3", "sequence public.s: at 4, outside of 1 to 3"]);
    }

    [Fact]
    public async Task The_snapshot_says_when_and_where_it_was_taken_and_times_out_never()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, $"ALTER DATABASE \"{source.Database.Database}\" SET statement_timeout = 1; ALTER DATABASE \"{source.Database.Database}\" SET idle_in_transaction_session_timeout = 1");
        await using var snapshot = await SnapshotSession.OpenAsync(source, new SnapshotOptions(), CancellationToken.None);
        snapshot.WalPosition.ShouldMatch("^[0-9A-F]+/[0-9A-F]+$");
        snapshot.TakenAt.ShouldBeInRange(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddHours(1));
        await using var worker = await snapshot.OpenWorkerAsync(CancellationToken.None);
        foreach (var session in new[] { snapshot.Session, worker })
        {
            (await session.ScalarAsync<string>("SELECT concat_ws(' ', current_setting('transaction_read_only'), current_setting('transaction_isolation'), current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'), current_setting('TimeZone'), pg_sleep(0.05)::text)", CancellationToken.None))
                .ShouldBe("on repeatable read 0 0 UTC ");
        }
    }

    private static async Task<Task<SnapshotSession>> MakeTableMeanwhileAsync(DatabaseEnvironment source, SnapshotOptions options)
    {
        Task<SnapshotSession> opening;
        await using (var other = await PostgresSession.OpenAsync(source, "aragora-tests"))
        {
            await other.ExecuteAsync("BEGIN; LOCK TABLE t", CancellationToken.None);
            opening = SnapshotSession.OpenAsync(source, options, CancellationToken.None);
            await WaitsForLockAsync(source, "aragora-snapshot");
            await other.ExecuteAsync("CREATE TABLE made_meanwhile AS SELECT 1 AS i; COMMIT", CancellationToken.None);
        }

        return opening;
    }

    private static async Task WaitsForLockAsync(DatabaseEnvironment source, string applicationName)
    {
        await using var session = await PostgresSession.OpenAsync(source, "aragora-tests");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!await session.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 AND wait_event_type = 'Lock')", deadline.Token, applicationName))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), deadline.Token);
        }
    }
}
