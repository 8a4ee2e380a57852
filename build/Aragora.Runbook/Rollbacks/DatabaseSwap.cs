using Aragora.Runbook.Adapters.Postgres;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Two names exchanged in one transaction: at every moment exactly one database bears the live name.</summary>
/// <param name="maintenance">A session of the maintenance database.</param>
public sealed class DatabaseSwap(PostgresSession maintenance)
{
    /// <summary>Does it. Both databases are closed and empty of sessions; afterwards the copy is open and the old one stays closed.</summary>
    /// <remarks>The server itself waits up to five seconds for the last sessions of each to be gone, and ends autovacuum's.</remarks>
    /// <exception cref="NpgsqlException">It failed, and nothing was renamed; or the connection broke at the commit, and only the server knows (see <see cref="HappenedAsync"/>).</exception>
    public async Task RunAsync(ServerDatabase live, ServerDatabase copy, string kept, DatabaseMark keptMark, DatabaseMark liveMark)
    {
        // Seconds at most, and never cancelled in between: half an answer would be the worst of all.
        await using var transaction = await maintenance.Connection.BeginTransactionAsync();
        foreach (var sql in Statements(live, copy, kept, keptMark, liveMark))
        {
            await maintenance.ExecuteAsync(sql, CancellationToken.None);
        }

        await transaction.CommitAsync();
    }

    /// <summary>Whether the databases were exchanged: what became of the old one's name.</summary>
    public static async Task<bool> HappenedAsync(PostgresSession maintenance, ServerDatabase live, ServerDatabase copy, CancellationToken cancellation) =>
        (await ServerDatabase.FindAsync(maintenance, copy.Oid, cancellation))?.Name == live.Name;

    /// <summary>What a person types to exchange them back. The replaced one is closed, and renamed where nobody else is in it.</summary>
    public static IReadOnlyList<string> ReverseSql(string live, string kept, string aside) =>
    [
        $"ALTER DATABASE {SqlText.Identifier(live)} ALLOW_CONNECTIONS false;",
        $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {SqlText.Literal(live)};",
        $"BEGIN; ALTER DATABASE {SqlText.Identifier(live)} RENAME TO {SqlText.Identifier(aside)}; ALTER DATABASE {SqlText.Identifier(kept)} RENAME TO {SqlText.Identifier(live)}; ALTER DATABASE {SqlText.Identifier(live)} ALLOW_CONNECTIONS true; COMMIT;",
    ];

    private static IEnumerable<string> Statements(ServerDatabase live, ServerDatabase copy, string kept, DatabaseMark keptMark, DatabaseMark liveMark)
    {
        yield return "SET LOCAL lock_timeout = '5s'";
        yield return $"ALTER DATABASE {SqlText.Identifier(live.Name)} RENAME TO {SqlText.Identifier(kept)}";
        yield return $"ALTER DATABASE {SqlText.Identifier(copy.Name)} RENAME TO {SqlText.Identifier(live.Name)}";
        yield return DatabaseFence.CommentSql(kept, DatabaseMark.Compose(live.Comment, keptMark));
        yield return DatabaseFence.CommentSql(live.Name, DatabaseMark.Compose(live.Comment, liveMark));
        yield return $"ALTER DATABASE {SqlText.Identifier(live.Name)} ALLOW_CONNECTIONS true";
    }
}
