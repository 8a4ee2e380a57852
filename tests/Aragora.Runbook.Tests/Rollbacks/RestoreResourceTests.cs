using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

/// <summary>Rollbacks on a server that has something of its own: a small disk, a locale.</summary>
public sealed class RestoreResourceTests(RealServer server)
{
    [Fact]
    public async Task A_full_disk_under_the_live_server_leaves_the_database_as_it_was_and_says_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "mounts a small file system");
        var disk = Path.Combine(Path.GetTempPath(), $"aragora-tests-disk-{Guid.NewGuid():N}");
        Directory.CreateDirectory(disk);
        Assert.SkipUnless((await RunAsync("mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", disk)).Succeeded, "may not mount here");
        var space = $"small_{Guid.NewGuid():N}";
        try
        {
            (await RunAsync("chown", UnprivilegedUser.Current().Name!, disk)).Succeeded.ShouldBeTrue();
            var shop = await RestoreScenario.NewAsync(server, more: "CREATE TABLE big AS SELECT i, md5(i::text) AS t FROM generate_series(1, 120000) i");
            var maintenance = shop.Administrator with { Database = server.Server.Url };
            var name = shop.Environment.Database.Database;
            await RealServer.SqlAsync(maintenance, $"CREATE TABLESPACE {space} LOCATION '{disk}'");
            await RealServer.SqlAsync(maintenance, $"GRANT CREATE ON TABLESPACE {space} TO {shop.Environment.Database.User}");
            await RealServer.SqlAsync(maintenance, $"ALTER DATABASE {name} SET TABLESPACE {space}");

            // What is left holds an empty copy, and not its rows.
            await using (var asking = await PostgresSession.OpenAsync(maintenance, "aragora-tests"))
            {
                var left = await asking.ScalarAsync<long>("SELECT pg_database_size('template0')", CancellationToken.None) + 3_000_000;
                await File.WriteAllBytesAsync(Path.Combine(disk, "ballast"), new byte[new DriveInfo(disk).AvailableFreeSpace - left]);
            }

            // The check beforehand would refuse: it is what cannot be known of a server on another machine.
            var options = new RestoreOptions { Backup = new BackupOptions { Jobs = 2 }, FreeBytes = _ => long.MaxValue };
            var failure = await Should.ThrowAsync<FailedCleanException>(() => new RestoreRollback(shop.Run, BackupScenario.Commands, options, new BackupScenario.SilentProgress()).RunAsync(shop.Environment, shop.Backup, CancellationToken.None));

            failure.What.ShouldContain("was cut short, which says nothing of the backup; the live database was not touched");
            failure.Why.ShouldContain("No space left on device");
            failure.Next.ShouldBe("free disk on the server, then repeat the command");
            (await shop.DatabasesAsync()).ShouldBe([(name, true)]);
            await shop.SqlAsync("UPDATE generation SET n = n");
            await server.DropDatabaseAsync(shop.Administrator);
            await RealServer.SqlAsync(maintenance, $"DROP TABLESPACE {space}");
        }
        finally
        {
            // Lazily: where the test failed, the server still has files open there.
            await RunAsync("umount", "--lazy", disk);
            Directory.Delete(disk);
        }
    }

    [Fact]
    public async Task Money_comes_back_as_the_databases_lc_monetary_wrote_it_and_the_setting_of_today_stays()
    {
        Assert.SkipUnless(File.Exists("/usr/share/i18n/SUPPORTED") && (await RunAsync("which", "localedef")).Succeeded, "this machine cannot make a locale");
        var options = new ThrowawayServerOptions { Folder = Path.Combine(Path.GetTempPath(), $"aragora-tests-{Guid.NewGuid():N}"), OwnLocales = [new LocaleSource("de_DE.UTF-8", "de_DE", "UTF-8")] };
        var german = await ThrowawayServer.StartAsync(server.Server.Binaries, options, BackupScenario.Commands, new SecretMask(), CancellationToken.None);
        try
        {
            await RealServer.SqlAsync(new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = german.Url }, "CREATE DATABASE shop");
            var environment = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = german.Url with { Database = "shop" } };
            await RealServer.SqlAsync(environment, "ALTER DATABASE shop SET lc_monetary = 'de_DE.UTF-8'");
            await RealServer.SqlAsync(environment, "CREATE TABLE prices (p money DEFAULT '1.234,56'); INSERT INTO prices VALUES ('1.234.567,89'), ('-0,01')");
            var run = RealServer.NewRun();
            var backup = (await BackupScenario.BackUpAsync(run, environment)).Backup;
            (await BackupScenario.VerifyAsync(run, environment, backup)).Evidence.Green.ShouldBeTrue();
            await RealServer.SqlAsync(environment, "ALTER DATABASE shop RESET lc_monetary");

            await new RestoreRollback(run, BackupScenario.Commands, new RestoreOptions { Backup = new BackupOptions { Jobs = 2 } }, new BackupScenario.SilentProgress()).RunAsync(environment, backup, CancellationToken.None);

            await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
            (await session.ScalarAsync<decimal>("SELECT max(p)::numeric FROM prices", CancellationToken.None)).ShouldBe(1234567.89m);
            (await session.ScalarAsync<string>("SELECT current_setting('lc_monetary')", CancellationToken.None)).ShouldNotBe("de_DE.UTF-8");
            (await session.ScalarAsync<long>("SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = 'shop')", CancellationToken.None)).ShouldBe(0);
        }
        finally
        {
            await german.EraseAsync(CancellationToken.None);
        }
    }

    private static Task<CommandResult> RunAsync(string program, params string[] arguments) => BackupScenario.Commands.RunAsync(new Command { Program = program, Arguments = arguments });
}
