using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

public sealed class RestoreRollbackTests(RealServer server)
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_migration_that_goes_on_without_its_run_refuses_a_restore_and_a_cluster_that_cannot_be_asked_does_not()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var running = new Runbook.Migrations.RunningMigration("job aragora/x", "20261125T020000Z-dead", Runbook.Migrations.MigrationDirection.Upgrade, "r2000", "tree", "aragora-migrate-x");

        var refusal = await Should.ThrowAsync<RefusedException>(() => Rollback((_, _) => Task.FromResult<Runbook.Migrations.RunningMigration?>(running)).RunAsync(shop.Environment, shop.Backup, CancellationToken.None));
        refusal.Message.ShouldContain("job aragora/x, started by run 20261125T020000Z-dead");
        await Rollback((_, _) => throw new BadInputException("The cluster is away.", "", "")).RunAsync(shop.Environment, shop.Backup, CancellationToken.None);
        var another = await RestoreScenario.NewAsync(server);
        await Rollback((_, _) => throw new HttpRequestException("the engine's socket was closed")).RunAsync(another.Environment, another.Backup, CancellationToken.None);

        RestoreRollback Rollback(Func<DatabaseEnvironment, CancellationToken, Task<Runbook.Migrations.RunningMigration?>> asked) =>
            new(RealServer.NewRun(), BackupScenario.Commands, new RestoreOptions { Backup = new BackupOptions(), Running = asked }, new BackupScenario.SilentProgress());
    }

    [Fact]
    public async Task A_plain_owner_gets_the_backup_back_and_the_old_database_is_kept_closed()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await shop.MoveOnAsync();

        var result = await shop.RestoreAsync("4");

        (await shop.GenerationAsync()).ShouldBe(1);
        result.After.Revisions.ShouldBe(["r1000"]);
        result.Facts.LostWrites.ShouldBe(4, "three rows, and the table r2000");
        (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, true), (result.Facts.KeptDatabase, false)]);
        (await shop.AskAsync<float>("SELECT reltuples FROM pg_class WHERE relname = 'users'")).ShouldBe(2000, "it was analysed before it was exchanged");
        TestContext.Current.SendDiagnosticMessage("unavailable for {0} ms", result.Facts.Unavailable.TotalMilliseconds);
        var evidence = shop.Run.Evidence.ReadAll().Accepted.Single(record => record.Kind == EvidenceKinds.Rollback);
        evidence.FactsAs<RestoreFacts>().ShouldSatisfyAllConditions(facts => facts.KeptDatabase.ShouldBe(result.Facts.KeptDatabase), facts => facts.From.ShouldBe(["r2000"]));
        EvidenceFact.Of(evidence).ShouldContain("4 writes lost");
        (await ActsAsync(shop.Run)).ShouldContain("exchange the live database for the restored copy");
        (await OverridesAsync(shop.Run)).ShouldHaveSingleItem().ShouldStartWith("override: accept lost writes {\"environment\":\"production\"");
        await shop.SqlAsync("INSERT INTO users (name) VALUES ('after')");
    }

    [Fact]
    public async Task What_is_printed_to_take_it_back_takes_it_back()
    {
        var shop = await RestoreScenario.NewAsync(server, $"odd \"name\" é {Guid.NewGuid():N}");
        await shop.MoveOnAsync();
        var result = await shop.RestoreAsync("4");

        await using (var session = await PostgresSession.OpenAsync(shop.Environment, "aragora-tests", "postgres"))
        {
            foreach (var sql in DatabaseSwap.ReverseSql(shop.Environment.Database.Database, result.Facts.KeptDatabase, DatabaseNames.Undone(shop.Environment.Database.Database, shop.Run.RunId)))
            {
                await session.ExecuteAsync(sql, None);
            }
        }

        (await shop.GenerationAsync()).ShouldBe(2);
        (await RestoreStatus.ReadAsync(shop.Environment, shop.Run.Clock.GetUtcNow(), None)).Lines.ShouldHaveSingleItem().ShouldMatch($"run {shop.Run.RunId} put in its place, and somebody took out again, [0-9]+ s ago");
        var again = await shop.RestoreAsync("4", RealServer.NewRun());
        again.Facts.LostWrites.ShouldBe(4, "the old database is the one that the backup was taken from");
    }

    [Fact]
    public async Task Grants_settings_comment_limit_and_owner_are_carried_over()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var (name, role) = (shop.Environment.Database.Database, shop.Environment.Database.User);
        await RealServer.SqlAsync(shop.Administrator, $"""
            CREATE ROLE "reader of {name}";
            REVOKE ALL ON DATABASE {name} FROM PUBLIC;
            GRANT CONNECT ON DATABASE {name} TO "reader of {name}" WITH GRANT OPTION;
            ALTER DATABASE {name} SET search_path = "$user", public, "odd, ""one";
            ALTER DATABASE {name} SET work_mem = 65536;
            ALTER DATABASE {name} SET application_name = E'it''s %I \\ here';
            ALTER ROLE {role} IN DATABASE {name} SET statement_timeout = '55min';
            COMMENT ON DATABASE {name} IS E'the shop\nof ''ours''';
            ALTER DATABASE {name} CONNECTION LIMIT 40;
            """);
        var before = await BelongingsAsync(shop);

        await shop.RestoreAsync();

        (await BelongingsAsync(shop)).ShouldBe(before);
        before.Count.ShouldBeGreaterThan(8);
        (await shop.AskAsync<string>("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"))!.ShouldStartWith("the shop\nof 'ours'\n[aragora] ");
    }

    [Fact]
    public async Task A_setting_that_the_role_may_not_make_is_named_before_anything_is_restored()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await RealServer.SqlAsync(shop.Administrator, $"ALTER DATABASE {shop.Environment.Database.Database} SET log_min_duration_statement = 100");

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync());

        refusal.Why.ShouldContain("\"log_min_duration_statement\" TO '100'");
        (await ActsAsync(shop.Run)).ShouldNotContain("restore into the copy");
        await ShouldBeUntouchedAsync(shop);
    }

    [Theory]
    [InlineData("BEGIN; INSERT INTO generation VALUES (3); PREPARE TRANSACTION 'half ''done {0}'", "prepared transaction 'half ''done", "ROLLBACK PREPARED 'half ''done {0}'")]
    [InlineData("SELECT pg_create_logical_replication_slot('s{0}', 'pgoutput')", "logical replication slot s", "SELECT pg_drop_replication_slot('s{0}')")]
    [InlineData("CREATE SUBSCRIPTION s{0} CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false)", "subscription s", "ALTER SUBSCRIPTION s{0} SET (slot_name = NONE); DROP SUBSCRIPTION s{0}")]
    public async Task What_is_bound_to_the_very_database_refuses_by_name(string make, string named, string remove)
    {
        var shop = await RestoreScenario.NewAsync(server);
        var id = shop.Run.RunId;
        await RealServer.SqlAsync(shop.Administrator, string.Format(System.Globalization.CultureInfo.InvariantCulture, make, id));
        try
        {
            var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync("100"));

            refusal.What.ShouldContain(named + (named.EndsWith('s') ? id : ""));
            (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, true)]);
        }
        finally
        {
            foreach (var sql in string.Format(System.Globalization.CultureInfo.InvariantCulture, remove, id).Split(';', StringSplitOptions.RemoveEmptyEntries))
            {
                await RealServer.SqlAsync(shop.Administrator, sql);
            }
        }
    }

    [Fact]
    public async Task Too_little_disk_for_a_second_copy_refuses_where_it_can_be_known_and_is_said_where_not()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await using var plain = await PostgresSession.OpenAsync(shop.Environment, "aragora-tests", "postgres");
        await using var superuser = await PostgresSession.OpenAsync(shop.Administrator, "aragora-tests", "postgres");

        (await RestoreObstacles.RequireRoomAsync(plain, shop.Environment, 1_000_000, _ => 0, None)).ShouldContain("cannot be known from here");
        (await RestoreObstacles.RequireRoomAsync(superuser, shop.Environment, 1_000_000, _ => 1_000_000, None)).ShouldContain("are free on the server");
        (await Should.ThrowAsync<RefusedException>(() => RestoreObstacles.RequireRoomAsync(superuser, shop.Environment, 1_000_000, _ => 999_999, None))).What.ShouldContain("1.0 MB needed");
    }

    [Fact]
    public async Task Writes_since_the_backup_are_counted_and_refused_with_the_command_that_accepts_them()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await shop.MoveOnAsync();

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync("3"));

        refusal.What.ShouldContain("would lose 4 writes, and 3 are accepted");
        refusal.Next.ShouldBe($"./build.sh Rollback --target-environment Production --strategy Restore --backup {shop.Backup.Name} --accept-lost-writes 4");
        (await ActsAsync(shop.Run)).ShouldNotContain("make a copy beside the live database", "it was known before hours were spent on a restore");
        await ShouldBeUntouchedAsync(shop, generation: 2);
    }

    [Fact]
    public async Task Statistics_that_were_reset_want_unknown_to_be_accepted()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await RealServer.SqlAsync(shop.Administrator, "SELECT pg_stat_reset()");

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync("1000000"));
        var result = await shop.RestoreAsync("unknown", RealServer.NewRun());

        refusal.Why.ShouldContain("statistics were reset");
        refusal.Next.ShouldEndWith("--accept-lost-writes unknown");
        result.Facts.LostWrites.ShouldBeNull();
    }

    [Fact]
    public async Task What_is_written_while_the_copy_is_restored_is_counted_behind_the_fence()
    {
        var shop = await RestoreScenario.NewAsync(server, more: "CREATE TABLE big AS SELECT i, md5(i::text) AS t FROM generate_series(1, 300000) i; CREATE INDEX ON big (t);");

        var restoring = shop.RestoreAsync("1");
        await WhenAsync(async () => (await shop.DatabasesAsync()).Count == 2);
        await shop.SqlAsync("INSERT INTO users (name) SELECT 'while you were away' FROM generate_series(1, 7)");
        var refusal = await Should.ThrowAsync<RefusedException>(() => restoring);

        refusal.What.ShouldContain("would lose 7 writes, and 1 is accepted");
        (await ActsAsync(shop.Run)).ShouldContain("open the live database again");
        await ShouldBeUntouchedAsync(shop);
    }

    [Fact]
    public async Task A_session_that_this_role_may_not_end_refuses_and_is_left_in_peace()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await using var superuser = await PostgresSession.OpenAsync(shop.Administrator, "the boss");

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync());

        refusal.What.ShouldContain("the boss");
        (await superuser.ScalarAsync<int>("SELECT n FROM generation", None)).ShouldBe(1);
        await ShouldBeUntouchedAsync(shop);
    }

    [Fact]
    public async Task A_backup_whose_content_is_not_its_manifests_never_takes_the_place()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var run = RealServer.NewRun();
        var folder = BackupScenario.Copy(shop.Backup, run);
        BackupScenario.FixHashes(folder, manifest => manifest with { Digest = manifest.Digest with { Tables = manifest.Digest.Tables.ToDictionary(table => table.Key, table => table.Key == "public.generation" ? table.Value with { Hash = "1" } : table.Value) } });

        var failure = await Should.ThrowAsync<FailedCleanException>(() => shop.Rollback(run: run).RunAsync(shop.Environment, ManifestFile.Read(folder), None));

        failure.Message.ShouldContain("table public.generation: the content of its 1 row differs");
        await ShouldBeUntouchedAsync(shop);
    }

    [Fact]
    public async Task A_dump_that_was_cut_off_never_takes_the_place()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var run = RealServer.NewRun();
        var folder = BackupScenario.Copy(shop.Backup, run);
        var table = BackupScenario.LargestTable(folder);
        await File.WriteAllBytesAsync(table, (await File.ReadAllBytesAsync(table))[..100]);
        BackupScenario.FixHashes(folder);

        var failure = await Should.ThrowAsync<FailedCleanException>(() => shop.Rollback(run: run).RunAsync(shop.Environment, ManifestFile.Read(folder), None));

        failure.Message.ShouldContain("pg_restore: error:");
        await ShouldBeUntouchedAsync(shop);
    }

    /// <summary>pg_restore does what is in a dump, on the live server: nothing of a changed one may reach it.</summary>
    [Theory]
    [InlineData("toc.dat")]
    [InlineData("a table")]
    [InlineData("another file")]
    public async Task A_backup_whose_files_were_changed_is_refused_before_any_of_it_is_restored(string what)
    {
        var shop = await RestoreScenario.NewAsync(server);
        var path = what switch { "toc.dat" => Path.Combine(shop.Backup.Folder, what), "a table" => BackupScenario.LargestTable(shop.Backup.Folder), _ => Path.Combine(shop.Backup.Folder, "9999.dat") };
        if (File.Exists(path))
        {
            BackupScenario.Flip(path, new FileInfo(path).Length / 2);
        }
        else
        {
            await File.WriteAllTextAsync(path, "x");
        }

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync());

        refusal.What.ShouldBe($"{shop.Backup.Folder} is not the backup that was made.");
        refusal.Why.ShouldStartWith(Path.GetFileName(path) + ": ");
        await using var journal = new FileStream(shop.Run.Journal.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(journal);
        (await reader.ReadToEndAsync()).ShouldNotContain("make a copy beside the live database");
        await ShouldBeUntouchedAsync(shop);
    }

    [Fact]
    public async Task From_its_comparison_on_nobody_gets_into_the_copy()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var copies = new List<bool>();
        var rollback = new RestoreRollback(RealServer.NewRun(), BackupScenario.Commands, new RestoreOptions
        {
            Backup = new BackupOptions(),
            Running = async (_, _) =>
            {
                copies.AddRange((await shop.DatabasesAsync()).Where(database => database.Name != shop.Environment.Database.Database).Select(database => database.Open));
                return null;
            },
        }, new BackupScenario.SilentProgress());

        await rollback.RunAsync(shop.Environment, shop.Backup, None);

        copies.ShouldBe([false]);
    }

    [Fact]
    public async Task An_edited_manifest_is_refused_where_the_record_of_the_dump_is_there()
    {
        var shop = await RestoreScenario.NewAsync(server);
        BackupScenario.FixHashes(shop.Backup.Folder, manifest => manifest with { Who = "somebody else" });

        (await Should.ThrowAsync<RefusedException>(() => shop.Rollback().RunAsync(shop.Environment, ManifestFile.Read(shop.Backup.Folder), None))).What.ShouldContain("was edited since the backup was made");
    }

    [Fact]
    public async Task A_backup_of_another_database_is_refused()
    {
        var (shop, other) = (await RestoreScenario.NewAsync(server), await RestoreScenario.NewAsync(server));

        (await Should.ThrowAsync<RefusedException>(() => shop.Rollback().RunAsync(shop.Environment, other.Backup, None))).What.ShouldContain("is a backup of another database");
    }

    [Fact]
    public async Task The_same_backup_can_be_restored_again_and_a_backup_of_the_restored_one_as_well()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var first = await shop.RestoreAsync();
        await shop.SqlAsync("UPDATE generation SET n = 3");
        var newer = await BackupScenario.BackUpAsync(RealServer.NewRun(), shop.Environment);

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync(run: RealServer.NewRun()));
        var second = await shop.RestoreAsync("unknown", RealServer.NewRun());
        (await shop.GenerationAsync()).ShouldBe(1);
        var third = await shop.Rollback("unknown", RealServer.NewRun()).RunAsync(shop.Environment, newer.Backup, None);

        (await shop.GenerationAsync()).ShouldBe(3);
        refusal.Why.ShouldContain($"the backup is of the database that run {shop.Run.RunId} replaced");
        (await shop.DatabasesAsync()).Select(database => database.Name).ShouldBe(
            new[] { shop.Environment.Database.Database, first.Facts.KeptDatabase, second.Facts.KeptDatabase, third.Facts.KeptDatabase }.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Of_two_rollbacks_at_once_the_second_is_refused()
    {
        var shop = await RestoreScenario.NewAsync(server);

        var both = await Task.WhenAll(EndOfAsync(RealServer.NewRun()), EndOfAsync(RealServer.NewRun()));

        both.Count(failure => failure is null).ShouldBe(1);
        both.Single(failure => failure is not null).ShouldBeOfType<RefusedException>().What.ShouldContain("Another run is changing the production database");
        (await shop.DatabasesAsync()).Count.ShouldBe(2);

        async Task<Exception?> EndOfAsync(RunContext run)
        {
            try
            {
                await shop.RestoreAsync("0", run);
                return null;
            }
            catch (RunbookException failure)
            {
                return failure;
            }
        }
    }

    [Fact]
    public async Task Cancelled_while_it_restores_everything_is_as_it_was()
    {
        var shop = await RestoreScenario.NewAsync(server, more: "CREATE TABLE big AS SELECT i, md5(i::text) AS t FROM generate_series(1, 300000) i; CREATE INDEX ON big (t);");
        using var cancelling = new CancellationTokenSource();

        var restoring = shop.Rollback().RunAsync(shop.Environment, shop.Backup, cancelling.Token);
        await WhenAsync(async () => (await shop.DatabasesAsync()).Count == 2);
        await cancelling.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => restoring);

        await ShouldBeUntouchedAsync(shop);
    }

    private static async Task<IReadOnlyList<string>> BelongingsAsync(RestoreScenario shop)
    {
        await using var session = await PostgresSession.OpenAsync(shop.Administrator, "aragora-tests");
        await StableSettings.ApplyAsync(session, TimeSpan.Zero, None);
        return [.. (await CatalogueReader.ReadAsync(session, None)).Where(line => line.Kind.StartsWith("database ", StringComparison.Ordinal) || line.Kind == "locale")
            .Select(line => line.Kind == "database comment" ? line.Definition.Split("\n[aragora]")[0] : line.ToString())];
    }

    private static async Task ShouldBeUntouchedAsync(RestoreScenario shop, int generation = 1)
    {
        (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, true)]);
        (await shop.GenerationAsync()).ShouldBe(generation);
        (await shop.AskAsync<string>("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()")).ShouldBeNull();
        await shop.SqlAsync("UPDATE generation SET n = n");
    }

    private static async Task<IReadOnlyList<string>> ActsAsync(RunContext run)
    {
        var acts = (await JournalAsync(run)).Acts;
        acts.ShouldAllBe(act => act.Result != JournalReader.Interrupted);
        return [.. acts.Select(act => act.Act)];
    }

    private static async Task<IReadOnlyList<string>> OverridesAsync(RunContext run) => (await JournalAsync(run)).Overrides;

    private static async Task<(IReadOnlyList<ActOutcome> Acts, IReadOnlyList<string> Overrides)> JournalAsync(RunContext run)
    {
        var copy = Path.GetTempFileName();
        await using (var journal = new FileStream(run.Journal.Path, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite))
        await using (var file = File.OpenWrite(copy))
        {
            await journal.CopyToAsync(file);
        }

        var read = JournalReader.Read(copy);
        File.Delete(copy);
        return read;
    }

    private static async Task WhenAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
