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
using Shouldly;
using Xunit;
using static Aragora.Runbook.Tests.Backups.BackupScenario;

namespace Aragora.Runbook.Tests.Releases;

/// <summary>Two minor versions of PostgreSQL, the installed one and the newest of the registry: source, pg_dump and copy of either.</summary>
public sealed class MinorReleaseTests(RealServer installed, OtherServer other) : IClassFixture<OtherServer>
{
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

        await ProveAsync(zoo.Source, client, run => Beside(run, copy), await IsRefusedAsync(zoo.Source, source, client, copy), copy);
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

        await ProveAsync(database, Newer, run => Beside(run, TheOther(source)), isRefused: false, TheOther(source));
    }

    [Theory]
    [InlineData(Release.Installed)]
    [InlineData(Release.Other)]
    public async Task A_backup_of_one_is_verified_on_a_scratch_server_of_the_other(Release source)
    {
        other.Require();
        var database = await NewFilledAsync(ServerOf(source));
        var binaries = ServerOf(TheOther(source)).Server.Binaries;

        await ProveAsync(database, Newer, run => Scratch(run, binaries), isRefused: false, TheOther(source));
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

    [Fact]
    public async Task A_pg_dump_of_an_older_minor_version_than_the_server_is_a_finding_where_it_takes_the_servers_notes_along()
    {
        other.Require();
        var (newer, older) = (ServerOf(Newer), ServerOf(Older));
        var client = new ClientProgram(Options(Older).ClientFolders![0], PostgresRelease.Of(older.Server.Binaries.Version));
        var database = await newer.NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE TABLE users (id int)");

        async Task<Finding> AskAsync(Version? scratch) => await PreflightBench.AskAsync(VersionChecks.Client, database, PreflightBench.Options with
        {
            FindPgDump = (_, _) => Task.FromResult<ClientProgram?>(client),
            FindScratchServer = (_, _) => Task.FromResult(scratch),
        });

        if (!await HasNotesAsync(database))
        {
            (await AskAsync(client.Version)).ShouldBeOfType<Finding.Ok>();
            return;
        }

        var refusal = (await AskAsync(client.Version)).ShouldBeOfType<Finding.Refusal>();
        refusal.Text.ShouldContain($"pg_dump {client.Version} ({client.Path}) is older than the server, {PostgresRelease.Of(newer.Server.Binaries.Version)}, and dumps what that server notes for itself (pg_attver): the server programs of this machine, {client.Version}, refuse it");
        refusal.Next.ShouldStartWith("apt-get install --only-upgrade postgresql-client-15");
        (await AskAsync(PostgresRelease.Of(newer.Server.Binaries.Version))).ShouldBeOfType<Finding.Warning>().Next.ShouldBe(refusal.Next);
        (await AskAsync(scratch: null)).ShouldBeOfType<Finding.Warning>();
    }

    [Fact]
    public async Task An_archive_tells_which_options_its_pg_dump_carries()
    {
        other.Require();
        var database = await ServerOf(Newer).NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE TABLE users (id int); ALTER TABLE users ALTER COLUMN id SET (n_distinct = 5); COMMENT ON TABLE users IS 'pg_attver=1'");
        var notes = await HasNotesAsync(database) ? ["pg_attver"] : Array.Empty<string>();

        async Task<IEnumerable<string>> CarriedAsync(Release client)
        {
            var backup = (await BackUpAsync(RealServer.NewRun(), database, Options(client))).Backup;
            var program = new PostgresClient(Options(client).ClientFolders![0], 15, backup.Manifest.ClientVersion);
            return (await new ArchiveReader(program, Commands).FindOptionsAsync(backup.Folder, ["n_distinct", "pg_attver", "invented"], CancellationToken.None)).Order(StringComparer.Ordinal);
        }

        (await CarriedAsync(Newer)).ShouldBe(["n_distinct"]);
        (await CarriedAsync(Older)).ShouldBe(["n_distinct", .. notes]);
    }

    private Release Newer => PostgresRelease.Of(other.Server.Binaries.Version) > PostgresRelease.Of(installed.Server.Binaries.Version) ? Release.Other : Release.Installed;

    private Release Older => TheOther(Newer);

    private static Release TheOther(Release release) => release == Release.Other ? Release.Installed : Release.Other;

    private RealServer ServerOf(Release release) => release == Release.Other ? other : installed;

    private BackupOptions Options(Release client) => new() { Jobs = 2, ClientFolders = [ServerOf(client).Server.Binaries.Folder] };

    private ScratchDatabases Beside(RunContext run, Release copy) => ScratchAt(run, ServerOf(copy).Server.Url);

    private static async Task<bool> HasNotesAsync(DatabaseEnvironment database)
    {
        await using var session = await PostgresSession.OpenAsync(database, "aragora-tests");
        return await session.ScalarAsync<long>(CatalogueOptions.ServersNotesSql, CancellationToken.None) > 0;
    }

    /// <summary>An older pg_dump carries what a newer source notes for itself, and an older copy does not take it.</summary>
    private async Task<bool> IsRefusedAsync(DatabaseEnvironment database, Release source, Release client, Release copy) =>
        source == Newer && client != Newer && copy != Newer && await HasNotesAsync(database);

    private async Task ProveAsync(DatabaseEnvironment source, Release client, Func<RunContext, ScratchDatabases> scratch, bool isRefused, Release copy)
    {
        var run = RealServer.NewRun();
        var backup = (await BackUpAsync(run, source, Options(client))).Backup;
        var verifying = new VerifyBackupStep(run, source, Options(client), scratch(run), Commands, new SilentProgress()).RunAsync(backup, CancellationToken.None);
        if (!isRefused)
        {
            (await verifying).Evidence.Green.ShouldBeTrue();
            return;
        }

        var refusal = await Should.ThrowAsync<FailedCleanException>(verifying);
        var (server, here) = (PostgresRelease.Of(backup.Manifest.ServerVersion), PostgresRelease.Of(ServerOf(copy).Server.Binaries.Version));
        refusal.Message.ShouldContain($"cannot be restored here: PostgreSQL {here} refuses what is in it of the newer source, {server}: pg_attver; pg_dump {here} took it along, for it is older than the source, too.");
        refusal.Next.ShouldStartWith($"apt-get install --only-upgrade postgresql-client-{server.Major}   ({server} or newer");
    }
}
