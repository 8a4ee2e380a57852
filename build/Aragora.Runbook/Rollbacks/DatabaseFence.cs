using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Closes a database to everybody (superusers included), ends the sessions that are in it, and opens it again. Works from the maintenance database.</summary>
/// <param name="maintenance">A session of the maintenance database.</param>
/// <param name="clock">Bounds the waiting.</param>
public sealed class DatabaseFence(PostgresSession maintenance, TimeProvider clock)
{
    // Autovacuum's workers have no role: they end by themselves when the database is renamed, and only a superuser may end them. (Their backend_type is hidden from a plain role.)
    private const string Others =
        """
        SELECT pid, application_name, coalesce(usename, ''), coalesce(client_addr::text, 'local socket'), backend_start, coalesce(state, 'unknown'), coalesce(query, '')
        FROM pg_stat_activity
        WHERE datid::bigint = $1 AND pid <> ALL ($2) AND usesysid IS NOT NULL
        ORDER BY backend_start
        """;

    // A session that is just connecting holds this lock from before it asks whether it may come in until after it can be seen.
    private const string Arriving =
        """
        SELECT count(*)::int FROM pg_locks
        WHERE locktype = 'object' AND classid = 'pg_database'::regclass AND objid::bigint = $1 AND mode = 'RowExclusiveLock' AND pid <> ALL ($2) AND pid <> pg_backend_pid()
        """;

    // Roles whose sessions only a superuser may end; and everybody's but its own, for a role that may signal nobody.
    private const string Untouchable =
        """
        SELECT a.pid, a.application_name, coalesce(a.usename, ''), coalesce(a.client_addr::text, 'local socket'), a.backend_start, coalesce(a.state, 'unknown'), coalesce(a.query, '')
        FROM pg_stat_activity a JOIN pg_roles me ON me.rolname = current_user LEFT JOIN pg_roles r ON r.oid = a.usesysid
        WHERE a.datid::bigint = $1 AND a.pid <> ALL ($2) AND a.usesysid IS NOT NULL AND NOT me.rolsuper
          AND (r.oid IS NULL OR r.rolsuper OR NOT (pg_has_role(r.oid, 'MEMBER') OR pg_has_role('pg_signal_backend', 'MEMBER')))
        ORDER BY a.backend_start
        """;

    private const string Terminate = "SELECT pg_terminate_backend($1)";

    /// <summary>How long the sessions may take to end. Default: 15 seconds.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The sessions in the database that this role may not end.</summary>
    /// <param name="database">The database.</param>
    /// <param name="ours">Server processes of our own that stay.</param>
    /// <param name="cancellation">Cancels.</param>
    public Task<IReadOnlyList<SessionSeen>> UntouchableAsync(ServerDatabase database, IReadOnlyList<int> ours, CancellationToken cancellation) =>
        maintenance.QueryAsync(Untouchable, SessionSeen.Read, cancellation, (long)database.Oid, ours.ToArray());

    /// <summary>Lets nobody in any more, and marks why. Who is in stays in.</summary>
    public Task CloseAsync(ServerDatabase database, DatabaseMark mark, CancellationToken cancellation) => SetAsync(database, allows: false, mark, cancellation);

    /// <summary>Lets everybody in again.</summary>
    /// <param name="database">The database.</param>
    /// <param name="mark">The mark that it has from now on; null for none.</param>
    /// <param name="cancellation">Cancels.</param>
    public Task OpenAsync(ServerDatabase database, DatabaseMark? mark, CancellationToken cancellation) => SetAsync(database, allows: true, mark, cancellation);

    /// <summary>The statement that a person types to open a database.</summary>
    public static string OpeningSql(string database) => $"ALTER DATABASE {SqlText.Identifier(database)} ALLOW_CONNECTIONS true;";

    /// <summary>The statements that a person types to open a database that a restore closed, and to take the note of it away.</summary>
    public static string OpeningSql(ServerDatabase fenced) =>
        $"{OpeningSql(fenced.Name)} {CommentSql(fenced.Name, DatabaseMark.Compose(fenced.Comment, fenced.Mark is { State: MarkState.Fenced } mark ? mark.Before : fenced.Mark))};";

    /// <summary>Ends every session in a closed database but ours, and waits until they are gone. What they wrote is then in the statistics.</summary>
    /// <exception cref="RefusedException">One of them may not be ended by this role, or does not end.</exception>
    public async Task EmptyAsync(ServerDatabase database, IReadOnlyList<int> ours, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var arriving = await maintenance.ScalarAsync<int>(Arriving, cancellation, (long)database.Oid, ours.ToArray());
            var others = await maintenance.QueryAsync(Others, SessionSeen.Read, cancellation, (long)database.Oid, ours.ToArray());
            if (arriving == 0 && others.Count == 0)
            {
                return;
            }

            foreach (var other in others)
            {
                await TerminateAsync(database, other, cancellation);
            }

            if (clock.GetElapsedTime(started) > Patience)
            {
                throw Stays(database, others.Count > 0 ? others[0].ToString() : "a session that is just connecting", string.Create(CultureInfo.InvariantCulture, $"it was told to end, and is still there after {Patience.TotalSeconds:0} s"), null);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), clock, cancellation);
        }
    }

    /// <summary>The refusal where a session cannot be ended.</summary>
    public static RefusedException Stays(ServerDatabase database, string session, string why, Exception? cause) => new(
        $"A session in {database.Name} cannot be ended: {session}.",
        $"{why}; with it the databases cannot be exchanged",
        "end it on its own side (or as a superuser, with SELECT pg_terminate_backend(…)), then repeat the command",
        cause);

    private async Task TerminateAsync(ServerDatabase database, SessionSeen other, CancellationToken cancellation)
    {
        try
        {
            await maintenance.ExecuteAsync(Terminate, cancellation, other.ProcessId);
        }
        catch (PostgresException denied) when (denied.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw Stays(database, other.ToString(), denied.MessageText, denied);
        }
    }

    private async Task SetAsync(ServerDatabase database, bool allows, DatabaseMark? mark, CancellationToken cancellation)
    {
        await using var transaction = await maintenance.Connection.BeginTransactionAsync(cancellation);
        await maintenance.ExecuteAsync($"ALTER DATABASE {SqlText.Identifier(database.Name)} ALLOW_CONNECTIONS {(allows ? "true" : "false")}", cancellation);

        // Asked now that its row is ours: from here on the name cannot become another database's, and what people wrote about it stays.
        if (await ServerDatabase.FindAsync(maintenance, database.Name, cancellation) is not { } now || now.Oid != database.Oid)
        {
            throw new FailedCleanException($"The database {database.Name} was exchanged by somebody else meanwhile.", "another database has its name now; nothing was done to it", "./build.sh Status, then repeat the command");
        }

        await maintenance.ExecuteAsync(CommentSql(database.Name, DatabaseMark.Compose(now.Comment, mark)), cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>Sets a database's comment.</summary>
    internal static string CommentSql(string database, string? comment) => $"COMMENT ON DATABASE {SqlText.Identifier(database)} IS {(comment is null ? "NULL" : SqlText.Literal(comment))}";
}
