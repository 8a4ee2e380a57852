using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

/// <summary>On a server of its own: what is taken from everybody here would be missed by other tests.</summary>
public sealed class GlobalsDumpTests : IAsyncLifetime
{
    private readonly RealServer server = new();
    private readonly TemporaryFolder folder = new();
    private readonly string role = $"Plain \"{Guid.NewGuid().ToString("N")[..8]}\"";
    private DatabaseEnvironment source = null!;

    private string Quoted => "\"" + role.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    public async ValueTask InitializeAsync()
    {
        await server.InitializeAsync();
        source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, $"CREATE ROLE {Quoted} LOGIN PASSWORD 'a-password-of-a-role'; REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; REVOKE CONNECT ON DATABASE template1 FROM PUBLIC");
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Roles_are_dumped_without_passwords_also_by_a_plain_role_that_may_enter_no_other_database(bool isPlain)
    {
        var environment = isPlain ? source with { Database = source.Database with { User = role, Password = "a-password-of-a-role" } } : source;
        var file = folder["globals.sql"];
        var run = RealServer.NewRun();
        var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(BackupScenario.Commands, null, CancellationToken.None), server.Server.Binaries.Major, "the server");
        await new GlobalsDump(run, environment, client, BackupScenario.Commands).RunAsync(file, CancellationToken.None);

        var text = await File.ReadAllTextAsync(file);
        text.ShouldContain($"CREATE ROLE {Quoted};");
        text.ShouldNotContain("a-password-of-a-role");
        text.ShouldNotContain("SCRAM-SHA-256");
        text.ShouldNotContain("PASSWORD '");
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_said_without_the_password()
    {
        var environment = source with { Database = source.Database with { Port = 1 } };
        var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(BackupScenario.Commands, null, CancellationToken.None), server.Server.Binaries.Major, "the server");
        var failed = await Should.ThrowAsync<FailedCleanException>(() => new GlobalsDump(RealServer.NewRun(), environment, client, BackupScenario.Commands).RunAsync(folder["globals.sql"], CancellationToken.None));
        failed.Message.ShouldContain("could not connect");
        failed.Message.ShouldNotContain(source.Database.Password!);
    }
}
