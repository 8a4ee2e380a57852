using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests.Backups;
using Aragora.Runbook.Tests.Backups.RandomDatabases;
using Aragora.Runbook.Tests.Digests;
using Aragora.Runbook.Tests.Preflight;
using Npgsql;
using Shouldly;
using Xunit;
using static Aragora.Runbook.Tests.Backups.BackupScenario;

namespace Aragora.Runbook.Tests.Releases;

/// <summary>Two minor versions of PostgreSQL, the installed one and the newest of the registry: source, pg_dump and copy of either.</summary>
public sealed class MinorReleaseTests(RealServer installed, OtherServer other) : IClassFixture<OtherServer>
{
    /// <summary>What 15.20 and its siblings write into every column.</summary>
    private const string Note = "pg_attver";

    public enum Release
    {
        Installed,
        Other,
    }

    public static TheoryData<Release, Release, Release> SourceClientAndCopy { get; } =
        new(from source in Enum.GetValues<Release>() from client in Enum.GetValues<Release>() from copy in Enum.GetValues<Release>() select (source, client, copy));

    [Theory]
    [MemberData(nameof(SourceClientAndCopy))]
    public async Task The_zoo_is_verified_whatever_minor_versions_meet_or_refused_by_name(Release source, Release client, Release copy)
    {
        other.Require();
        var zoo = new DigestZoo(ServerOf(source));
        await zoo.InitializeAsync();

        await ProveAsync(zoo.Source, client, run => Beside(run, copy), copy);
    }

    [Theory]
    [InlineData(Release.Installed, 7)]
    [InlineData(Release.Installed, 42)]
    [InlineData(Release.Other, 7)]
    [InlineData(Release.Other, 42)]
    public async Task A_random_database_of_one_is_verified_on_the_other(Release source, int seed)
    {
        other.Require();
        var database = await ServerOf(source).NewDatabaseAsync();
        await RandomDatabase.Of((ulong)seed).ApplyAsync(database);

        await ProveAsync(database, Newer, run => Beside(run, TheOther(source)), TheOther(source));
    }

    [Theory]
    [InlineData(Release.Installed)]
    [InlineData(Release.Other)]
    public async Task A_backup_of_one_is_verified_on_a_scratch_server_of_the_other(Release source)
    {
        other.Require();
        var database = await NewFilledAsync(ServerOf(source));
        var binaries = ServerOf(TheOther(source)).Server.Binaries;

        await ProveAsync(database, Newer, run => Scratch(run, binaries), TheOther(source));
    }

    [Fact]
    public async Task What_is_verified_of_the_other_is_restored_there()
    {
        other.Require();
        var zoo = new DigestZoo(other);
        await zoo.InitializeAsync();
        var run = RealServer.NewRun();
        var options = Options(Newer);
        var backup = (await BackUpAsync(run, zoo.Source, options)).Backup;

        var result = await new RestoreRollback(run, Commands, new RestoreOptions { Backup = options }, new SilentProgress()).RunAsync(zoo.Source, backup, CancellationToken.None);

        result.Facts.KeptDatabase.ShouldNotBeEmpty();
        var after = await DigestZoo.DigestAsync(zoo.Source, backup.Manifest.Digest.Method);
        DigestComparison.Compare(backup.Manifest.Digest, after).ShouldBeEmpty();
    }

