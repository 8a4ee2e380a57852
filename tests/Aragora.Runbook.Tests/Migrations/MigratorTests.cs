using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class MigratorTests(RealServer server)
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task The_pending_revisions_run_and_what_the_database_says_becomes_evidence()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.AddTables(3);

        var result = await tree.Migrator(run).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None);

        result.Facts.ShouldSatisfyAllConditions(
            facts => facts.Moved.ShouldBeTrue(),
            facts => facts.From.ShouldBeEmpty(),
            facts => facts.To.ShouldBe(["r3000"]),
            facts => facts.Applied.ShouldBe(["r1000", "r2000", "r3000"]),
            facts => facts.Runner.ShouldBe("local"));
        var (accepted, _) = run.Evidence.ReadAll();
        accepted.Single().Kind.ShouldBe(EvidenceKinds.Migration);
        accepted.Single().Revisions.ShouldBe(["r3000"]);
        accepted.Single().TreeHash.ShouldBe((await tree.ReadAsync()).Hash);
        (await JournalAsync(run)).ShouldContain("\"act\":\"migrate production\"");
        (await JournalAsync(run)).ShouldNotContain(environment.Database.Password!);
    }

    [Fact]
    public async Task With_nothing_pending_nothing_runs_and_that_is_said()
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        tree.AddTables(1);
        await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None);

        var again = await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None);

        again.Facts.Moved.ShouldBeFalse();
        again.Facts.Applied.ShouldBeEmpty();
        again.After.RevisionStamp.ShouldBe(again.Before.RevisionStamp);
    }

    [Fact]
    public async Task A_migration_goes_to_the_revision_that_was_asked_for_and_no_further()
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        tree.AddTables(3);

        var result = await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "r2000", gate: null, None);
        var past = await Should.ThrowAsync<BadInputException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "r1000", gate: null, None));

        result.Facts.To.ShouldBe(["r2000"]);
        past.Message.ShouldContain("past r1000");
        past.Next.ShouldContain("Rollback --target-environment <environment> --strategy Downgrade --revision r1000");
    }

    [Fact]
    public async Task A_migration_that_raises_leaves_the_database_unchanged_and_says_so()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.Add("r1000", null, "op.execute('CREATE TABLE half (id int)')\nraise ValueError('no luck today')");

        var failure = await Should.ThrowAsync<FailedCleanException>(async () => await tree.Migrator(run).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        failure.Message.ShouldContain("r1000");
        failure.Message.ShouldContain("no luck today");
        failure.Message.ShouldContain("unchanged, at base");
        run.Evidence.ReadAll().Accepted.ShouldBeEmpty();
        (await JournalAsync(run)).ShouldContain("\"result\":\"failed\"");
    }

    [Fact]
    public async Task A_failure_halfway_tells_the_last_committed_revision_and_goes_on_once_it_is_mended()
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        tree.AddTables(4).Add("r3000", "r2000", "raise ValueError('no luck today')");

        var failure = await Should.ThrowAsync<NeedsPersonException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        failure.Message.ShouldContain("failed in r3000");
        failure.Message.ShouldContain("The database is at r2000: 2 of 4 revisions are committed");
        failure.Next.ShouldContain("./build.sh MigrateProduction --revision r4000");
        failure.Next.ShouldContain("--revision base");

        tree.AddTables(4);
        (await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None)).Facts.Applied.ShouldBe(["r3000", "r4000"]);
    }

    [Fact]
    public async Task What_a_failure_leaves_outside_of_transactions_is_named()
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        await RealServer.SqlAsync(environment, "CREATE TABLE \"Odd name\" (a int); INSERT INTO \"Odd name\" VALUES (1), (1); CREATE TABLE alembic_version (version_num text); CREATE INDEX was_there ON \"Odd name\" (a)");
        tree.Add("r1000", null, "with op.get_context().autocommit_block():\n    op.execute('ALTER TABLE \"Odd name\" ADD CONSTRAINT positive CHECK (a > 0) NOT VALID')\n    op.execute('CREATE UNIQUE INDEX CONCURRENTLY \"New index\" ON \"Odd name\" (a)')");

        var failure = await Should.ThrowAsync<NeedsPersonException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        failure.Message.ShouldContain("No revision was committed");
        failure.Message.ShouldContain("INVALID index public.\"New index\"");
        failure.Message.ShouldContain("NOT VALID constraint positive on public.\"Odd name\"");
        failure.Next.ShouldContain("DROP INDEX CONCURRENTLY public.\"New index\";");
        failure.Message.ShouldNotContain("was_there");
    }

    [Fact]
    public async Task Rows_that_a_failed_revision_may_have_committed_are_not_called_unchanged()
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        await RealServer.SqlAsync(environment, "CREATE TABLE a (a int); INSERT INTO a VALUES (1); CREATE TABLE alembic_version (version_num text)");
        tree.Add("r1000", null, "with op.get_context().autocommit_block():\n    op.execute('UPDATE a SET a = 2')\nraise ValueError('after the batch')");

        var failure = await Should.ThrowAsync<NeedsPersonException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        failure.Message.ShouldContain("r1000 commits rows as it goes");
    }

    [Fact]
    public async Task Success_is_what_the_database_says_and_not_the_exit_code()
    {
        var (tree, environment, elsewhere) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync(), await server.NewDatabaseAsync());
        File.WriteAllText(Path.Combine(tree.Folder, "env.py"), TestTree.PlainEnv.Replace("os.environ[\"DATABASE_URL\"]", $"\"{elsewhere.Database.ToSecretUrl()}\"", StringComparison.Ordinal));
        tree.AddTables(1);

        var failure = await Should.ThrowAsync<NeedsPersonException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        failure.Message.ShouldContain("reported success");
        failure.Message.ShouldContain("not at r1000");
        failure.Message.ShouldContain("another URL");
    }

    [Fact]
    public async Task An_alembic_that_fails_at_the_target_is_a_failure_all_the_same()
    {
        var tree = await TestTree.NewAsync(server, env: TestTree.PlainEnv + "\nraise RuntimeError('afterwards')");
        var environment = await server.NewDatabaseAsync();
        tree.AddTables(1);

        var failure = await Should.ThrowAsync<NeedsPersonException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        failure.Message.ShouldContain("The database is at r1000, where it was to be");
        failure.Message.ShouldContain("afterwards");
    }

    [Fact]
    public async Task A_lock_timeout_names_who_holds_the_lock()
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        await RealServer.SqlAsync(environment, "CREATE TABLE busy (a int); CREATE TABLE alembic_version (version_num text)");
        await using var blocker = await PostgresSession.OpenAsync(environment, "reporting-tool");
        await blocker.ExecuteAsync("BEGIN; LOCK TABLE busy IN ACCESS SHARE MODE", None);
        tree.Add("r1000", null, "op.execute('ALTER TABLE busy ADD COLUMN b int')");
        var options = new MigratorOptions { Budget = new LockBudget { LockTimeout = TimeSpan.FromSeconds(1) } };

        var failure = await Should.ThrowAsync<FailedCleanException>(async () => await tree.Migrator(RealServer.NewRun(), options).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        failure.Message.ShouldContain("did not get a lock within 1 s (55P03)");
        failure.Message.ShouldContain($"still blocked by pid {blocker.ProcessId} (reporting-tool");
        failure.Next.ShouldContain($"SELECT pg_terminate_backend({blocker.ProcessId});");
    }

    [Theory]
    [InlineData("tables without a revision", "has 1 table but no alembic_version")]
    [InlineData("another schema", "keeps its revision in elsewhere.alembic_version")]
    [InlineData("overlapping rows", "holds r1000 beside r2000")]
    public async Task A_database_that_cannot_tell_its_revision_is_refused(string fault, string expected)
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        tree.AddTables(3);
        await RealServer.SqlAsync(environment, fault switch
        {
            "tables without a revision" => "CREATE TABLE something (a int)",
            "another schema" => "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.alembic_version (version_num text)",
            _ => "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('r1000'), ('r2000')",
        });

        var refusal = await Should.ThrowAsync<RefusedException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        refusal.Message.ShouldContain(expected);
    }

    [Fact]
    public async Task A_revision_that_only_another_commit_has_is_refused_with_that_commit()
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        tree.AddTables(2);
        await GitAsync(tree.Folder, "init", "-q", "-b", "main");
        await CommitAsync(tree.Folder, "Two tables");
        await GitAsync(tree.Folder, "checkout", "-q", "-b", "feature/third");
        tree.Add("r3feed", "r2000", "pass");
        await CommitAsync(tree.Folder, "A third");
        var commit = (await GitAsync(tree.Folder, "rev-parse", "HEAD")).Trim();
        await GitAsync(tree.Folder, "checkout", "-q", "main");
        await RealServer.SqlAsync(environment, "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('r3feed')");

        var refusal = await Should.ThrowAsync<RefusedException>(async () => await tree.Migrator(run).MigrateAsync(environment, await tree.ReadAsync(), "head", gate: null, None));

        refusal.Message.ShouldContain("production database is at r3feed, which is not in");
        refusal.Message.ShouldContain("feature/third");
        refusal.Next.ShouldContain($"git worktree add ../at-{commit[..10]} {commit}");
    }

    [Fact]
    public async Task A_role_without_grants_is_told_so()
    {
        var (tree, environment) = (await TestTree.NewAsync(server), await server.NewDatabaseAsync());
        var role = $"r_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(environment, $"CREATE TABLE alembic_version (version_num text); CREATE ROLE {role} LOGIN PASSWORD 'pw-of-role'");
        var limited = environment with { Database = environment.Database with { User = role, Password = "pw-of-role" } };
        tree.AddTables(1);

        var unreadable = await Should.ThrowAsync<BadInputException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(limited, await tree.ReadAsync(), "head", gate: null, None));
        await RealServer.SqlAsync(environment, $"GRANT SELECT, INSERT, UPDATE, DELETE ON alembic_version TO {role}");
        var failure = await Should.ThrowAsync<FailedCleanException>(async () => await tree.Migrator(RealServer.NewRun()).MigrateAsync(limited, await tree.ReadAsync(), "head", gate: null, None));

        unreadable.Next.ShouldContain($"GRANT SELECT ON alembic_version TO \"{role}\"");
        failure.Message.ShouldContain($"role \"{role}\" lacks a grant");
    }

    [Theory]
    [InlineData("it's \"my\" DB ä%41+b", "p:a\\s\"s%w@o'r+d/?#&= ü")]
    [InlineData("Plain_Capitals", "p%40")]
    public async Task Odd_names_and_passwords_reach_Alembic_as_they_are(string name, string password)
    {
        var (tree, run) = (await TestTree.NewAsync(server, "mit Leerzeichen und ünïcode"), RealServer.NewRun());
        var environment = await server.NewDatabaseAsync(databaseName: $"{name} {Guid.NewGuid():N}"[..Math.Min(50, name.Length + 9)]);
        var role = $"Odd role {Guid.NewGuid():N}";
        await RealServer.SqlAsync(environment, $"CREATE ROLE \"{role}\" LOGIN SUPERUSER PASSWORD '{password.Replace("'", "''", StringComparison.Ordinal).Replace("\\", "\\\\", StringComparison.Ordinal)}'".Replace("PASSWORD '", "PASSWORD E'", StringComparison.Ordinal));
        var odd = environment with { Database = environment.Database with { User = role, Password = password } };
        tree.AddTables(1);

        var result = await tree.Migrator(run).MigrateAsync(odd, await tree.ReadAsync(), "head", gate: null, None);

        result.After.Revisions.ShouldBe(["r1000"]);
        (await JournalAsync(run)).ShouldNotContain(Uri.EscapeDataString(password));
    }

    private static Task<string> JournalAsync(RunContext run) => ReadSharedAsync(run.Journal.Path);

    private static async Task<string> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return await reader.ReadToEndAsync();
    }

    private async Task CommitAsync(string folder, string message)
    {
        await GitAsync(folder, "add", "-A");
        await GitAsync(folder, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", message);
    }

    private async Task<string> GitAsync(string folder, params string[] arguments)
    {
        var result = await server.Commands.RunAsync(new Aragora.Runbook.Adapters.Processes.Command { Program = "git", Arguments = arguments, WorkingDirectory = folder });
        result.Succeeded.ShouldBeTrue(result.Tail());
        return result.Output;
    }
}
