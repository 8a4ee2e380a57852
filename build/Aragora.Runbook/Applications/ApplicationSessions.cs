using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Guards;

namespace Aragora.Runbook.Applications;

/// <summary>The sessions in the live database while the application stops: those that came from its instances, and those of others.</summary>
/// <param name="FromApplication">From the addresses of its instances.</param>
/// <param name="Others">Of poolers, people and other programs; and those whose address this role may not see.</param>
public sealed record ApplicationSessions(IReadOnlyList<SessionSeen> FromApplication, IReadOnlyList<SessionSeen> Others)
{
    // Our own sessions end with the run's id. A role that is no member of pg_read_all_stats sees no address of other roles' sessions.
    private const string List =
        """
        SELECT pid, coalesce(application_name, ''), coalesce(usename, ''), coalesce(host(client_addr), CASE WHEN client_port = -1 THEN 'local socket' ELSE 'an address that this role may not see' END), backend_start, coalesce(state, 'unknown'), ''
        FROM pg_stat_activity
        WHERE datid::bigint = $1 AND usesysid IS NOT NULL AND right(coalesce(application_name, ''), length($2)) <> $2
        ORDER BY backend_start
        """;

    /// <summary>Asks, in a session of the maintenance database.</summary>
    public static async Task<ApplicationSessions> ReadAsync(PostgresSession maintenance, uint database, IReadOnlySet<string> addresses, string runId, CancellationToken cancellation)
    {
        var all = await maintenance.QueryAsync(List, SessionSeen.Read, cancellation, (long)database, runId);
        return new ApplicationSessions([.. all.Where(session => addresses.Contains(session.Client))], [.. all.Where(session => !addresses.Contains(session.Client))]);
    }
}
