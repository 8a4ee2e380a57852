using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Shouldly;
using Xunit;
using static Aragora.Runbook.Tests.Preflight.PreflightBench;

namespace Aragora.Runbook.Tests.Preflight;

public sealed class PreflightStepTests(RealServer server)
{
    [Fact]
    public async Task Two_databases_that_are_well_pass_every_check_and_nothing_is_written()
    {
        var (staging, production) = (await server.NewDatabaseAsync(TargetEnvironment.Staging), await server.NewDatabaseAsync());

        var report = await new PreflightStep(RealServer.NewRun()).RunAsync([staging, production], Options, CancellationToken.None);

        report.Refusals.ShouldBeEmpty(report.ToTable());
        report.ThrowIfRefused();
        report.Databases.Count.ShouldBe(2);
        var ids = PreflightChecks.All.Select(check => check.Id);
        report.Results.Where(result => result.Environment == TargetEnvironment.Production).Select(result => result.Id).ShouldBe(["reachable", .. ids]);
        report.Results.Where(result => result.Environment == TargetEnvironment.Staging).Select(result => result.Id).ShouldBe(["reachable", .. PreflightChecks.All.Where(check => !check.OnlyForBackup).Select(check => check.Id)]);
        report.Results.Where(result => result.Environment is null).Select(result => result.Id).ShouldBe(["migrations-tree", "identities"]);
        report.ToTable().ShouldContain("Two databases");
    }

    [Fact]
    public async Task What_surrounds_a_database_is_asked_where_its_environment_is_and_what_it_throws_is_a_refusal()
    {
        var production = await server.NewDatabaseAsync();
        EnvironmentCheck[] surroundings =
        [
            new(TargetEnvironment.Production, "rights", "Rights in the cluster", _ => throw new RefusedException("It may not.", "no role", "ask")),
            new(TargetEnvironment.Production, "later", "Only before a migration", _ => Task.FromResult<Finding>(new Finding.Ok("fine"))) { OnlyForMigration = true },
            new(TargetEnvironment.Staging, "elsewhere", "Not asked", _ => throw new InvalidOperationException()),
        ];

        var report = await new PreflightStep(RealServer.NewRun()).RunAsync([production], Options with { Surroundings = surroundings, Migrates = false }, CancellationToken.None);
        var migrating = await new PreflightStep(RealServer.NewRun()).RunAsync([production], Options with { Surroundings = surroundings }, CancellationToken.None);

        var refusal = report.Refusals.ShouldHaveSingleItem();
        (refusal.Id, refusal.Finding.Text, refusal.Finding.Next).ShouldBe(("rights", "It may not. no role", "ask"));
        report.Results.ShouldNotContain(result => result.Id == "later" || result.Id == "elsewhere");
        migrating.Results.ShouldContain(result => result.Id == "later");
    }

    [Fact]
    public async Task Every_refusal_is_listed_with_its_next_command()
    {
        var production = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(production, "CREATE TABLE users ()");
        var unreachable = new DatabaseEnvironment { Name = TargetEnvironment.Staging, Database = production.Database with { Port = 1 } };

        var report = await new PreflightStep(RealServer.NewRun()).RunAsync(
            [unreachable, production],
            Options with { LoadTree = _ => throw new RefusedException("The tree does not load.", "SyntaxError in 0009.py", "./build.sh History"), FindPgDump = (_, _) => Task.FromResult<ClientProgram?>(null) },
            CancellationToken.None);

        var refusal = Should.Throw<RefusedException>(report.ThrowIfRefused);
        refusal.What.ShouldBe("The preflight refuses: 3 findings in the way. Nothing was touched.");
        refusal.Why.ShouldContain("both, Migrations tree: The tree does not load. SyntaxError in 0009.py\n          -> ./build.sh History");
        refusal.Why.ShouldContain("staging, Reachable, and what it is: The staging database");
        refusal.Why.ShouldContain("nothing listens there");
        refusal.Why.ShouldContain("production, pg_dump version: there is no pg_dump");
        refusal.Why.ShouldContain("apt-get install postgresql-client-");
    }

