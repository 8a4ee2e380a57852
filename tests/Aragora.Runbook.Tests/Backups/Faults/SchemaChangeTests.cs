using System.Collections.Concurrent;
using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups.Faults;

/// <summary>DDL that comes between the snapshot and the end of the dump: it happens right before pg_dump starts, when the snapshot is there and its tables are locked.</summary>
public sealed class SchemaChangeTests(RealServer server)
{
    private const string Content =
        """
        CREATE TABLE large AS SELECT md5(i::text) AS a FROM generate_series(1, 20000) i;
        CREATE TABLE later AS SELECT 1 AS i;
        CREATE FUNCTION fee() RETURNS int LANGUAGE sql AS 'SELECT 0';
        CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER watched BEFORE INSERT ON large FOR EACH ROW EXECUTE FUNCTION watch();
        CREATE VIEW shown AS SELECT a FROM large;
        CREATE INDEX by_a ON large (a);
        """;

    /// <summary>The dump waits for this DDL here: it must not wait for the dump.</summary>
    private const string Impatient = "SET lock_timeout = '20s'; ";

    private static readonly BackupOptions Options = new() { Jobs = 2, LockRetryPause = TimeSpan.Zero, LockAttempts = 3 };

    private readonly ConcurrentQueue<string> log = new();

    [Theory]
    [InlineData("CREATE OR REPLACE FUNCTION fee() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.fee was changed")]
    [InlineData("DROP FUNCTION fee()", "function public.fee was dropped")]
    [InlineData("ALTER INDEX by_a RENAME TO by_b", "index public.by_a is called public.by_b now")]
    [InlineData("ALTER VIEW shown RENAME TO seen", "view public.shown is called public.seen now")]
    public async Task A_definition_that_is_changed_once_during_the_dump_is_survived_by_a_second_attempt(string ddl, string told)
    {
        var (environment, run) = await NewAsync();
        var attempts = 0;

        var made = await BackUpAsync(run, environment, () => ++attempts == 1 ? RealServer.SqlAsync(environment, Impatient + ddl) : Task.CompletedTask);

        attempts.ShouldBe(2);
        log.ShouldContain(line => line.Contains("was overtaken by a change of the schema", StringComparison.Ordinal) && line.Contains(told, StringComparison.Ordinal) && line.Contains("attempt 2 of 3", StringComparison.Ordinal), string.Join('\n', log));
        (await BackupScenario.VerifyAsync(run, environment, made.Backup)).Evidence.Green.ShouldBeTrue();
    }

    [Theory]
    [InlineData("CREATE OR REPLACE FUNCTION fee() RETURNS int LANGUAGE sql AS 'SELECT {0}'", "function public.fee was changed", 0)]
    [InlineData("CREATE OR REPLACE TRIGGER watched BEFORE INSERT ON large FOR EACH ROW WHEN (NEW.a <> '{0}') EXECUTE FUNCTION watch()", "trigger watched on public.large was changed", 14)]
    public async Task A_definition_that_is_changed_at_every_attempt_ends_in_a_message_that_names_it(string ddl, string told, int since)
    {
        var (environment, run) = await NewAsync();
        await using (var session = await PostgresSession.OpenAsync(environment, "aragora-tests"))
        {
            Assert.SkipWhen(session.ServerVersion.Major < since, "this server cannot replace one");
        }

        var attempts = 0;

        var failure = await Should.ThrowAsync<FailedCleanException>(() => BackUpAsync(run, environment, () => RealServer.SqlAsync(environment, Impatient + string.Format(CultureInfo.InvariantCulture, ddl, ++attempts))));

        attempts.ShouldBe(3);
        failure.What.ShouldBe("The schema of the production database was changed while it was backed up, also at attempt 3; the unfinished backup was removed.");
        failure.Why.ShouldStartWith(told);
        failure.Next.ShouldContain("./build.sh Backup");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
        run.Evidence.ReadAll().Accepted.ShouldNotContain(evidence => evidence.Green);
    }

    [Theory]
    [InlineData("CREATE OR REPLACE FUNCTION fee() RETURNS int LANGUAGE sql AS 'SELECT 0'")]
    [InlineData("GRANT EXECUTE ON FUNCTION fee() TO pg_monitor")]
    [InlineData("ALTER TABLE large DISABLE TRIGGER watched")]
    [InlineData("CREATE FUNCTION another() RETURNS int LANGUAGE sql AS 'SELECT 2'")]
    [InlineData("CREATE OR REPLACE VIEW shown AS SELECT a FROM large WHERE a > 'b'")]
    public async Task What_the_snapshot_itself_keeps_apart_costs_no_attempt_and_is_verified(string ddl)
    {
        var (environment, run) = await NewAsync();
        var attempts = 0;

        var made = await BackUpAsync(run, environment, () => ++attempts == 1 ? RealServer.SqlAsync(environment, Impatient + ddl) : Task.CompletedTask);

        attempts.ShouldBe(1);
        (await BackupScenario.VerifyAsync(run, environment, made.Backup)).Evidence.Green.ShouldBeTrue();
    }

