using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Digests;

/// <summary>Options in the catalogue: the schema's, the server's own, and those that this build does not know.</summary>
public sealed class CatalogueOptionsTests(RealServer server)
{
    [Fact]
    public async Task Options_of_the_schema_are_compared_by_name()
    {
        var database = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(
            database,
            """
            CREATE TABLE users (id int, name text) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_vacuum_cost_limit = 500);
            ALTER TABLE users ALTER COLUMN id SET (n_distinct = 5, n_distinct_inherited = -0.5);
            CREATE VIEW named WITH (security_barrier, check_option = local) AS SELECT id FROM users WHERE name IS NOT NULL;
            """);

        var digest = await DigestZoo.DigestAsync(database);

        Line(digest, "table", "public.users").ShouldContain("with autovacuum_enabled=false, fillfactor=70; toast with autovacuum_vacuum_cost_limit=500");
        Line(digest, "column", "public.users.id").ShouldEndWith("with n_distinct=5, n_distinct_inherited=-0.5");
        Line(digest, "view", "public.named").ShouldContain("with check_option=local, security_barrier=true");
        digest.UnknownOptions().ShouldBeEmpty();
        digest.Catalogue.ShouldNotContain(line => line.ToString().Contains("pg_attver", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_note_that_a_server_keeps_for_itself_is_no_part_of_the_schema()
    {
        var database = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE TABLE users (id int); ALTER TABLE users ALTER COLUMN id SET (n_distinct = 5)");
        var before = await DigestZoo.DigestAsync(database);
        await WriteAsync(database, "{pg_attver=4711,n_distinct=5}");

        DigestComparison.Compare(before, await DigestZoo.DigestAsync(database)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_option_that_nobody_knows_and_pg_dump_carries_is_missed_in_a_copy_without_it()
    {
        var database = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE TABLE users (id int)");
        await WriteAsync(database, "{n_distinct=5,invented=1}");
        var run = RealServer.NewRun();
        var backup = (await BackupScenario.BackUpAsync(run, database)).Backup;
        backup.Manifest.Digest.UnknownOptions().ShouldBe(["invented"]);

        var verifying = new VerifyBackupStep(run, database, new BackupOptions { Jobs = 2 }, BackupScenario.ScratchBeside(run, database), BackupScenario.Commands, new BackupScenario.SilentProgress());
        var refusal = await Should.ThrowAsync<FailedCleanException>(verifying.RunAsync(backup, CancellationToken.None));

        refusal.Why.ShouldContain("unrecognized parameter \"invented\"");
        refusal.Why.ShouldContain("unknown option invented of column public.users.id: missing: 1");
    }

    [Fact]
    public async Task An_option_that_nobody_knows_and_pg_dump_leaves_out_is_no_difference()
    {
        var database = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE TABLE users (id int)");
        var without = await DigestZoo.DigestAsync(database);
        await WriteAsync(database, "{invented=1}");
        var with = await DigestZoo.DigestAsync(database);
        with.UnknownOptions().ShouldBe(["invented"]);

        // What the dump of this source lacks, and what the copy's server writes by itself.
        DigestComparison.Compare(with.WithUnknownOptions([]), without).ShouldBeEmpty();
        DigestComparison.Compare(without, with).ShouldBeEmpty();

        // Carried: missing, or with another value.
        DigestComparison.Compare(with.WithUnknownOptions(["invented"]), without).Single().ToString().ShouldBe("unknown option invented of column public.users.id: missing: 1");
        await WriteAsync(database, "{invented=2}");
        DigestComparison.Compare(with, await DigestZoo.DigestAsync(database)).Single().What.ShouldBe("is 2 instead of 1");
    }

    [Fact]
    public async Task Unknown_options_of_tables_and_their_toast_tables_are_seen_as_well()
    {
        var database = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(database, "CREATE TABLE users (name text)");
        await RealServer.SqlAsync(
            database,
            """
            UPDATE pg_class SET reloptions = '{fillfactor=70,columnar=on}' WHERE oid = 'users'::regclass;
            UPDATE pg_class SET reloptions = '{columnar=off}' WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'users'::regclass);
            """);

        var digest = await DigestZoo.DigestAsync(database);

        digest.Catalogue.Where(line => line.Kind == "unknown option").Select(line => line.ToString()).ShouldBe(
            ["unknown option columnar of public.users -> on", "unknown option columnar of the toast table of public.users -> off"]);
        Line(digest, "table", "public.users").ShouldContain("with fillfactor=70");
        Line(digest, "table", "public.users").ShouldNotContain("columnar");
    }

    private static string Line(ContentDigest digest, string kind, string name) => digest.Catalogue.Single(line => line.Kind == kind && line.Name == name).Definition;

    /// <summary>As a server of another release would write it: no statement of this one does.</summary>
    private static Task WriteAsync(DatabaseEnvironment database, string options) =>
        RealServer.SqlAsync(database, $"UPDATE pg_attribute SET attoptions = '{options}' WHERE attrelid = 'users'::regclass AND attname = 'id'");
}
