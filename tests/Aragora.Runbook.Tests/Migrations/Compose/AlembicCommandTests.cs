using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

public sealed class AlembicCommandTests
{
    [Theory]
    [InlineData("", "alembic upgrade head", "alembic upgrade r1", "alembic.ini")]
    [InlineData("", "alembic -c db/alembic.ini upgrade head", "alembic -c db/alembic.ini upgrade r1", "db/alembic.ini")]
    [InlineData("", "alembic --config=db/a.ini -x tenant=upgrade upgrade head --sql", "alembic --config=db/a.ini -x tenant=upgrade upgrade r1", "db/a.ini")]
    [InlineData("", "/venv/bin/alembic -cdb/a.ini current", "/venv/bin/alembic -cdb/a.ini upgrade r1", "db/a.ini")]
    [InlineData("", "python3 -m alembic -c a.ini upgrade head", "python3 -m alembic -c a.ini upgrade r1", "a.ini")]
    [InlineData("", "uvicorn app:app --port 8080", "alembic upgrade r1", "alembic.ini")]
    [InlineData("", "alembic --help", "alembic upgrade r1", "alembic.ini")]
    [InlineData("", "sh -c alembic", "alembic upgrade r1", "alembic.ini")]
    [InlineData("", "", "alembic upgrade r1", "alembic.ini")]
    [InlineData("docker-entrypoint.sh", "alembic -c a.ini upgrade head", "alembic -c a.ini upgrade r1", "a.ini")]
    [InlineData("alembic -c a.ini", "upgrade head", "upgrade r1", "a.ini")]
    [InlineData("/usr/bin/alembic", "-c b.ini upgrade head", "-c b.ini upgrade r1", "b.ini")]
    public void What_stands_before_the_subcommand_is_kept(string entrypoint, string command, string becomes, string configuration)
    {
        var alembic = AlembicCommand.Of(ComposeConfig.Words(entrypoint), ComposeConfig.Words(command), new Dictionary<string, string>(StringComparer.Ordinal));

        string.Join(' ', alembic.To(MigrationDirection.Upgrade, "r1")).ShouldBe(becomes);
        alembic.Configuration.ShouldBe(configuration);
        alembic.EntrypointIsAlembic.ShouldBe(entrypoint.Contains("alembic", StringComparison.Ordinal));
    }

    [Fact]
    public void A_downgrade_goes_the_same_way_and_Alembics_own_variable_names_its_configuration()
    {
        var alembic = AlembicCommand.Of([], [], new Dictionary<string, string>(StringComparer.Ordinal) { ["ALEMBIC_CONFIG"] = "db/alembic.ini" });

        string.Join(' ', alembic.To(MigrationDirection.Downgrade, "base")).ShouldBe("alembic downgrade base");
        alembic.Configuration.ShouldBe("db/alembic.ini");
    }
}
