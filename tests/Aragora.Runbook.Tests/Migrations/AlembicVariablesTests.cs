using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Tooling;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class AlembicVariablesTests
{
    private static readonly AlembicProject Project = new() { ConfigFile = "/tree/alembic.ini" };
    private static readonly LockBudget Budget = new() { LockTimeout = TimeSpan.FromMilliseconds(1500.5), StatementTimeout = TimeSpan.FromMinutes(1) };

    [Fact]
    public void The_command_line_holds_no_secret()
    {
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u:hunter2@h/d", "X") };

        LocalAlembicRunner.Compose(new PythonTool("/usr/bin/python3", "alembic", "1.8.1", "psycopg2", ""), Project, new RunnerRequest(environment, MigrationDirection.Downgrade, "base", Budget, "aragora-migrate-x"))
            .ToString().ShouldBe("/usr/bin/python3 -m alembic -c /tree/alembic.ini downgrade base");
    }

    [Fact]
    public void Url_budget_and_name_reach_the_child_by_its_environment()
    {
        var variables = For("postgresql://u:p%40ss@h:6543/d?sslmode=require");

        variables["DATABASE_URL"].ShouldBe("postgresql://u:p%40ss@h:6543/d?sslmode=require");
        variables["ARAGORA_POSTGRES_DSN"].ShouldBe(variables["DATABASE_URL"]);
        variables["PGOPTIONS"].ShouldBe("-c lock_timeout=1501 -c statement_timeout=60000 -c idle_in_transaction_session_timeout=600000");
        variables["ARAGORA_LOCK_TIMEOUT"].ShouldBe("1501");
        variables["ARAGORA_STATEMENT_TIMEOUT"].ShouldBe("60000");
        variables["ARAGORA_IDLE_IN_TRANSACTION_TIMEOUT"].ShouldBe("600000");
        variables["PGAPPNAME"].ShouldBe("aragora-migrate-x");
        variables["ARAGORA_APPLICATION_NAME"].ShouldBe("aragora-migrate-x");
        variables["PGHOSTADDR"].ShouldBeNull();
        variables["PGSERVICE"].ShouldBeNull();
    }

    [Fact]
    public void Options_and_name_in_the_url_do_not_overrule_ours()
    {
        var variables = For("postgresql://u@h/d?options=-c%20search_path%3Dapp&application_name=theirs");

        variables["PGOPTIONS"].ShouldStartWith("-c search_path=app -c lock_timeout=1501");
        PostgresUrl.Parse(variables["DATABASE_URL"]!, "X").Options["options"].ShouldBe(variables["PGOPTIONS"]);
        PostgresUrl.Parse(variables["DATABASE_URL"]!, "X").Options["application_name"].ShouldBe("aragora-migrate-x");
    }

    [Theory]
    [InlineData("postgresql+psycopg", "postgresql+psycopg://u@h:5432/?sslmode=require&dbname=my%20db")]
    [InlineData("postgresql+asyncpg", "postgresql+asyncpg://u@h:5432/?database=my%20db")]
    public void Each_driver_gets_what_it_understands(string scheme, string expected)
    {
        var url = PostgresUrl.Parse("postgresql://u@h/my%20db?sslmode=require", "X");

        var variables = AlembicVariables.For(Project with { UrlScheme = scheme, UrlVariables = ["DB"] }, url, Budget, "aragora-migrate-x");

        variables["DB"].ShouldBe(expected);
        variables["PGSSLMODE"].ShouldBe("require");
        variables.ContainsKey("DATABASE_URL").ShouldBeFalse();
    }

    [Theory]
    [InlineData("sqlalchemy.exc.OperationalError: (psycopg2.errors.LockNotAvailable) storniere Anfrage wegen Zeitüberschreitung", AlembicFailureKind.LockTimeout)]
    [InlineData("sqlalchemy.exc.DBAPIError: (sqlalchemy.dialects.postgresql.asyncpg.Error) <class 'asyncpg.exceptions.LockNotAvailableError'>: x", AlembicFailureKind.LockTimeout)]
    [InlineData("sqlalchemy.exc.OperationalError: (psycopg2.errors.DeadlockDetected) deadlock detected", AlembicFailureKind.Deadlock)]
    [InlineData("sqlalchemy.exc.OperationalError: (psycopg2.errors.QueryCanceled) canceling statement due to statement timeout", AlembicFailureKind.StatementCancelled)]
    [InlineData("ValueError: invalid interpolation syntax in '***' at position 3", AlembicFailureKind.UrlInterpolation)]
    [InlineData("FAILED: Can't locate revision identified by 'x'", AlembicFailureKind.Other)]
    public void A_failure_is_told_by_class_in_any_language(string line, AlembicFailureKind kind)
    {
        var output = new AlembicOutput();
        output.Add("INFO  [alembic.runtime.migration] Running upgrade r1000, r1001 -> r2000, a -> b");
        output.Add("Traceback (most recent call last):");
        output.Add(line);
        output.Add("[SQL: ALTER TABLE x]");

        output.Failure().ShouldBe(new AlembicFailure(kind, line));
        output.AtWork.ShouldBe("r2000");
    }

    private static IReadOnlyDictionary<string, string?> For(string url) => AlembicVariables.For(Project, PostgresUrl.Parse(url, "X"), Budget, "aragora-migrate-x");
}
