using Npgsql;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Environments;

public sealed class ErrorDetailTests(RealServer server)
{
    [Fact]
    public async Task Values_of_rows_are_in_no_error()
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, "CREATE TABLE people (email text UNIQUE); INSERT INTO people VALUES ('ada@example.org')");

        var failure = await Should.ThrowAsync<PostgresException>(() => RealServer.SqlAsync(environment, "INSERT INTO people SELECT email FROM people"));

        failure.ToString().ShouldNotContain("ada@example.org");
        failure.ConstraintName.ShouldBe("people_email_key");
    }
}
