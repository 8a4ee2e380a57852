using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Digests;
using Npgsql;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups.Faults;

/// <summary>Sources that do not keep still while they are dumped, and sources that are odd: through both steps as a whole.</summary>
public sealed class BusySourceTests(RealServer server)
{
    [Fact]
    public async Task Writes_TRUNCATE_and_sequences_that_move_during_the_dump_do_not_make_it_doubtful()
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, """
            CREATE TABLE orders (id bigserial PRIMARY KEY, amount int, note text);
            INSERT INTO orders (amount, note) SELECT i, md5(i::text) FROM generate_series(1, 200000) i;
            CREATE TABLE queue (id bigint GENERATED ALWAYS AS IDENTITY, payload text);
            CREATE SEQUENCE down INCREMENT -1;
            CREATE SEQUENCE rolling MAXVALUE 1000000 START 999998 CYCLE;
            """);
        var run = RealServer.NewRun();
        using var over = new CancellationTokenSource();
        Task[] writers =
        [
            WriteAsync(environment, over.Token, "INSERT INTO orders (amount) SELECT nextval('down') FROM generate_series(1, 5)", "UPDATE orders SET amount = amount + 1 WHERE id % 5000 = 1", "DELETE FROM orders WHERE id % 9973 = 2"),
            WriteAsync(environment, over.Token, "INSERT INTO queue (payload) VALUES ('x')", "DO $$ BEGIN LOCK TABLE queue IN ACCESS EXCLUSIVE MODE NOWAIT; TRUNCATE queue; INSERT INTO queue (payload) VALUES ('y'); END $$", "SELECT nextval('rolling')"),
            WriteAsync(environment, over.Token, "SELECT lo_from_bytea(0, '\\x0102')", "UPDATE orders SET note = 'changed' WHERE id = 3"),
        ];
        MadeBackup made;
        try
        {
            made = await BackupScenario.BackUpAsync(run, environment, new BackupOptions { Jobs = 2, LockRetryPause = TimeSpan.Zero, LockAttempts = 10 });
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(writers);
        }

        var moved = made.Backup.Manifest.Digest.Sequences["public.down"];
        moved.Before.ShouldNotBe(moved.After, "nothing was written during the dump: the test proves nothing");
        (await BackupScenario.VerifyAsync(run, environment, made.Backup)).Evidence.Green.ShouldBeTrue();
    }

    [Theory]
    [InlineData("backend_start = (SELECT min(backend_start) FROM pg_stat_activity WHERE application_name = $1)")] // the snapshot's, which reads the digest
    [InlineData("state = 'active' AND query LIKE 'COPY%'")] // a worker's of pg_dump
    public async Task A_connection_that_is_lost_in_the_middle_ends_it_and_leaves_nothing(string which)
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, "CREATE TABLE large AS SELECT md5(i::text) AS a, md5((-i)::text) AS b FROM generate_series(1, 400000) i");
        var run = RealServer.NewRun();
        var backup = BackupScenario.BackUpAsync(run, environment, new BackupOptions { Jobs = 2, CompressionLevel = 9 });
        await using (var other = await PostgresSession.OpenAsync(environment, "the one who ends it"))
        {
            await ProcessesOn.UntilAsync(() => BackupScenario.BackupsIn(run).Any(folder => Directory.EnumerateFiles(folder, "*.dat*").Any()), backup);
            while (await other.ScalarAsync<long>($"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1 AND {which}", CancellationToken.None, $"aragora-backup-{run.RunId}") == 0 && !backup.IsCompleted)
            {
                await Task.Yield();
            }
        }

        var failure = await Should.ThrowAsync<Exception>(() => backup);

        failure.ShouldBeOfType<FailedCleanException>(failure.ToString()).Message.ShouldMatch("connection|terminat");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
        run.Evidence.ReadAll().Accepted.ShouldNotContain(evidence => evidence.Kind == EvidenceKinds.Backup && evidence.Green);
        if (OperatingSystem.IsLinux())
        {
            ProcessesOn.Folder(run.Root).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Two_thousand_tables_are_backed_up_and_verified()
    {
        var environment = await server.NewDatabaseAsync();
        for (var first = 0; first < 2000; first += 500)
        {
            await RealServer.SqlAsync(environment, string.Join(';', Enumerable.Range(first, 500).Select(i => string.Create(CultureInfo.InvariantCulture, $"CREATE TABLE t{i} (id int, note text DEFAULT 'n'); INSERT INTO t{i} VALUES ({i})"))));
        }

        await VerifiesAsync(environment, tables: 2000);
    }

    [Fact]
    public async Task A_database_with_everything_in_it_is_verified()
    {
        var environment = await server.NewDatabaseAsync();
        var superuser = environment.Database.User;
        await RealServer.SqlAsync(environment, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s \"fine\"')");
        await RealServer.SqlAsync(environment, "ALTER TYPE mood ADD VALUE 'first' BEFORE 'sad'");
        await RealServer.SqlAsync(environment, DigestZoo.Sql.Replace("ROLE_reader, ROLE_owner", superuser, StringComparison.Ordinal).Replace("ROLE_owner", superuser, StringComparison.Ordinal).Replace("ROLE_reader", "PUBLIC", StringComparison.Ordinal));

        await VerifiesAsync(environment, tables: 10);
    }

    [Fact]
    public async Task A_database_whose_name_nobody_would_choose_is_verified()
    {
        var environment = await BackupScenario.NewFilledAsync(server, "dbname='x' \"y\"\n列 \\ %s $HOME -- /*" + Guid.NewGuid().ToString("N")[..12]);
        try
        {
            await VerifiesAsync(environment, tables: 5);
        }
        finally
        {
            await server.DropDatabaseAsync(environment);
        }
    }

    private static async Task VerifiesAsync(DatabaseEnvironment environment, int tables)
    {
        var run = RealServer.NewRun();
        var made = await BackupScenario.BackUpAsync(run, environment);
        var verified = await BackupScenario.VerifyAsync(run, environment, made.Backup);
        verified.Evidence.Green.ShouldBeTrue();
        verified.Facts.TablesCompared.ShouldBeGreaterThanOrEqualTo(tables);
    }

    private static async Task WriteAsync(DatabaseEnvironment environment, CancellationToken over, params string[] statements)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "a writer", cancellation: CancellationToken.None);
        for (var i = 0; !over.IsCancellationRequested; i++)
        {
            try
            {
                await session.ExecuteAsync(statements[i % statements.Length], CancellationToken.None);
            }
            catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                // The dump holds the table. Whoever waits for it instead ends the dump: that is another test.
                continue;
            }
        }
    }
}
