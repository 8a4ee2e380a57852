using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Two names exchanged in one transaction: at every moment exactly one database bears the live name.</summary>
/// <param name="maintenance">A session of the maintenance database.</param>
public sealed class DatabaseSwap(PostgresSession maintenance)
{
    /// <summary>Does it. Both databases are closed and empty of sessions; afterwards the copy is open and the old one stays closed.</summary>
    /// <remarks>The server itself waits up to five seconds for the last sessions of each to be gone, and ends autovacuum's.</remarks>
    /// <exception cref="FailedCleanException">They are no longer the two that were closed; nothing was renamed.</exception>
    /// <exception cref="NpgsqlException">It failed, and nothing was renamed; or the connection broke at the commit, and only the server knows (see <see cref="HappenedAsync"/>).</exception>
    public async Task RunAsync(ServerDatabase live, ServerDatabase copy, string kept, DatabaseMark keptMark, DatabaseMark liveMark)
    {
        // Seconds at most, and never cancelled in between: half an answer would be the worst of all.
        await using var transaction = await maintenance.Connection.BeginTransactionAsync();
        await ExecuteAsync(Renaming(live, copy, kept));
        var old = await RequireOursAsync(live, copy, kept, keptMark.Run);
        await ExecuteAsync(Marking(live.Name, kept, old.Comment, keptMark, liveMark));

        // As a statement, so that the session's patience holds for it as well.
        await maintenance.ExecuteAsync("COMMIT", CancellationToken.None);
    }

    /// <summary>Whether the databases were exchanged: what became of the old one's name.</summary>
    public static async Task<bool> HappenedAsync(PostgresSession maintenance, ServerDatabase live, ServerDatabase copy, CancellationToken cancellation) =>
        (await ServerDatabase.FindAsync(maintenance, copy.Oid, cancellation))?.Name == live.Name;

    /// <summary>What a person types to exchange them back. The replaced one is closed, and renamed where nobody else is in it.</summary>
    public static IReadOnlyList<string> ReverseSql(string live, string kept, string aside) =>
    [
        $"ALTER DATABASE {SqlText.Identifier(live)} ALLOW_CONNECTIONS false;",
        $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {SqlText.Literal(live)} AND usesysid IS NOT NULL AND pid <> pg_backend_pid();",
        $"BEGIN; ALTER DATABASE {SqlText.Identifier(live)} RENAME TO {SqlText.Identifier(aside)}; ALTER DATABASE {SqlText.Identifier(kept)} RENAME TO {SqlText.Identifier(live)}; ALTER DATABASE {SqlText.Identifier(live)} ALLOW_CONNECTIONS true; COMMIT;",
    ];

    /// <summary>Asked between renaming and committing: now both are locked, and stay what they are.</summary>
    private async Task<ServerDatabase> RequireOursAsync(ServerDatabase live, ServerDatabase copy, string kept, string ours)
    {
        var old = await ServerDatabase.FindAsync(maintenance, live.Oid, CancellationToken.None);
        var restored = await ServerDatabase.FindAsync(maintenance, copy.Oid, CancellationToken.None);
        var isOld = old is { AllowsConnections: false, Mark: { State: MarkState.Fenced } mark } && old.Name == kept && mark.Run == ours;
        return isOld && restored?.Name == live.Name ? old! : throw new FailedCleanException(
            $"{live.Name} was not exchanged for its restored copy.",
            "somebody opened, renamed or marked one of the two while it was closed for the exchange",
            "./build.sh Status, then repeat the command");
    }

    private async Task ExecuteAsync(IEnumerable<string> statements)
    {
        foreach (var sql in statements)
        {
            await maintenance.ExecuteAsync(sql, CancellationToken.None);
        }
    }

    private static IEnumerable<string> Renaming(ServerDatabase live, ServerDatabase copy, string kept)
    {
        yield return "SET LOCAL lock_timeout = '5s'";
        yield return $"ALTER DATABASE {SqlText.Identifier(live.Name)} RENAME TO {SqlText.Identifier(kept)}";
        yield return $"ALTER DATABASE {SqlText.Identifier(copy.Name)} RENAME TO {SqlText.Identifier(live.Name)}";
    }

    private static IEnumerable<string> Marking(string live, string kept, string? comment, DatabaseMark keptMark, DatabaseMark liveMark)
    {
        yield return DatabaseFence.CommentSql(kept, DatabaseMark.Compose(comment, keptMark));
        yield return DatabaseFence.CommentSql(live, DatabaseMark.Compose(comment, liveMark));
        yield return $"ALTER DATABASE {SqlText.Identifier(kept)} ALLOW_CONNECTIONS false";
        yield return $"ALTER DATABASE {SqlText.Identifier(live)} ALLOW_CONNECTIONS true";
    }
}
