using Aragora.Runbook.Preflight;
using Shouldly;
using Xunit;
using static Aragora.Runbook.Tests.Preflight.PreflightBench;

namespace Aragora.Runbook.Tests.Preflight;

/// <summary>Each bad example is mended by the very command that the finding suggests.</summary>
public sealed class RightsChecksTests(RealServer server)
{
    [Fact]
    public async Task A_role_that_may_not_create_tables_is_refused_until_it_may()
    {
        var admin = await server.NewDatabaseAsync();
        var limited = await AsNewRoleAsync(admin);

        var refusal = (await AskAsync(RightsChecks.Migrate, limited)).ShouldBeOfType<Finding.Refusal>();
        refusal.Text.ShouldContain("may not create tables in schema \"public\"");

        await RealServer.SqlAsync(admin, refusal.Next);
        (await AskAsync(RightsChecks.Migrate, limited)).ShouldBeOfType<Finding.Ok>();
    }

    [Fact]
    public async Task A_role_that_does_not_own_a_table_is_refused_until_it_is_a_member_of_the_owner()
    {
        var admin = await server.NewDatabaseAsync();
        var owner = await AsNewRoleAsync(admin);
        var limited = await AsNewRoleAsync(admin);
        await RealServer.SqlAsync(admin, $"GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE TABLE \"Odd \"\"Table\" (); ALTER TABLE \"Odd \"\"Table\" OWNER TO {owner.Database.User}");

        var refusal = (await AskAsync(RightsChecks.Migrate, limited)).ShouldBeOfType<Finding.Refusal>();
        refusal.Text.ShouldContain("does not own public.\"Odd \"\"Table\"");

        await RealServer.SqlAsync(admin, refusal.Next);
        (await AskAsync(RightsChecks.Migrate, limited)).ShouldBeOfType<Finding.Ok>();
        (await AskAsync(RightsChecks.Migrate, admin)).ShouldBeOfType<Finding.Ok>();
    }

    [Fact]
    public async Task A_role_that_may_not_read_everything_is_refused_until_it_may()
    {
        var admin = await server.NewDatabaseAsync();
        var limited = await AsNewRoleAsync(admin);
        await RealServer.SqlAsync(admin, "CREATE SCHEMA \"Own schema\"; CREATE TABLE \"Own schema\".t (id serial)");

        var refusal = (await AskAsync(RightsChecks.Dump, limited)).ShouldBeOfType<Finding.Refusal>();
        refusal.Text.ShouldContain("may not read \"Own schema\".t, \"Own schema\".t_id_seq: pg_dump will fail");

        await RealServer.SqlAsync(admin, refusal.Next);
        (await AskAsync(RightsChecks.Dump, limited)).ShouldBeOfType<Finding.Ok>();
    }

    [Fact]
    public async Task Rows_that_are_hidden_are_refused_until_they_are_seen()
    {
        var admin = await server.NewDatabaseAsync();
        var limited = await AsNewRoleAsync(admin);
        await RealServer.SqlAsync(admin, "CREATE TABLE t (); ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO PUBLIC");

        var refusal = (await AskAsync(RightsChecks.Dump, limited)).ShouldBeOfType<Finding.Refusal>();
        refusal.Text.ShouldContain("row-level security hides rows of public.t");

        await RealServer.SqlAsync(admin, refusal.Next.Split("   ")[0]);
        (await AskAsync(RightsChecks.Dump, limited)).ShouldBeOfType<Finding.Ok>();
    }

    [Theory]
    [InlineData("rights-signal")]
    [InlineData("rights-monitor")]
    [InlineData("rights-createdb")]
    public async Task A_right_that_may_be_missed_later_is_a_warning_until_it_is_granted(string id)
    {
        var check = PreflightChecks.All.Single(check => check.Id == id);
        var admin = await server.NewDatabaseAsync();
        var limited = await AsNewRoleAsync(admin);

        var warning = (await AskAsync(check, limited)).ShouldBeOfType<Finding.Warning>();

        await RealServer.SqlAsync(admin, warning.Next);
        (await AskAsync(check, limited)).ShouldBeOfType<Finding.Ok>();
        (await AskAsync(check, admin)).ShouldBeOfType<Finding.Ok>();
    }

    [Fact]
    public async Task A_role_that_may_not_read_the_identity_is_refused_by_name_and_nothing_crashes()
    {
        var admin = await server.NewDatabaseAsync(Runbook.Environments.TargetEnvironment.Staging);
        var limited = await AsNewRoleAsync(admin);
        await RealServer.SqlAsync(admin, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");

        var report = await new PreflightStep(RealServer.NewRun()).RunAsync([limited], Options, CancellationToken.None);

        report.Results.Single(result => result.Id == "reachable").Finding.ShouldBeOfType<Finding.Refusal>().Text.ShouldContain("pg_control_system");
        var refusal = report.Results.Single(result => result.Id == "rights-identify").Finding.ShouldBeOfType<Finding.Refusal>();
        refusal.Next.ShouldBe($"GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO \"{limited.Database.User}\"");
        await RealServer.SqlAsync(admin, refusal.Next);
        (await AskAsync(RightsChecks.Identify, limited)).ShouldBeOfType<Finding.Ok>();
    }
}
