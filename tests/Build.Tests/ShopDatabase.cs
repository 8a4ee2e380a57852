using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Servers;

namespace BuildTests;

/// <summary>The database of the tests that kill the host: <c>shop</c>, whose one row tells which generation of it answers.</summary>
internal sealed class ShopDatabase(ThrowawayServer server)
{
    public DatabaseEnvironment Environment => new() { Name = TargetEnvironment.Production, Database = server.Url with { Database = "shop" } };

    /// <summary>A session of the maintenance database with an open transaction, until it is disposed of.</summary>
    public async Task<PostgresSession> HoldAsync(string sql)
    {
        var holder = await PostgresSession.OpenAsync(Environment, "holder", "postgres");
        await holder.ExecuteAsync("BEGIN", CancellationToken.None);
        await holder.ExecuteAsync(sql, CancellationToken.None);
        return holder;
    }

    public async Task SqlAsync(string sql, string? database = null)
    {
        await using var session = await PostgresSession.OpenAsync(Environment, "aragora-tests", database);
        await session.ExecuteAsync(sql, CancellationToken.None);
    }

    public async Task<int> GenerationAsync()
    {
        await using var session = await PostgresSession.OpenAsync(Environment, "aragora-tests");
        return await session.ScalarAsync<int>("SELECT n FROM generation", CancellationToken.None);
    }

    /// <summary>Waits until the server says so, asked in its maintenance database.</summary>
    public async Task UntilAsync(string condition, CancellationToken patience)
    {
        await using var session = await PostgresSession.OpenAsync(Environment, "aragora-tests", "postgres", cancellation: patience);
        while (!await session.ScalarAsync<bool>(condition, patience))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), patience);
        }
    }

    /// <summary>After the host was killed: the server notices that its client is gone, and what that was told before may still be running.</summary>
    public Task UntilGuardIsGoneAsync(CancellationToken patience) => UntilAsync("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'aragora-guard-%')", patience);
}