    /// <summary>As after a failover to a replica of an older minor version.</summary>
    [Fact]
    public async Task A_server_that_went_back_to_an_older_minor_version_says_what_the_newer_one_left_in_the_backup()
    {
        other.Require();
        var folder = new ThrowawayServerOptions { Folder = Path.Combine(Path.GetTempPath(), $"aragora-tests-{Guid.NewGuid():N}") };
        var server = await StartAsync(Newer);
        try
        {
            var database = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = server.Url };
            await RealServer.SqlAsync(database, "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('0001')");
            Assert.SkipWhen(!await HasNotesAsync(database) || await KnowsNoteAsync(ServerOf(Older)), "both of these know it, or neither");
            var (run, old) = (RealServer.NewRun(), Options(Older));
            var backup = (await BackUpAsync(run, database, old)).Backup;
            await server.StopAsync(CancellationToken.None);
            server = await StartAsync(Older);
            database = database with { Database = server.Url };
            var here = server.Binaries.Release;

            var rollback = new RestoreRollback(run, Commands, new RestoreOptions { Backup = old }, new SilentProgress()).RunAsync(database, backup, CancellationToken.None);
            (await Should.ThrowAsync<FailedCleanException>(rollback)).What.ShouldContain($"could not be restored (PostgreSQL {here} does not know what a newer minor version notes for itself in the source (pg_attver)");

            var another = (await BackUpAsync(run, database, old)).Backup;
            var verifying = new VerifyBackupStep(run, database, old, ScratchBeside(run, database), Commands, new SilentProgress()).RunAsync(another, CancellationToken.None);
            var refusal = await Should.ThrowAsync<FailedCleanException>(verifying);
            refusal.What.ShouldContain($"PostgreSQL {here} does not know what a newer minor version notes for itself in the source (pg_attver), and pg_dump {here} took it along");
            refusal.Next.ShouldContain($"newer than {here}");

            // A pg_dump that knows leaves it out, and this server's own digest never held it.
            var known = (await BackUpAsync(run, database, Options(Newer))).Backup;
            (await new VerifyBackupStep(run, database, Options(Newer), ScratchBeside(run, database), Commands, new SilentProgress()).RunAsync(known, CancellationToken.None)).Evidence.Green.ShouldBeTrue();
        }
        finally
        {
            await server.EraseAsync(CancellationToken.None);
        }

