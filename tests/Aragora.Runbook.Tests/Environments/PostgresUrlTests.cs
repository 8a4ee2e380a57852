using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Environments;

public sealed class PostgresUrlTests
{
    [Fact]
    public void Every_part_is_read_as_libpq_reads_it()
    {
        var url = PostgresUrl.Parse("postgresql://al%20ice:s%3Ae%2Fc%40r%25e%27t%5C%22@db.example:6543/my%20db?sslmode=require&options=-c%20geqo%3Doff", "X");

        url.User.ShouldBe("al ice");
        url.Password.ShouldBe("s:e/c@r%e't\\\"");
        url.Endpoint.ShouldBe("db.example:6543");
        url.Database.ShouldBe("my db");
        url.Options["sslmode"].ShouldBe("require");
        url.Options["options"].ShouldBe("-c geqo=off");
    }

    [Fact]
    public void A_url_survives_being_written_and_read_again()
    {
        var url = PostgresUrl.Parse("postgres://u:p%40%3A%2F%C3%A4@[::1]:5433/d%22%27?sslmode=disable", "X");

        PostgresUrl.Parse(url.ToSecretUrl(), "X").ToSecretUrl().ShouldBe(url.ToSecretUrl());
        url.Host.ShouldBe("::1");
    }

    [Fact]
    public void A_socket_is_named_by_its_folder()
    {
        var url = PostgresUrl.Parse("postgresql://u@/d?host=/run/pg&port=5444", "X");

        url.IsSocket.ShouldBeTrue();
        url.Port.ShouldBe(5444);
        PostgresUrl.Parse(url.ToSecretUrl(), "X").Endpoint.ShouldBe(url.Endpoint);
    }

    [Theory]
    [InlineData("mysql://u:hunter2@h/d", "scheme")]
    [InlineData("u:hunter2@h/d", "scheme")]
    [InlineData("postgresql://u:hun@ter2@h/d", "%40")]
    [InlineData("postgresql://u:hunter2@h:notaport/d", "port")]
    [InlineData("postgresql://u:hunter2%@h/d", "%25")]
    [InlineData("postgresql://u:hunter2@h1,h2/d", "primary")]
    [InlineData("postgresql://u:hunter2@h/d?sslmod=require", "sslmod")]
    [InlineData("postgresql://:hunter2@h/d", "no user")]
    public void A_url_that_cannot_be_read_is_refused_without_repeating_it(string text, string reason)
    {
        var refusal = Should.Throw<BadInputException>(() => PostgresUrl.Parse(text, "PRODUCTION_DATABASE_URL"));

        refusal.Message.ShouldContain("PRODUCTION_DATABASE_URL");
        refusal.Message.ShouldContain(reason);
        refusal.Message.ShouldNotContain("hunter2");
    }

    [Fact]
    public void What_is_printed_holds_no_password() =>
        PostgresUrl.Parse("postgresql://u:hunter2@h/d", "X").ToString().ShouldBe("u@h:5432/d");
}
