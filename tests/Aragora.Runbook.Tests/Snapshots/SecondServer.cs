using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Servers;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>A second real PostgreSQL: a restored instance is another server than its original.</summary>
public sealed class SecondServer(RealServer first) : IAsyncLifetime
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"aragora-tests-{Guid.NewGuid():N}");

    public ThrowawayServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Server = await ThrowawayServer.StartAsync(first.Server.Binaries, new ThrowawayServerOptions { Folder = folder }, first.Commands, new SecretMask(), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.EraseAsync(CancellationToken.None);
        }
    }

    /// <summary>A database of the same name, role and password as the given one, with this content.</summary>
    public async Task<PostgresUrl> NewTwinAsync(PostgresUrl of, string content)
    {
        var administrator = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = Server.Url };
        await RealServer.SqlAsync(administrator, $"CREATE ROLE {of.User} LOGIN PASSWORD '{of.Password}'");
        await RealServer.SqlAsync(administrator, $"CREATE DATABASE \"{of.Database}\" OWNER {of.User}");
        var twin = of with { Host = Server.Url.Host, Port = Server.Url.Port };
        await RealServer.SqlAsync(administrator with { Database = twin }, content);
        return twin;
    }
}