        Task<ThrowawayServer> StartAsync(Release release) => ThrowawayServer.StartAsync(ServerOf(release).Server.Binaries, folder, Commands, new SecretMask(), CancellationToken.None);
    }

    [Fact]
    public async Task A_pg_dump_of_an_older_minor_version_than_the_server_is_a_finding_where_it_takes_the_servers_notes_along()
    {
        other.Require();
        var (newer, older) = (ServerOf(Newer), ServerOf(Older));
        var client = new ClientProgram(older.Server.Binaries["pg_dump"], older.Server.Binaries.Release);
        var database = await newer.NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE TABLE \"odd \"\" name\" (id int)");

        async Task<Finding> AskAsync(Version? scratch) => await PreflightBench.AskAsync(VersionChecks.Client, database, PreflightBench.Options with
        {
            FindPgDump = (_, _) => Task.FromResult<ClientProgram?>(client),
            AskPgDump = (environment, program, notes, cancellation) => new OptionProbe(Commands).AskAsync(environment, program.Path, notes, cancellation),
            FindScratchServer = (_, _) => Task.FromResult(scratch),
        });

        if (!await HasNotesAsync(database) || await KnowsNoteAsync(older))
        {
            (await AskAsync(client.Version)).ShouldBeOfType<Finding.Ok>();
            return;
        }

        var refusal = (await AskAsync(client.Version)).ShouldBeOfType<Finding.Refusal>();
        refusal.Text.ShouldBe($"pg_dump {client.Version} ({client.Path}) dumps what the server, {newer.Server.Binaries.Release}, notes for itself (pg_attver): the server programs of this machine, {client.Version}, refuse that, and the backup could not be verified");
        refusal.Next.ShouldStartWith($"apt-get update; apt-get -o APT::Get::Upgrade-By-Source-Package=false install --only-upgrade postgresql-client-{client.Version.Major}   (to one that leaves it out: {newer.Server.Binaries.Release} or newer");
        (await AskAsync(newer.Server.Binaries.Release)).ShouldBeOfType<Finding.Warning>().Next.ShouldStartWith("apt-get update");
        (await AskAsync(scratch: null)).ShouldBeOfType<Finding.Warning>();

        // A role that may not even look: what cannot be asked is a warning.
        var stranger = await PreflightBench.AsNewRoleAsync(database);
        (await new OptionProbe(Commands).AskAsync(stranger, client.Path, new ServersNotes("\"odd \"\" name\"", [Note]), CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task An_archive_tells_which_options_its_pg_dump_carries()
    {
        other.Require();
        var database = await ServerOf(Newer).NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE TABLE users (id int); ALTER TABLE users ALTER COLUMN id SET (n_distinct = 5); COMMENT ON TABLE users IS 'pg_attver=1'");
        var carried = await HasNotesAsync(database) && !await KnowsNoteAsync(ServerOf(Older)) ? new[] { "n_distinct", Note } : ["n_distinct"];

        (await CarriedAsync(Newer)).ShouldBe(["n_distinct"]);
        (await CarriedAsync(Older)).ShouldBe(carried);

        async Task<IEnumerable<string>> CarriedAsync(Release client)
        {
            var backup = (await BackUpAsync(RealServer.NewRun(), database, Options(client))).Backup;
            var program = new PostgresClient(Options(client).ClientFolders![0], ServerOf(client).Server.Binaries.Major, backup.Manifest.ClientVersion);
            return (await new ArchiveReader(program, Commands).FindOptionsAsync(backup.Folder, ["n_distinct", Note, "invented"], CancellationToken.None)).Order(StringComparer.Ordinal);
        }
    }

    [Theory]
    [InlineData("ALTER TABLE ONLY public.t ALTER COLUMN a SET (n_distinct=5, invented=1);", true)]
    [InlineData("WITH (fillfactor='70', invented='1');", true)]
    [InlineData("WITH (\"Invented\"='1', \"invented\"='2');", true)]
    [InlineData("WITH (toast.invented='1');", true)]
    [InlineData("WITH (reinvented='1');", false)]
    [InlineData("COMMENT ON TABLE t IS ' invented=1';", false)]
    public void Options_are_found_in_statements_however_pg_dump_writes_them(string statement, bool isSet) =>
        ArchiveReader.OptionsIn("CREATE TABLE t (\n" + statement, ["invented"]).Count.ShouldBe(isSet ? 1 : 0);

    private Release Newer => other.Server.Binaries.Release > installed.Server.Binaries.Release ? Release.Other : Release.Installed;

    private Release Older => TheOther(Newer);

    private static Release TheOther(Release release) => release == Release.Other ? Release.Installed : Release.Other;

    private RealServer ServerOf(Release release) => release == Release.Other ? other : installed;

    private BackupOptions Options(Release client) => new() { Jobs = 2, ClientFolders = [ServerOf(client).Server.Binaries.Folder] };

    private ScratchDatabases Beside(RunContext run, Release copy) => ScratchAt(run, ServerOf(copy).Server.Url);

    private static async Task<bool> HasNotesAsync(DatabaseEnvironment database)
    {
        await using var session = await PostgresSession.OpenAsync(database, "aragora-tests");
        return await CatalogueOptions.FindServersNotesAsync(session, CancellationToken.None) is not null;
    }

    private async Task ProveAsync(DatabaseEnvironment source, Release client, Func<RunContext, ScratchDatabases> scratch, Release copy)
    {
        var run = RealServer.NewRun();
        var backup = (await BackUpAsync(run, source, Options(client))).Backup;
        var verifying = new VerifyBackupStep(run, source, Options(client), scratch(run), Commands, new SilentProgress()).RunAsync(backup, CancellationToken.None);
        if (!await CarriesNoteAsync(backup, client) || await KnowsNoteAsync(ServerOf(copy)))
        {
            (await verifying).Evidence.Green.ShouldBeTrue();
            return;
        }

        var refusal = await Should.ThrowAsync<FailedCleanException>(verifying);
        var (dumped, here) = (PostgresRelease.Of(backup.Manifest.ClientVersion), ServerOf(copy).Server.Binaries.Release);
        refusal.Message.ShouldContain($"cannot be restored here: PostgreSQL {here} does not know what a newer minor version notes for itself in the source (pg_attver), and pg_dump {dumped} took it along.");
        refusal.Next.ShouldStartWith($"apt-get update; apt-get -o APT::Get::Upgrade-By-Source-Package=false install --only-upgrade postgresql-client-{dumped.Major}   (to one that leaves it out: {backup.Manifest.ServerVersion} or newer");
    }

    private async Task<bool> CarriesNoteAsync(BackupReference backup, Release client)
    {
        var program = new PostgresClient(Options(client).ClientFolders![0], ServerOf(client).Server.Binaries.Major, backup.Manifest.ClientVersion);
        return (await new ArchiveReader(program, Commands).FindOptionsAsync(backup.Folder, [Note], CancellationToken.None)).Count > 0;
    }

    private static async Task<bool> KnowsNoteAsync(RealServer server)
    {
        await using var session = await PostgresSession.OpenAsync(new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = server.Server.Url }, "aragora-tests");
        await session.ExecuteAsync("CREATE TEMPORARY TABLE noted (i int)", CancellationToken.None);
        try
        {
            await session.ExecuteAsync($"ALTER TABLE noted ALTER COLUMN i SET ({Note} = 1)", CancellationToken.None);
            return true;
        }
        catch (PostgresException unknown) when (unknown.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            return false;
        }
    }
}
