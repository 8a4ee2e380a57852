using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Tooling;
using Aragora.Runbook.Verification;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Environments;

public sealed class LibpqVariablesTests
{
    private static readonly string[] Misleading = ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE", "PGTARGETSESSIONATTRS", "PGCLIENTENCODING", "PGTZ", "PGREQUIREPEER"];

    [Theory]
    [InlineData("alembic")]
    [InlineData("pg_dump")]
    [InlineData("pytest")]
    public void What_is_set_in_a_shell_leads_no_child_elsewhere(string child)
    {
        var variables = Of(child, "postgresql://u:hunter2@h:6543/d");

        foreach (var name in Misleading.Append("PGPASSWORD"))
        {
            variables.TryGetValue(name, out var value).ShouldBeTrue(name);
            value.ShouldBeNull(name);
        }

        variables.ContainsKey("PGPASSFILE").ShouldBeTrue();
        string.Join(' ', variables["PGHOST"], variables["PGPORT"], variables["PGUSER"], variables["PGDATABASE"]).ShouldBe("h 6543 u d");
    }

    [Theory]
    [InlineData("alembic")]
    [InlineData("pg_dump")]
    [InlineData("pytest")]
    public void What_the_URL_says_reaches_the_child_and_a_password_that_it_lacks_is_left_to_libpq(string child)
    {
        var variables = Of(child, "postgresql://u@h/d?sslmode=verify-full&sslrootcert=/ca.pem&target_session_attrs=read-write");

        variables["PGSSLMODE"].ShouldBe("verify-full");
        variables["PGSSLROOTCERT"].ShouldBe("/ca.pem");
        variables["PGTARGETSESSIONATTRS"].ShouldBe("read-write");
        variables.ContainsKey("PGPASSWORD").ShouldBeFalse();
        variables.ContainsKey("PGPASSFILE").ShouldBeFalse();
        variables.ContainsKey("PGSSLCERT").ShouldBeFalse();
    }

    private static IReadOnlyDictionary<string, string?> Of(string child, string text)
    {
        var url = PostgresUrl.Parse(text, "X");
        switch (child)
        {
            case "alembic":
                return AlembicVariables.For(new AlembicProject { ConfigFile = "/tree/alembic.ini" }, url, new LockBudget(), "aragora-migrate-x");
            case "pg_dump":
                using (var password = PasswordFile.For(url))
                {
                    return ClientEnvironment.For(url, password, "aragora-backup");
                }

            default:
                var environment = new DatabaseEnvironment { Name = TargetEnvironment.Staging, Database = url };
                return SmokeTestCommand.Create(new PythonTool("py", "pytest", "7", "psycopg2", "here"), environment, new SmokeTestOptions(), "/suite/test_database.py", "/run/smoke.xml").Environment;
        }
    }
}
