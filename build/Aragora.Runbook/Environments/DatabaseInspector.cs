using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Environments;

/// <summary>Asks a database what it is and where its migrations stand. Read-only.</summary>
public static class DatabaseInspector
{
    /// <summary>Identity and revisions, read in one session.</summary>
    /// <exception cref="BadInputException">The role lacks a grant; the message names the one.</exception>
    public static async Task<DatabaseFacts> ReadAsync(PostgresSession session, DatabaseEnvironment environment, CancellationToken cancellation)
    {
        try
        {
            return await AskAsync(session, environment, cancellation);
        }
        catch (PostgresException denied) when (denied.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw MissingGrant.Explain(environment, denied);
        }
    }

    /// <summary>Opens a session, reads, closes it.</summary>
    /// <exception cref="BadInputException">The database cannot be reached, or the role lacks a grant; the message names it.</exception>
    public static async Task<DatabaseFacts> ReadAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-inspect", cancellation: cancellation);
        return await ReadAsync(session, environment, cancellation);
    }

    private static async Task<DatabaseFacts> AskAsync(PostgresSession session, DatabaseEnvironment environment, CancellationToken cancellation)
    {
        // The control file keeps the old timeline from a promotion to the next checkpoint; a primary's WAL is on the new one at once.
        var identity = (await session.QueryAsync(
            """
            SELECT s.system_identifier::text, CASE WHEN pg_is_in_recovery() THEN c.timeline_id ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END, d.oid, d.datname
            FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
            WHERE d.datname = current_database()
            """,
            row => new DatabaseIdentity(row.GetString(0), row.GetInt32(1), row.GetFieldValue<uint>(2), row.GetString(3), environment.Endpoint, environment.EnvironmentId),
            cancellation))[0];
        var (revisions, stamp) = await ReadRevisionsAsync(session, cancellation);
        var wal = await session.ScalarAsync<string>("SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text", cancellation);
        return new DatabaseFacts(identity, revisions, stamp) { WalPosition = wal };
    }

    private static async Task<(IReadOnlyList<string> Revisions, string? Stamp)> ReadRevisionsAsync(PostgresSession session, CancellationToken cancellation)
    {
        try
        {
            var rows = await session.QueryAsync(
                "SELECT version_num::text, xmin::text FROM alembic_version ORDER BY 1",
                row => (Revision: row.GetString(0), Xmin: row.GetString(1)),
                cancellation);
            return ([.. rows.Select(row => row.Revision)], string.Join(',', rows.Select(row => row.Xmin)));
        }
        catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return ([], null);
        }
    }
}
