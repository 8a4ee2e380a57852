using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

public sealed class ComposeProjectTests : IDisposable
{
    private static readonly ComposeTool Plugin = new("docker", ["compose"], new Version(2, 29, 7));
    private static readonly ComposeTool Program = new("docker-compose", [], new Version(1, 29, 2));
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_command_is_the_same_for_plugin_and_program_but_for_how_it_begins()
    {
        const string Rest = " -f /srv/compose.yaml -f /srv/override.yaml -p shop run -d -T --name aragora-migration-staging-0123456789 -l org.aragora.build.role=migration"
            + " -l org.aragora.build.run=20261125T020000Z-3f9c -e PGAPPNAME=aragora-migrate-x -e PGOPTIONS='-c lock_timeout=5000' aragora-api alembic -c migrations/alembic.ini upgrade c5a9137fe482";

        Line(Plugin).ShouldBe("docker compose" + Rest);
        Line(Program).ShouldBe("docker-compose" + Rest);

        static string Line(ComposeTool tool)
        {
            var project = new ComposeProject(tool, "/srv", ["/srv/compose.yaml", "/srv/override.yaml"], "shop", Service(), []);
            var labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["org.aragora.build.run"] = "20261125T020000Z-3f9c", ["org.aragora.build.role"] = "migration" };
            var variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["PGOPTIONS"] = "-c lock_timeout=5000", ["PGAPPNAME"] = "aragora-migrate-x" };
            var arguments = project.Run("aragora-migration-staging-0123456789", labels, variables, entrypoint: null, ["alembic", "-c", "migrations/alembic.ini", "upgrade", "c5a9137fe482"]);
            return new Command { Program = tool.Program, Arguments = arguments }.ToString().Replace("'PGOPTIONS=-c lock_timeout=5000'", "PGOPTIONS='-c lock_timeout=5000'", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_files_and_project_Compose_chooses_and_a_check_may_replace_the_entry_point()
    {
        var none = new Dictionary<string, string>(StringComparer.Ordinal);

        string.Join(' ', new ComposeProject(Plugin, "/srv", [], null, Service(), []).Run("c", none, none, "sh", ["-c", "true"])).ShouldBe("compose run -d -T --name c --entrypoint sh aragora-api -c true");
        string.Join(' ', ComposeProject.Config(Plugin, [], null, everyProfile: false)).ShouldBe("compose config");
        string.Join(' ', ComposeProject.Config(Plugin, ["/a"], "p", everyProfile: true)).ShouldBe("compose -f /a -p p --profile * config");
    }

    [Fact]
    public void The_limits_join_what_the_service_says_itself_and_hold_no_URL()
    {
        var service = Service() with { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["PGOPTIONS"] = "-c search_path=aragora" } };
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Staging, Database = PostgresUrl.Parse("postgresql://u:hunter12@h/d", "test") };

        var variables = ComposeRunner.Variables(service, new RunnerRequest(environment, MigrationDirection.Upgrade, "r1", new LockBudget(), "aragora-migrate-x"));

        string.Join('\n', variables.OrderBy(variable => variable.Key, StringComparer.Ordinal).Select(variable => $"{variable.Key}={variable.Value}")).ShouldBe("""
            ARAGORA_APPLICATION_NAME=aragora-migrate-x
            ARAGORA_IDLE_IN_TRANSACTION_TIMEOUT=600000
            ARAGORA_LOCK_TIMEOUT=5000
            ARAGORA_STATEMENT_TIMEOUT=0
            PGAPPNAME=aragora-migrate-x
            PGOPTIONS=-c search_path=aragora -c lock_timeout=5000 -c statement_timeout=0 -c idle_in_transaction_session_timeout=600000
            PYTHONDONTWRITEBYTECODE=1
            PYTHONUNBUFFERED=1
            PYTHONUTF8=1
            """);
    }

    [Fact]
    public async Task The_plugin_is_preferred_then_the_program_and_without_either_the_message_says_what_to_install()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the fakes are shell scripts");
        FakeComposePlugin("docker", "[ \"$1 $2\" = 'compose version' ] && echo v2.29.7");
        FakeComposePlugin("docker-compose", "echo 1.29.2");
        (await FindAsync()).ToString().ShouldBe("docker compose 2.29.7");

        FakeComposePlugin("docker", "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1");
        (await FindAsync()).ToString().ShouldBe("docker-compose 1.29.2");

        FakeComposePlugin("docker-compose", "echo 1.25.0");
        (await Should.ThrowAsync<BadInputException>(FindAsync())).What.ShouldBe("docker-compose 1.25.0 is too old.");

        System.IO.File.Delete(folder["docker-compose"]);
        var none = await Should.ThrowAsync<BadInputException>(FindAsync());
        none.What.ShouldBe("Docker Compose is not on this machine.");
        none.Why.ShouldContain("docker compose: docker: 'compose' is not a docker command.");
        none.Next.ShouldContain("docker-compose-plugin");
    }

    [Fact]
    public void Compose_files_are_listed_as_in_Composes_own_variable()
    {
        ComposeFiles.Parse($"/a/compose.yaml{Path.PathSeparator}/b.yaml").Paths.ShouldBe([Path.GetFullPath("/a/compose.yaml"), Path.GetFullPath("/b.yaml")]);
        Should.Throw<FormatException>(() => ComposeFiles.Parse(""));
    }

    internal static ComposeService Service() => new("aragora-api", "aragora/api:latest", IsBuilt: false, null, null, new Dictionary<string, string>(StringComparer.Ordinal), ["postgres"]);

    private Task<ComposeTool> FindAsync() => ComposeTool.FindAsync(new InFolder(folder.Path), CancellationToken.None);

    private void FakeComposePlugin(string name, string script) => TestFolders.Script(folder[name], $"#!/bin/sh\n{script}\n");

    /// <summary>Finds programs in one folder alone.</summary>
    private sealed class InFolder(string path) : ICommandRunner
    {
        public Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default) =>
            new CommandRunner(TimeProvider.System).RunAsync(command with { Program = Path.Combine(path, command.Program) }, onLine, cancellation);
    }
}