    [Fact]
    public async Task The_same_database_under_both_names_is_refused()
    {
        var production = await server.NewDatabaseAsync();

        var report = await new PreflightStep(RealServer.NewRun()).RunAsync([production with { Name = TargetEnvironment.Staging }, production], Options, CancellationToken.None);

        report.Refusals.ShouldHaveSingleItem().Id.ShouldBe("identities");
    }

    [Fact]
    public async Task A_role_without_rights_gets_findings_and_no_crash()
    {
        var limited = await AsNewRoleAsync(await server.NewDatabaseAsync());
        await RealServer.SqlAsync(await AsAdminAsync(limited), "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0001')");

        var report = await new PreflightStep(RealServer.NewRun()).RunAsync([limited], Options, CancellationToken.None);

        var reached = report.Results.Single(result => result.Id == "reachable").Finding.ShouldBeOfType<Finding.Refusal>();
        reached.Text.ShouldContain("permission denied for table alembic_version");
        reached.Next.ShouldStartWith($"GRANT SELECT ON alembic_version TO \"{limited.Database.User}\";");
        report.Results.Single(result => result.Id == "rights-migrate").Finding.ShouldBeOfType<Finding.Refusal>();
        report.Results.Count.ShouldBe(PreflightChecks.All.Count + 2);
    }

    [Fact]
    public async Task A_server_with_one_connection_to_spare_is_asked_over_that_one()
    {
        var admin = await server.NewDatabaseAsync(TargetEnvironment.Staging);
        var limited = await AsNewRoleAsync(admin, "CONNECTION LIMIT 1");

        var report = await new PreflightStep(RealServer.NewRun()).RunAsync([limited], Options, CancellationToken.None);

        report.Results.Single(result => result.Id == "connections").Finding.ShouldBeOfType<Finding.Refusal>().Text.ShouldContain("1 of 1 in use");
        report.Results.Count.ShouldBe(PreflightChecks.All.Count(check => !check.OnlyForBackup) + 2);
    }

    [Fact]
    public async Task A_check_cannot_write_nor_hang_nor_crash_the_preflight()
    {
        var production = await server.NewDatabaseAsync();
        PreflightCheck[] checks =
        [
            Check("writes", "CREATE TABLE written ()") with { IsEssential = true },
            Check("hangs", "SELECT pg_sleep(600)"),
            new PreflightCheck("crashes", "crashes", (_, _) => throw new InvalidCastException("a null where none was expected")),
        ];

        var report = await new PreflightStep(RealServer.NewRun(), checks).RunAsync([production], Options with { StatementTimeout = TimeSpan.FromMilliseconds(500) }, CancellationToken.None);

        report.Results.Single(result => result.Id == "writes").Finding.ShouldBeOfType<Finding.Refusal>().Text.ShouldBe("the server answered 25006: cannot execute CREATE TABLE in a read-only transaction");
        report.Results.Single(result => result.Id == "hangs").Finding.ShouldBeOfType<Finding.Warning>().Text.ShouldBe("no answer within 500 ms: the server is overloaded");
        report.Results.Single(result => result.Id == "crashes").Finding.ShouldBeOfType<Finding.Warning>().Text.ShouldBe("could not be read: a null where none was expected");

        static PreflightCheck Check(string id, string sql) => new(id, id, async (subject, cancellation) =>
        {
            await subject.Session.ExecuteAsync(sql, cancellation);
            return new Finding.Ok("done");
        });
    }

    [Fact]
    public void Each_check_has_an_id_of_its_own() => PreflightChecks.All.Select(check => check.Id).ShouldBeUnique();

    private Task<DatabaseEnvironment> AsAdminAsync(DatabaseEnvironment limited) =>
        Task.FromResult(limited with { Database = server.Server.Url with { Database = limited.Database.Database } });
}
