using System.Text.Json;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class BackupStepTests(RealServer server, SharedBackup shared) : IClassFixture<SharedBackup>
{
    [Fact]
    public async Task A_database_with_everything_odd_is_dumped_and_verified()
    {
        var environment = await BackupScenario.NewFilledAsync(server);
        var run = RealServer.NewRun();

        var made = await BackupScenario.BackUpAsync(run, environment);
        var verified = await BackupScenario.VerifyAsync(run, environment, made.Backup);

        var manifest = ManifestFile.Read(made.Backup.Folder).Manifest;
        manifest.Revisions.ShouldBe(["0010"]);
        manifest.Database.IsSameDatabaseAs((await DatabaseInspector.ReadAsync(environment, CancellationToken.None)).Identity).ShouldBeTrue();
        manifest.Tables.ShouldBe(7);
        manifest.WalPosition.ShouldNotBeNullOrEmpty();
        manifest.TotalBytes.ShouldBe(Directory.EnumerateFiles(made.Backup.Folder).Where(path => !path.EndsWith("manifest.json", StringComparison.Ordinal)).Sum(path => new FileInfo(path).Length));
        manifest.PgDumpArguments.ShouldNotContain(argument => argument.Contains(environment.Database.Password!, StringComparison.Ordinal));
        verified.Facts.Files.ShouldBe(manifest.Files.Count);
        verified.Facts.ArchiveEntries.ShouldBe(manifest.ArchiveEntries);
        made.Evidence.FactsAs<BackupFacts>().Folder.ShouldBe($"artifacts/backups/{made.Backup.Name}");
        File.ReadAllText(run.Journal.Path).ShouldContain("back up production");
    }

    [Fact]
    public async Task What_was_backed_up_comes_back()
    {
        var made = shared.Made;
        var copy = await server.NewDatabaseAsync();
        using var password = PasswordFile.For(copy.Database);

        var restored = await BackupScenario.Commands.RunAsync(new()
        {
            Program = server.Server.Binaries["pg_restore"],
            Arguments = ["--exit-on-error", $"--dbname={ClientEnvironment.DatabaseArgument(copy.Database)}", made.Backup.Folder],
            Environment = ClientEnvironment.For(copy.Database, password, "restore-test"),
        });

        restored.Error.ShouldBeEmpty();
        await using var session = await PostgresSession.OpenAsync(copy, "tests");
        (await session.ScalarAsync<long>("SELECT count(*) FROM users", CancellationToken.None)).ShouldBe(20000);
        (await session.ScalarAsync<long>("SELECT count(*) FROM pg_largeobject_metadata", CancellationToken.None)).ShouldBe(1);
        (await session.ScalarAsync<string>("SELECT \"ü\" FROM \"odd \"\"name\"\" with ' and\nnewline\"", CancellationToken.None)).ShouldBe("\\.\n");
    }

    [Theory]
    [InlineData("we\"ird näme=x")]
    [InlineData("postgresql://evil.invalid/other")]
    [InlineData("host=evil.invalid dbname=other")]
    [InlineData("it's back\\slashed")]
    [InlineData("../../../escaped")]
    [InlineData("two\nlines")]
    [InlineData("CAPITALS and spaces")]
    public async Task A_database_of_any_name_is_dumped_into_a_folder_below_the_target(string name)
    {
        var unique = name + Guid.NewGuid().ToString("N")[..6];
        var environment = await server.NewDatabaseAsync(databaseName: unique);
        await RealServer.SqlAsync(environment, "CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
        var run = RealServer.NewRun();

        var made = await BackupScenario.BackUpAsync(run, environment);
        await BackupScenario.VerifyAsync(run, environment, made.Backup);

        made.Backup.Manifest.Database.DatabaseName.ShouldBe(unique);
        made.Backup.Manifest.Tables.ShouldBe(1);
        Path.GetDirectoryName(made.Backup.Folder).ShouldBe(Path.Combine(run.Root, "artifacts", "backups"));
        made.Backup.Name.ShouldMatch("^[A-Za-z0-9_-]+$");
    }

    [Fact]
    public async Task A_password_of_special_characters_reaches_pg_dump_and_no_file()
    {
        const string Password = ":\\\"%@' =x";
        var role = $"r_{Guid.NewGuid():N}";
        var admin = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(admin, $"CREATE TABLE t (i int); CREATE ROLE {role} LOGIN PASSWORD ':\\\"%@'' =x'; GRANT SELECT ON t TO {role}");
        var environment = admin with { Database = admin.Database with { User = role, Password = Password } };
        var run = RealServer.NewRun();

        var made = await BackupScenario.BackUpAsync(run, environment);

        made.Backup.Manifest.Tables.ShouldBe(1);
        foreach (var file in Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories))
        {
            File.ReadAllText(file).ShouldNotContain(Password);
        }
    }

    [Fact]
    public async Task A_path_with_spaces_and_umlauts_will_do()
    {
        var environment = await server.NewDatabaseAsync();
        var run = RealServer.NewRun();

        var made = await BackupScenario.BackUpAsync(run, environment, new BackupOptions { Jobs = 1, Folder = "my bäckups/of 'today'" });
        await BackupScenario.VerifyAsync(run, environment, made.Backup);

        made.Evidence.FactsAs<BackupFacts>().Folder.ShouldStartWith("my bäckups/of 'today'/");
    }

    [Fact]
    public void Nobody_else_may_read_a_backup()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "file modes are Unix's");
        var made = shared.Made;

        new DirectoryInfo(made.Backup.Folder).UnixFileMode.ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        new DirectoryInfo(made.Backup.Folder).EnumerateFiles().Select(file => file.UnixFileMode).Distinct().ShouldBe([UnixFileMode.UserRead | UnixFileMode.UserWrite]);
    }

    [Fact]
    public async Task Two_backups_of_one_run_in_the_same_second_do_not_collide()
    {
        var environment = await server.NewDatabaseAsync();
        var run = RealServer.NewRun(clock: new StandingClock());

        var both = await Task.WhenAll(BackupScenario.BackUpAsync(run, environment, new BackupOptions { Jobs = 1 }), BackupScenario.BackUpAsync(run, environment, new BackupOptions { Jobs = 1, CompressionLevel = 0 }));

        both[0].Backup.Folder.ShouldNotBe(both[1].Backup.Folder);
        foreach (var made in both)
        {
            await BackupScenario.VerifyAsync(RealServer.NewRun(), environment, made.Backup);
        }
    }

    [Fact]
    public async Task Too_little_disk_is_refused_with_numbers_before_anything_is_written()
    {
        var environment = await server.NewDatabaseAsync();
        var run = RealServer.NewRun();
        var step = new BackupStep(run, environment, new BackupOptions(), BackupScenario.Commands, new BackupScenario.SilentProgress()) { FreeBytes = _ => 1_000_000 };

        var refusal = await Should.ThrowAsync<RefusedException>(() => step.RunAsync(CancellationToken.None));

        refusal.What.ShouldMatch(@"about \d+(\.\d)? MB needed, 1\.0 MB free in ");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_role_that_may_not_read_a_table_is_refused_with_the_grant()
    {
        var role = $"R {Guid.NewGuid():N}";
        var admin = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(admin, $"CREATE TABLE open (i int); CREATE TABLE \"Closed\" (i int); CREATE ROLE \"{role}\" LOGIN PASSWORD 'pw-of-role'; GRANT SELECT ON open TO \"{role}\"");
        var environment = admin with { Database = admin.Database with { User = role, Password = "pw-of-role" } };
        var run = RealServer.NewRun();

        var refusal = await Should.ThrowAsync<RefusedException>(() => BackupScenario.BackUpAsync(run, environment));

        refusal.What.ShouldContain("public.\"Closed\"");
        refusal.What.ShouldNotContain("public.open");
        refusal.Next.ShouldContain($"GRANT SELECT ON TABLE public.\"Closed\" TO \"{role}\";");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
    }

    [Fact]
    public async Task Row_security_that_would_hide_rows_is_refused()
    {
        var role = $"r_{Guid.NewGuid():N}";
        var admin = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(admin, $"CREATE TABLE secured (i int); ALTER TABLE secured ENABLE ROW LEVEL SECURITY; CREATE ROLE {role} LOGIN PASSWORD 'pw-of-role'; GRANT SELECT ON secured TO {role}");

        var refusal = await Should.ThrowAsync<RefusedException>(() => BackupScenario.BackUpAsync(RealServer.NewRun(), admin with { Database = admin.Database with { User = role, Password = "pw-of-role" } }));

        refusal.What.ShouldContain("public.secured");
        refusal.Next.ShouldContain("BYPASSRLS");
    }

    [Fact]
    public async Task Variables_of_someones_shell_and_a_foreign_locale_do_not_lead_elsewhere()
    {
        var environment = shared.Environment;
        var shell = new PollutedShell(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["PGHOSTADDR"] = "192.0.2.1", ["PGSERVICE"] = "nothing", ["PGOPTIONS"] = "-c nonsense=1", ["PGPASSWORD"] = "wrong", ["PGCLIENTENCODING"] = "LATIN1", ["LC_ALL"] = "de_DE.UTF-8", ["LANGUAGE"] = "de",
        });

        var made = await BackupScenario.BackUpAsync(RealServer.NewRun(), environment, commands: shell);

        made.Backup.Manifest.Tables.ShouldBe(7);
    }

    [Fact]
    public void Arguments_are_these()
    {
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u:hunter2@h:5433/it%27s%5Ca", "X") };
        var client = new PostgresClient("/bin", 15, "15.1");
        var options = new BackupOptions { Jobs = 3 };

        string.Join('\n', new DumpStep(RealServer.NewRun(), environment, client, options, BackupScenario.Commands, new BackupScenario.SilentProgress()).Arguments("/b/x.partial", "00000003-1")).ShouldBe(
            """
            --format=directory
            --jobs=3
            --compress=1
            --lock-wait-timeout=2000
            --no-password
            --verbose
            --file=/b/x.partial
            --snapshot=00000003-1
            --dbname=dbname='it\'s\\a'
            """);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(65, 1)]
    [InlineData(1, 10)]
    [InlineData(1, -1)]
    public void An_option_out_of_range_is_refused(int jobs, int compression) =>
        Should.Throw<BadInputException>(() => new BackupOptions { Jobs = jobs, CompressionLevel = compression }.Validated());

    [Theory]
    [InlineData("", "_")]
    [InlineData("..", "__")]
    [InlineData("a/../b", "a____b")]
    [InlineData("-rf", "-rf")]
    [InlineData("ärger\n", "_rger_")]
    public void A_folder_name_holds_nothing_dangerous(string database, string expected) =>
        BackupFolder.Safe(database).ShouldBe(expected);

    [Fact]
    public async Task The_manifest_is_readable_json_with_these_members()
    {
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(shared.Made.Backup.Folder, "manifest.json")));
        string.Join(' ', json.RootElement.EnumerateObject().Select(member => member.Name)).ShouldBe(
            "format environment database revisions revisionStamp databaseBytes serverVersion clientVersion pgDumpArguments madeAt took jobs compressionLevel tables archiveEntries files totalBytes runId who walPosition snapshotId snapshotTakenAt shape writes digest");
    }

    /// <summary>Always the same second, a millisecond later at each look; timers run on.</summary>
    private sealed class StandingClock : TimeProvider
    {
        private readonly DateTimeOffset second = new(2026, 11, 22, 2, 0, 0, TimeSpan.Zero);
        private int looks;

        public override DateTimeOffset GetUtcNow() => second.AddMilliseconds(Interlocked.Increment(ref looks));
    }

    /// <summary>As if the variables had been set in the shell that started us: below what the command sets itself.</summary>
    private sealed class PollutedShell(IReadOnlyDictionary<string, string?> variables) : Adapters.Processes.ICommandRunner
    {
        public Task<Adapters.Processes.CommandResult> RunAsync(Adapters.Processes.Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            var all = new Dictionary<string, string?>(variables, StringComparer.Ordinal);
            foreach (var (name, value) in command.Environment)
            {
                all[name] = value;
            }

            return BackupScenario.Commands.RunAsync(command with { Environment = all }, onLine, cancellation);
        }
    }
}