    [Fact]
    public async Task DDL_that_queues_behind_the_snapshot_stops_one_dump_is_named_and_is_in_the_next_one()
    {
        var (environment, run) = await NewAsync();
        await using var migration = await PostgresSession.OpenAsync(environment, "the migration");
        Task? ddl = null;

        var made = await BackUpAsync(run, environment, async () =>
        {
            if (ddl is null)
            {
                ddl = migration.ExecuteAsync("ALTER TABLE large ADD COLUMN c int; ALTER TABLE later ADD COLUMN c int", CancellationToken.None);
                await UntilWaitingAsync(environment, migration, "relation");
            }
        });

        await ddl!;
        log.ShouldContain(line => line.Contains("met a lock", StringComparison.Ordinal) && line.Contains($"session {migration.ProcessId} (", StringComparison.Ordinal) && line.Contains("attempt 2 of 3", StringComparison.Ordinal), string.Join('\n', log));
        made.Backup.Manifest.Digest.Catalogue.ShouldContain(line => line.Kind == "column" && line.Name == "public.large.c");
        (await BackupScenario.VerifyAsync(run, environment, made.Backup)).Evidence.Green.ShouldBeTrue();
    }

    [Fact]
    public async Task An_index_that_is_built_concurrently_waits_for_the_dump_and_is_named_as_waiting()
    {
        var (environment, run) = await NewAsync();
        await using var builder = await PostgresSession.OpenAsync(environment, "the builder");
        Task? building = null;
        var attempts = 0;

        var made = await BackUpAsync(run, environment, async () =>
        {
            attempts++;
            building = builder.ExecuteAsync("CREATE INDEX CONCURRENTLY slowly ON large (a)", CancellationToken.None);
            await UntilWaitingAsync(environment, builder, "virtualxid");
            await ProcessesOn.UntilAsync(() => log.Any(IsNamed), building);
        });

        await building!;
        attempts.ShouldBe(1);
        log.Any(IsNamed).ShouldBeTrue(string.Join('\n', log));
        made.Backup.Manifest.Digest.Catalogue.ShouldNotContain(line => line.Name == "public.slowly");
        (await BackupScenario.VerifyAsync(run, environment, made.Backup)).Evidence.Green.ShouldBeTrue();
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        (await session.ScalarAsync<bool>("SELECT indisvalid FROM pg_index WHERE indexrelid = 'slowly'::regclass", CancellationToken.None)).ShouldBeTrue();

        bool IsNamed(string line) => line.Contains($"session {builder.ProcessId} (", StringComparison.Ordinal) && line.Contains("CREATE INDEX CONCURRENTLY slowly", StringComparison.Ordinal) && line.EndsWith("waits for the end of the backup's snapshot; who reads or writes does not wait behind it", StringComparison.Ordinal);
    }

    private async Task<(DatabaseEnvironment Environment, RunContext Run)> NewAsync()
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, Content);
        return (environment, RealServer.NewRun(new LoggerConfiguration().WriteTo.Sink(new Lines(log)).CreateLogger()));
    }

    private static Task<MadeBackup> BackUpAsync(RunContext run, DatabaseEnvironment environment, Func<Task> beforeDump) =>
        BackupScenario.BackUpAsync(run, environment, Options, commands: new BeforeDump(beforeDump));

    private static async Task UntilWaitingAsync(DatabaseEnvironment environment, PostgresSession session, string what)
    {
        await using var watch = await PostgresSession.OpenAsync(environment, "aragora-tests");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await watch.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock' AND wait_event = $2)", deadline.Token, session.ProcessId, what))
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    private sealed class BeforeDump(Func<Task> first) : ICommandRunner
    {
        public async Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            if (command.Arguments.Contains("--format=directory") && command.Arguments.Any(argument => argument.StartsWith("--snapshot=", StringComparison.Ordinal)))
            {
                await first();
            }

            return await BackupScenario.Commands.RunAsync(command, onLine, cancellation);
        }
    }

    private sealed class Lines(ConcurrentQueue<string> rendered) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => rendered.Enqueue(logEvent.RenderMessage(CultureInfo.InvariantCulture));
    }
}
