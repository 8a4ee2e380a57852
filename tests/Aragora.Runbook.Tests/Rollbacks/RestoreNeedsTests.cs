using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

/// <summary>What VerifyBackup brings to its scratch server, a rollback has to bring to the live one, or to refuse by name.</summary>
public sealed class RestoreNeedsTests(RealServer server)
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task An_extension_in_an_older_version_comes_back_in_that_version_for_a_plain_owner()
    {
        var shop = await RestoreScenario.NewAsync(server, more: "CREATE SCHEMA ext; CREATE EXTENSION hstore WITH SCHEMA ext VERSION '1.4'; CREATE EXTENSION citext; CREATE TABLE t (h ext.hstore, c citext); INSERT INTO t VALUES ('a=>1', 'X')");
        await shop.SqlAsync("ALTER EXTENSION hstore UPDATE");

        await shop.RestoreAsync();

        (await shop.AskAsync<string>("SELECT extversion FROM pg_extension WHERE extname = 'hstore'")).ShouldBe("1.4");
        (await shop.AskAsync<string>("SELECT (h OPERATOR(ext.->) 'a') || c FROM t")).ShouldBe("1X");
    }

    [Fact]
    public async Task An_extension_that_only_a_superuser_makes_is_refused_by_name_before_a_copy_is_made_and_a_superuser_restores_it()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await RealServer.SqlAsync(shop.Administrator, "CREATE EXTENSION amcheck");
        var backup = (await BackupScenario.BackUpAsync(RealServer.NewRun(), shop.Administrator)).Backup;

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.Rollback().RunAsync(shop.Environment, backup, None));

        refusal.What.ShouldContain("it lacks the right to make extension amcheck");
        refusal.Why.ShouldContain("amcheck 1.3 is not trusted");
        refusal.Next.ShouldContain("let a superuser run the command");
        await ShouldHaveMadeNoCopyAsync(shop);
        await shop.Rollback(run: RealServer.NewRun()).RunAsync(shop.Administrator, backup, None);
        (await shop.AskAsync<bool>("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'amcheck')")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("vector", "0.8.0", "vector is not installed", "apt-get install postgresql-{0}-pgvector")]
    [InlineData("hstore", "99.0", "hstore is there in 1.4", "apt-get install postgresql-contrib")]
    public async Task An_extension_or_a_version_that_the_server_lacks_is_named_with_its_package(string name, string version, string why, string package)
    {
        var lack = (await FindAsync(Plain() with { Extensions = [new SourceExtension(name, version, "public", 2200, "x")] })).ShouldHaveSingleItem();

        lack.What.ShouldBe($"extension {name} {version}");
        lack.Why.ShouldContain(why);
        lack.Next.ShouldContain(string.Format(System.Globalization.CultureInfo.InvariantCulture, package, server.Server.Binaries.Major));
    }

    [Fact]
    public async Task A_locale_of_money_that_the_server_does_not_know_is_named()
    {
        var lack = (await FindAsync(Plain() with { Monetary = "xx_YY.UTF-8" })).ShouldHaveSingleItem();

        lack.What.ShouldBe("locale xx_YY.UTF-8");
    }

    [Theory]
    [InlineData("DATABASE %1$I")]
    [InlineData("ROLE CURRENT_USER IN DATABASE %1$I")]
    public async Task The_revision_is_found_where_the_databases_search_path_leads(string what)
    {
        var shop = await RestoreScenario.NewAsync(server, more: $"; CREATE SCHEMA app; ALTER TABLE alembic_version SET SCHEMA app; DO $$ BEGIN EXECUTE format('ALTER {what} SET search_path = app, public', current_database()); END $$");
        shop.Backup.Manifest.Revisions.ShouldBe(["r1000"]);
        await shop.SqlAsync("UPDATE alembic_version SET version_num = 'r2000'");

        var result = await shop.RestoreAsync("1");

        result.After.Revisions.ShouldBe(["r1000"]);
    }

    [Fact]
    public async Task A_search_path_that_leads_elsewhere_since_the_backup_is_refused_before_the_exchange()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await shop.SqlAsync("CREATE SCHEMA app; ALTER TABLE alembic_version SET SCHEMA app; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END $$");

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync("10"));

        refusal.What.ShouldContain(" instead of r1000");
        refusal.Next.ShouldContain("SET search_path");
        (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, true)]);
    }

    [Fact]
    public async Task What_a_restore_would_be_refused_for_is_foreseen_while_the_verified_backup_holds()
    {
        var role = "reader" + Guid.NewGuid().ToString("N")[..12];
        var (shop, run) = (await RestoreScenario.NewAsync(server), RealServer.NewRun());
        await RealServer.SqlAsync(shop.Administrator, $"CREATE ROLE {role}; GRANT SELECT ON users TO {role}");
        var verifying = new VerifyBackupStep(run, shop.Environment, new BackupOptions(), BackupScenario.ScratchBeside(run, shop.Administrator), BackupScenario.Commands, new BackupScenario.SilentProgress());
        await verifying.RunAsync((await BackupScenario.BackUpAsync(run, shop.Environment)).Backup, None);
        var foresight = new RestoreForesight(run);

        (await foresight.LacksAsync(shop.Environment, await DatabaseInspector.ReadAsync(shop.Environment, None), None)).ShouldBeEmpty();
        await RealServer.SqlAsync(shop.Administrator, $"DROP OWNED BY {role}; DROP ROLE {role}");

        (await foresight.LacksAsync(shop.Environment, await DatabaseInspector.ReadAsync(shop.Environment, None), None)).ShouldHaveSingleItem().ShouldContain($"CREATE ROLE \"{role}\" NOLOGIN;");
        (await new RestoreForesight(RealServer.NewRun()).LacksAsync(shop.Environment, await DatabaseInspector.ReadAsync(shop.Environment, None), None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Roles_that_were_dropped_since_the_backup_are_refused_with_the_lines_that_make_them_and_then_it_works()
    {
        var id = Guid.NewGuid().ToString("N")[..12];
        var (reader, owner) = ($"\"reader \"\"of\"\" {id}\"", $"\"owner's {id}\"");
        var shop = await RestoreScenario.NewAsync(server);
        var me = shop.Environment.Database.User;
        await RealServer.SqlAsync(shop.Administrator, $"CREATE ROLE {reader}; CREATE ROLE {owner}; GRANT {owner} TO {me}; GRANT SELECT ON users TO {reader}; CREATE SCHEMA theirs AUTHORIZATION {owner}; CREATE TABLE theirs.things (i int); ALTER TABLE theirs.things OWNER TO {owner}");
        var backup = (await BackupScenario.BackUpAsync(RealServer.NewRun(), shop.Environment)).Backup;
        await RealServer.SqlAsync(shop.Administrator, $"REASSIGN OWNED BY {owner} TO {me}; DROP OWNED BY {reader}; DROP ROLE {reader}; DROP ROLE {owner}");

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.Rollback().RunAsync(shop.Environment, backup, None));

        refusal.What.ShouldContain($"it lacks role {owner}, role {reader}");
        var lines = refusal.Next.Split(Environment.NewLine, StringSplitOptions.TrimEntries);
        lines.ShouldBe([$"CREATE ROLE {owner} NOLOGIN; GRANT {owner} TO \"{me}\";", $"CREATE ROLE {reader} NOLOGIN;", "then repeat the command"]);
        await ShouldHaveMadeNoCopyAsync(shop);
        await RealServer.SqlAsync(shop.Administrator, string.Concat(lines.SkipLast(1)));
        await shop.Rollback(run: RealServer.NewRun()).RunAsync(shop.Environment, backup, None);
        (await shop.AskAsync<string>("SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE relname = 'things'")).ShouldBe(owner);
        (await shop.AskAsync<bool>("SELECT relacl::text LIKE '%reader%' FROM pg_class WHERE relname = 'users'")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_role_that_owns_what_is_restored_and_that_this_role_is_no_member_of_any_more_is_refused_with_its_grant()
    {
        var owner = $"owner_{Guid.NewGuid():N}";
        var shop = await RestoreScenario.NewAsync(server);
        var me = shop.Environment.Database.User;
        await RealServer.SqlAsync(shop.Administrator, $"CREATE ROLE {owner}; GRANT {owner} TO {me}; ALTER TABLE generation OWNER TO {owner}");
        var backup = (await BackupScenario.BackUpAsync(RealServer.NewRun(), shop.Environment)).Backup;
        await RealServer.SqlAsync(shop.Administrator, $"REVOKE {owner} FROM {me}");

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.Rollback().RunAsync(shop.Environment, backup, None));

        refusal.What.ShouldContain($"membership in \"{owner}\"");
        refusal.Next.ShouldStartWith($"GRANT \"{owner}\" TO \"{me}\";");
        await ShouldHaveMadeNoCopyAsync(shop);
    }

    [Fact]
    public async Task A_group_that_the_dump_does_not_name_may_be_gone()
    {
        var id = Guid.NewGuid().ToString("N");
        var shop = await RestoreScenario.NewAsync(server);
        await RealServer.SqlAsync(shop.Administrator, $"CREATE ROLE group_{id}; CREATE ROLE reader_{id} IN ROLE group_{id}; GRANT SELECT ON users TO reader_{id}");
        var backup = (await BackupScenario.BackUpAsync(RealServer.NewRun(), shop.Environment)).Backup;
        backup.Manifest.Shape.Roles.Single(role => role.Name == $"group_{id}").IsNamed.ShouldBeFalse();
        await RealServer.SqlAsync(shop.Administrator, $"DROP ROLE group_{id}");

        await shop.Rollback().RunAsync(shop.Environment, backup, None);

        (await shop.DatabasesAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_collation_that_was_imported_after_initdb_is_verified_and_restored_by_a_superuser_and_refused_to_a_plain_owner()
    {
        var name = $"late_{Guid.NewGuid():N}";
        var shop = await RestoreScenario.NewAsync(server);
        await RealServer.SqlAsync(shop.Administrator, $"CREATE COLLATION pg_catalog.{name} (provider = libc, lc_collate = 'C', lc_ctype = 'C'); CREATE TABLE sorted (t text COLLATE pg_catalog.{name}); INSERT INTO sorted VALUES ('x'); CREATE INDEX ON sorted (t)");
        var run = RealServer.NewRun();
        var backup = (await BackupScenario.BackUpAsync(run, shop.Administrator)).Backup;

        (await BackupScenario.VerifyAsync(run, shop.Administrator, backup)).Evidence.Green.ShouldBeTrue();
        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.Rollback().RunAsync(shop.Environment, backup, None));
        await ShouldHaveMadeNoCopyAsync(shop);
        await shop.Rollback(run: RealServer.NewRun()).RunAsync(shop.Administrator, backup, None);

        refusal.What.ShouldContain($"collation pg_catalog.\"{name}\"");
        (await shop.AskAsync<bool>($"SELECT attcollation = 'pg_catalog.{name}'::regcollation FROM pg_attribute WHERE attrelid = 'sorted'::regclass AND attname = 't'")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_name_of_63_bytes_with_quotes_a_line_break_and_Unicode_is_exchanged_like_any_other()
    {
        var name = $"{Guid.NewGuid().ToString("N")[..30]} \"q\" 'a'\n\\ %s {{0}} ü列";
        name = name.PadRight(name.Length + 63 - System.Text.Encoding.UTF8.GetByteCount(name), 'x');
        var shop = await RestoreScenario.NewAsync(server, name);
        await shop.MoveOnAsync();

        var result = await shop.RestoreAsync("4");

        System.Text.Encoding.UTF8.GetByteCount(name).ShouldBe(63);
        (await shop.GenerationAsync()).ShouldBe(1);
        (await shop.DatabasesAsync()).ShouldBe([(name, true), (result.Facts.KeptDatabase, false)], ignoreOrder: true);
        System.Text.Encoding.UTF8.GetByteCount(result.Facts.KeptDatabase).ShouldBeLessThanOrEqualTo(63);
    }

    private async Task<IReadOnlyList<RestoreLack>> FindAsync(SourceShape shape)
    {
        await using var session = await PostgresSession.OpenAsync(new() { Name = TargetEnvironment.Production, Database = server.Server.Url }, "aragora-tests");
        return await new RestoreNeeds(session, shape).FindAsync(None);
    }

    private SourceShape Plain() => new() { ServerMajor = server.Server.Binaries.Major, Encoding = "UTF8", Collate = "C", Ctype = "C" };

    private static async Task ShouldHaveMadeNoCopyAsync(RestoreScenario shop)
    {
        (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, true)]);
        await using var journal = new FileStream(shop.Run.Journal.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(journal);
        (await reader.ReadToEndAsync(None)).ShouldNotContain("make a copy beside the live database");
    }
}
