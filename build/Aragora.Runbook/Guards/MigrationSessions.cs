using System.Data.Common;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Guards;

/// <summary>The sessions of migrations on one database, known by their application name.</summary>
/// <remarks>Asked from the maintenance database, so that looking does not get in the way of a rename.</remarks>
public sealed class MigrationSessions(DatabaseEnvironment environment)
{
    /// <summary>What the names of our own migrations begin with; the run's id follows.</summary>
    public const string NamePrefix = "aragora-migrate-";

    // The default of our env.py when somebody runs alembic by hand is aragora-migration.
    private const string NamePattern = "aragora-migrat%";

    private const string List = """
        SELECT pid, application_name, coalesce(usename, ''), coalesce(client_addr::text, 'local socket'), backend_start, coalesce(state, 'unknown'), coalesce(query, '')
        FROM pg_stat_activity
        WHERE datname = $1 AND application_name LIKE $2
        ORDER BY backend_start
        """;

    private const string Blockers = """
        SELECT DISTINCT ON (b.pid) b.pid, b.application_name, coalesce(b.usename, ''), coalesce(b.client_addr::text, 'local socket'), coalesce(b.xact_start, b.backend_start), coalesce(b.state, 'unknown'), coalesce(b.query, '')
        FROM pg_stat_activity m CROSS JOIN LATERAL unnest(pg_blocking_pids(m.pid)) AS blocking (pid) JOIN pg_stat_activity b ON b.pid = blocking.pid
        WHERE m.datname = $1 AND m.application_name = $2
        ORDER BY b.pid
        """;

    private const string Cancel = "SELECT count(*) FILTER (WHERE pg_cancel_backend(pid))::int FROM pg_stat_activity WHERE datname = $1 AND application_name = $2";

    private const string Terminate = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE datname = $1 AND application_name = $2";

    /// <summary>Every migration's session on the database, whoever started it.</summary>
    public async Task<IReadOnlyList<SessionSeen>> ListAsync(CancellationToken cancellation)
    {
        await using var session = await MaintenanceDatabase.OpenAsync(environment, "aragora-guard", cancellation);
        return await ListAsync(session, environment, cancellation);
    }

    /// <summary>The same in a session that is open.</summary>
    public static Task<IReadOnlyList<SessionSeen>> ListAsync(PostgresSession session, DatabaseEnvironment environment, CancellationToken cancellation) =>
        session.QueryAsync(List, SessionSeen.Read, cancellation, environment.Database.Database, NamePattern);

    /// <summary>The sessions that a migration waits for.</summary>
    public static Task<IReadOnlyList<SessionSeen>> BlockersAsync(PostgresSession session, DatabaseEnvironment environment, string applicationName, CancellationToken cancellation) =>
        session.QueryAsync(Blockers, SessionSeen.Read, cancellation, environment.Database.Database, applicationName);

    /// <summary>Cancels the statements of one migration's sessions; returns how many were asked.</summary>
    public Task<int> CancelAsync(string applicationName, CancellationToken cancellation) => ActAsync(Cancel, applicationName, cancellation);

    /// <summary>Ends one migration's sessions; returns how many there were.</summary>
    public Task<int> TerminateAsync(string applicationName, CancellationToken cancellation) => ActAsync(Terminate, applicationName, cancellation);

    private async Task<int> ActAsync(string sql, string applicationName, CancellationToken cancellation)
    {
        await using var session = await MaintenanceDatabase.OpenAsync(environment, "aragora-guard", cancellation);
        return await session.ScalarAsync<int>(sql, cancellation, environment.Database.Database, applicationName);
    }
}

/// <summary>A session on the server, as <c>pg_stat_activity</c> shows it.</summary>
/// <param name="ProcessId">Its process on the server.</param>
/// <param name="ApplicationName">What it calls itself.</param>
/// <param name="User">Its role.</param>
/// <param name="Client">The client's address, or "local socket".</param>
/// <param name="Since">Since when it is there, or its transaction where it blocks somebody, UTC; null where the server does not let us see it.</param>
/// <param name="State">active, idle, idle in transaction …</param>
/// <param name="Query">Its last statement.</param>
public sealed record SessionSeen(int ProcessId, string ApplicationName, string User, string Client, DateTimeOffset? Since, string State, string Query)
{
    private const int LongestQuery = 120;

    /// <summary>Reads a row of seven columns, in the order of this record's parameters.</summary>
    internal static SessionSeen Read(DbDataReader row) =>
        new(row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetFieldValue<DateTimeOffset>(4), row.GetString(5), row.GetString(6));

    /// <summary>For people, in one line.</summary>
    public override string ToString()
    {
        var query = string.Join(' ', Query.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        var since = Since is { } moment ? $", since {moment.ToUniversalTime():yyyy-MM-dd HH:mm:ss} UTC" : "";
        return $"pid {ProcessId} ({(ApplicationName.Length > 0 ? ApplicationName : "unnamed")}, role {User}, from {Client}{since}, {State}{(query.Length > 0 ? ": " + (query.Length > LongestQuery ? query[..LongestQuery] + "…" : query) : "")})";
    }
}
