using Aragora.Runbook.Backups;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class PostgresClientsTests(RealServer server)
{
    [Fact]
    public async Task The_clients_of_this_machine_are_found()
    {
        var found = await PostgresClients.FindAllAsync(server.Commands, null, CancellationToken.None);

        PostgresClients.Choose(found, server.Server.Binaries.Major, "the server").Major.ShouldBeGreaterThanOrEqualTo(server.Server.Binaries.Major);
        found.ShouldAllBe(client => client.Major >= 9);
    }

    [Theory]
    [InlineData("15.4", 15)]
    [InlineData("17beta2", 17)]
    [InlineData("9.6.24", 9)]
    [InlineData("18devel", 18)]
    public async Task The_version_of_a_fake_client_is_read(string version, int major)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the fakes are shell scripts");

        var found = await PostgresClients.FindAllAsync(server.Commands, [Fake(version)], CancellationToken.None);

        found.Single().Major.ShouldBe(major);
        found.Single().Version.ShouldBe(version);
    }

    [Theory]
    [InlineData(15, 15)]
    [InlineData(14, 15)]
    [InlineData(16, 17)]
    public void The_same_major_is_preferred_and_else_the_lowest_newer_one(int serverMajor, int expected)
    {
        PostgresClient[] found = [new("/a", 13, "13.2"), new("/b", 15, "15.4"), new("/c", 17, "17.1"), new("/d", 18, "18.0")];

        PostgresClients.Choose(found, serverMajor, "the server").Major.ShouldBe(expected);
    }

    [Fact]
    public void Of_one_major_version_the_newest_minor_one_is_chosen()
    {
        PostgresClient[] found = [new("/a", 15, "15.4"), new("/b", 15, "15.20"), new("/c", 15, "15.18"), new("/d", 16, "16.9")];

        PostgresClients.Choose(found, 15, "the server").Folder.ShouldBe("/b");
    }

    [Fact]
    public async Task A_server_newer_than_a_fake_older_client_is_refused_before_anything_is_written()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the fakes are shell scripts");
        var run = RealServer.NewRun();
        var major = server.Server.Binaries.Major;

        var refusal = await Should.ThrowAsync<RefusedException>(async () => await BackupScenario.BackUpAsync(run, await server.NewDatabaseAsync(), new BackupOptions { ClientFolders = [Fake("13.9"), Fake("14.2")] }));

        refusal.What.ShouldBe($"pg_dump is older than the production server: found 13.9, 14.2, needed {major} or newer.");
        refusal.Next.ShouldStartWith($"apt-get install postgresql-client-{major} ");
        BackupScenario.BackupsIn(run).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_archive_of_a_newer_pg_dump_is_not_read_with_an_older_fake_pg_restore()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the fakes are shell scripts");
        var run = RealServer.NewRun();
        var environment = await server.NewDatabaseAsync();
        var made = await BackupScenario.BackUpAsync(run, environment);

        var refusal = await Should.ThrowAsync<RefusedException>(() => new VerifyBackupStep(run, environment, new BackupOptions { ClientFolders = [Fake("14.2")] }, BackupScenario.Scratch(run), server.Commands).RunAsync(made.Backup, CancellationToken.None));

        refusal.What.ShouldContain("the pg_dump that wrote this backup");
    }

    [Fact]
    public void No_client_at_all_names_the_package() =>
        Should.Throw<RefusedException>(() => PostgresClients.Choose([], 16, "the production server")).Message.ShouldContain("apt-get install postgresql-client-16");

    [Fact]
    public async Task Debians_wrapper_is_passed_over()
    {
        Assert.SkipUnless(File.Exists("/usr/share/postgresql-common/pg_wrapper"), "Debian's postgresql-client-common is not installed");

        (await PostgresClients.FindAllAsync(server.Commands, ["/usr/bin"], CancellationToken.None)).ShouldBeEmpty();
    }

    private static string Fake(string version)
    {
        var folder = TestFolders.New("fake clients");
        foreach (var program in new[] { "pg_dump", "pg_restore" })
        {
            TestFolders.Script(Path.Combine(folder, program), $"#!/bin/sh\necho '{program} (PostgreSQL) {version} (Debian {version}-1.pgdg120+1)'\n");
        }

        return folder;
    }
}
