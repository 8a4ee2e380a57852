using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Restores;

/// <summary>Empty databases that look like a backup's source, each to restore into once; erased when they are disposed of.</summary>
/// <param name="servers">Where their servers come from.</param>
public sealed class ScratchDatabases(ScratchServers servers)
{
    /// <summary>Makes one.</summary>
    /// <param name="purpose">A word, for the log.</param>
    /// <param name="shape">What it has to look like.</param>
    /// <param name="databaseBytes">How large the source was: as much disk has to be free.</param>
    /// <param name="environment">Whose backup it is for, for messages.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<ScratchDatabase> CreateAsync(string purpose, SourceShape shape, long databaseBytes, TargetEnvironment environment, CancellationToken cancellation)
    {
        var server = await servers.StartAsync(purpose, new ThrowawayServerOptions { Folder = "", Encoding = shape.Encoding }, shape.ServerMajor, cancellation);
        try
        {
            var administration = new DatabaseEnvironment { Name = environment, Database = server.Server.Url };
            await using var session = await PostgresSession.OpenAsync(administration, "aragora-scratch", cancellation: cancellation);
            await session.ExecuteAsync("CREATE DATABASE scratch TEMPLATE template0", cancellation);
            return new ScratchDatabase(administration with { Database = server.Server.Url with { Database = "scratch" } }, server.Server.Description, server);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }
}

/// <summary>An empty database on a scratch server.</summary>
public sealed class ScratchDatabase : IAsyncDisposable
{
    private readonly IAsyncDisposable lifetime;

    internal ScratchDatabase(DatabaseEnvironment environment, string description, IAsyncDisposable lifetime) => (Environment, Description, this.lifetime) = (environment, description, lifetime);

    /// <summary>The database; its role may restore everything there.</summary>
    public DatabaseEnvironment Environment { get; }

    /// <summary>What it is on, for people.</summary>
    public string Description { get; }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => lifetime.DisposeAsync();
}
