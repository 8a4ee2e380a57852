using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Guards;

/// <summary>Notices a connection pooler that hands a server session to another client after every transaction or statement: session locks, timeouts and names do not survive there.</summary>
/// <remarks>
/// With no other client at work such a pooler gives us the same server session again and again, so looking at one connection is not enough:
/// a second one, in a transaction, either gets the very server session of the first, or drives the first to another one. On a direct connection neither can happen.
/// </remarks>
public static class PoolerProbe
{
    /// <summary>Refuses when there is one.</summary>
    /// <param name="environment">The database, for messages.</param>
    /// <param name="first">A session that is open, outside of a transaction.</param>
    /// <param name="database">The database of <paramref name="first"/>.</param>
    /// <param name="cancellation">Cancels the probe.</param>
    /// <exception cref="RefusedException">There is a pooler in transaction or statement mode.</exception>
    public static async Task RequireNoneAsync(DatabaseEnvironment environment, PostgresSession first, string? database, CancellationToken cancellation)
    {
        await using var second = await PostgresSession.OpenAsync(environment, "aragora-probe", database, cancellation: cancellation);
        var before = await BackendAsync(first, cancellation);
        int other;
        try
        {
            await using var transaction = await second.Connection.BeginTransactionAsync(cancellation);
            other = await BackendAsync(second, cancellation);
            if (other != before && await BackendAsync(first, cancellation) == before)
            {
                return;
            }
        }
        catch (PostgresException statementMode) when (statementMode.SqlState == "08P01")
        {
            throw Refusal(environment, statementMode.MessageText, statementMode);
        }

        throw Refusal(environment, $"two open connections of ours shared or changed their server process ({before}, {other})", null);
    }

    /// <summary>The same for the database that is to be migrated.</summary>
    public static async Task RequireNoneAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        await using var first = await PostgresSession.OpenAsync(environment, "aragora-probe", cancellation: cancellation);
        await RequireNoneAsync(environment, first, null, cancellation);
    }

    /// <summary>The refusal, also where the lock itself gave the pooler away.</summary>
    internal static RefusedException Refusal(DatabaseEnvironment environment, string evidence, Exception? cause) => new(
        $"The {environment.DisplayName} database at {environment.Endpoint} is reached through a connection pooler in transaction mode.",
        $"{evidence}; the migration's lock and timeouts would not survive there",
        $"connect directly: put the server's own host and port into {environment.UrlVariable}, not the pooler's",
        cause);

    private static Task<int> BackendAsync(PostgresSession session, CancellationToken cancellation) => session.ScalarAsync<int>("SELECT pg_backend_pid()", cancellation);
}
