using Aragora.Runbook.Migrations.Compose;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

public sealed class ComposeConfigTests
{
    /// <summary>As docker-compose 1.29 prints it.</summary>
    private const string FirstGeneration = """
        services:
          aragora-api:
            command: alembic -c "my files/alembic.ini" upgrade he$$ad
            depends_on:
              postgres:
                condition: service_healthy
            entrypoint: /bin/entry point
            environment:
              DATABASE_URL: postgresql://u:p$$1@h/d
              EMPTY: ''
              UNSET: null
              PORT: 8080
            image: aragora/api:latest
          postgres:
            image: postgres:15
        version: '3.9'
        """;

    /// <summary>As the plugin prints it.</summary>
    private const string Plugin = """
        name: shop
        services:
          aragora-api:
            build:
              context: /srv
              dockerfile: Dockerfile
            command:
              - alembic
              - -c
              - my files/alembic.ini
              - upgrade
              - he$$ad
            depends_on:
              postgres:
                condition: service_healthy
                required: true
            entrypoint: null
            environment:
              DATABASE_URL: postgresql://u:p$$1@h/d
              EMPTY: ""
            image: aragora/api:latest
            networks:
              default: null
          postgres:
            image: postgres:15
            networks:
              default: null
        networks:
          default:
            name: shop_default
        """;

    [Fact]
    public void Both_generations_are_read_alike_with_single_dollars()
    {
        var first = ComposeConfig.Read(FirstGeneration)[0];
        var plugin = ComposeConfig.Read(Plugin)[0];

        foreach (var service in new[] { first, plugin })
        {
            service.Name.ShouldBe("aragora-api");
            service.Image.ShouldBe("aragora/api:latest");
            service.Command.ShouldBe(["alembic", "-c", "my files/alembic.ini", "upgrade", "he$ad"]);
            service.DependsOn.ShouldBe(["postgres"]);
            service.Environment["DATABASE_URL"].ShouldBe("postgresql://u:p$1@h/d");
            service.Environment["EMPTY"].ShouldBe("");
        }

        first.Entrypoint.ShouldBe(["/bin/entry", "point"]);
        first.Environment.Keys.ShouldNotContain("UNSET");
        plugin.Entrypoint.ShouldBeNull();
        (first.IsBuilt, plugin.IsBuilt).ShouldBe((false, true));
    }

    [Fact]
    public void The_plugins_JSON_is_read_as_well()
    {
        var service = ComposeConfig.Read("""{"name":"shop","services":{"a":{"command":["alembic","upgrade","head"],"entrypoint":null,"environment":{"X":"1"},"image":"i"}}}""").ShouldHaveSingleItem();

        service.Command.ShouldBe(["alembic", "upgrade", "head"]);
        service.Environment["X"].ShouldBe("1");
    }

    [Fact]
    public void What_is_no_Compose_file_is_refused()
    {
        Should.Throw<FormatException>(() => ComposeConfig.Read("services: ["));
        Should.Throw<FormatException>(() => ComposeConfig.Read("a: b"));
        Should.Throw<FormatException>(() => ComposeConfig.Read(""));
    }
}
