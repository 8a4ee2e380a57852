using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Environments;

public sealed class DatabaseInspectorTests(RealServer server)
{
    [Fact]
    public async Task A_database_without_a_migration_has_no_revision()
    {
        var facts = await DatabaseInspector.ReadAsync(await server.NewDatabaseAsync(), CancellationToken.None);

        facts.Revisions.ShouldBeEmpty();
        facts.RevisionStamp.ShouldBeNull();
        facts.Identity.SystemIdentifier.ShouldNotBeEmpty();
        facts.Identity.Timeline.ShouldBe(1);
    }

    [Fact]
    public async Task A_migration_up_and_down_again_leaves_another_stamp()
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('a')");
        var before = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);

        await RealServer.SqlAsync(environment, "UPDATE alembic_version SET version_num = 'b'");
        await RealServer.SqlAsync(environment, "UPDATE alembic_version SET version_num = 'a'");
        var after = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);

        after.Revisions.ShouldBe(["a"]);
        after.RevisionStamp.ShouldNotBe(before.RevisionStamp);
        after.Identity.IsSameDatabaseAs(before.Identity).ShouldBeTrue();
    }

    [Theory]
    [InlineData("GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() TO")]
    [InlineData("GRANT SELECT ON alembic_version TO")]
    public async Task A_role_that_lacks_a_grant_is_told_the_one_it_lacks(string expected)
    {
        var environment = await server.NewDatabaseAsync();
        var role = $"r \"{Guid.NewGuid():N}";
        var quoted = "\"" + role.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
        await RealServer.SqlAsync(environment, $"CREATE TABLE alembic_version (version_num text); CREATE ROLE {quoted} LOGIN PASSWORD 'pw-of-role'");
        if (expected.Contains("pg_control", StringComparison.Ordinal))
        {
            await RealServer.SqlAsync(environment, $"GRANT SELECT ON alembic_version TO {quoted}; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
        }

        var refusal = await Should.ThrowAsync<BadInputException>(() =>
            DatabaseInspector.ReadAsync(environment with { Database = environment.Database with { User = role, Password = "pw-of-role" } }, CancellationToken.None));

        refusal.Next.ShouldStartWith($"{expected} {quoted};");
    }

    [Fact]
    public async Task A_labelled_database_is_not_called_by_its_environment()
    {
        var scratch = await server.NewDatabaseAsync() with { Label = "scratch" };
        var refusal = await Should.ThrowAsync<BadInputException>(() => DatabaseInspector.ReadAsync(scratch with { Database = scratch.Database with { Database = "absent" } }, CancellationToken.None));
        refusal.What.ShouldStartWith("The scratch database \"absent\"");
        refusal.Next.ShouldContain("SCRATCH_SERVER_URL");
        refusal.Message.ShouldNotContain("roduction", Case.Insensitive);
    }

    [Theory]
    [InlineData("wrong password", "password")]
    [InlineData("unknown database", "no database of that name")]
    [InlineData("closed port", "nothing listens")]
    [InlineData("unknown host", "unknown")]
    public async Task A_database_that_cannot_be_reached_says_why_and_never_the_password(string fault, string expected)
    {
        var good = await server.NewDatabaseAsync();
        var bad = good with
        {
            Database = fault switch
            {
                "wrong password" => good.Database with { Password = "hunter2-wrong" },
                "unknown database" => good.Database with { Database = "nothing like it" },
                "closed port" => good.Database with { Port = 1 },
                _ => good.Database with { Host = "no-such-host.invalid" },
            },
        };

        var refusal = await Should.ThrowAsync<BadInputException>(() => DatabaseInspector.ReadAsync(bad, CancellationToken.None));

        refusal.Message.ShouldContain(expected);
        refusal.Message.ShouldContain("PRODUCTION_DATABASE_URL");
        refusal.ToString().ShouldNotContain("hunter2-wrong");
        refusal.ToString().ShouldNotContain(good.Database.Password!);
    }
}
