using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Rollbacks;

/// <summary>What would not survive an exchange of databases by name, or would stop it halfway.</summary>
public static class RestoreObstacles
{
    private const string Bound =
        """
        SELECT 'prepared transaction ' || quote_literal(gid), format('COMMIT PREPARED %L; or ROLLBACK PREPARED %L; in that database', gid, gid) FROM pg_prepared_xacts WHERE database = $1
        UNION ALL
        SELECT 'logical replication slot ' || quote_ident(slot_name), format('SELECT pg_drop_replication_slot(%L);, and make it anew afterwards: its reader would go on with the old database', slot_name) FROM pg_replication_slots WHERE database = $1
        UNION ALL
        SELECT 'subscription ' || quote_ident(s.subname), format('DROP SUBSCRIPTION %I; in that database, and make it anew afterwards', s.subname)
        FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = $1
        ORDER BY 1
        """;

    /// <summary>Refuses, by name, what is bound to the very database and not to its name.</summary>
    /// <param name="maintenance">A session of any database of the server.</param>
    /// <param name="database">The live database's name.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="RefusedException">There is such a thing.</exception>
    public static async Task RequireUnboundAsync(PostgresSession maintenance, string database, CancellationToken cancellation)
    {
        var bound = await maintenance.QueryAsync(Bound, row => (What: row.GetString(0), Next: row.GetString(1)), cancellation, database);
        if (bound.Count > 0)
        {
            throw new RefusedException(
                $"The database \"{database}\" cannot be exchanged for a restored one: it has {string.Join(", ", bound.Select(thing => thing.What))}.",
                "these belong to the very database, and would stay with the old one",
                string.Join(Environment.NewLine + "        ", bound.Select(thing => thing.Next)));
        }
    }

    /// <summary>Room for a second copy.</summary>
    /// <param name="maintenance">A session of the server.</param>
    /// <param name="environment">Tells whether the server is this machine.</param>
    /// <param name="neededBytes">What the copy needs.</param>
    /// <param name="freeBytes">Asks the file system.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>What was found, for the log.</returns>
    /// <exception cref="RefusedException">There is not.</exception>
    public static async Task<string> RequireRoomAsync(PostgresSession maintenance, DatabaseEnvironment environment, long neededBytes, Func<string, long> freeBytes, CancellationToken cancellation)
    {
        var folder = await maintenance.ScalarAsync<string>(
            """
            SELECT coalesce(nullif(pg_tablespace_location(d.dattablespace), ''), (SELECT setting FROM pg_settings WHERE name = 'data_directory')) FROM pg_database d WHERE d.datname = $1
            """,
            cancellation,
            environment.Database.Database);
        var isHere = environment.Route is null && (environment.Database.IsSocket || environment.Database.Host is "127.0.0.1" or "::1" or "localhost");
        if (!isHere || folder is null || !Directory.Exists(folder))
        {
            return string.Create(CultureInfo.InvariantCulture, $"the copy needs about {DataSize.Text(neededBytes)}; how much is free on the server cannot be known from here");
        }

        var free = freeBytes(folder);
        return free >= neededBytes
            ? $"the copy needs about {DataSize.Text(neededBytes)}, {DataSize.Text(free)} are free on the server"
            : throw new RefusedException(
                $"There is too little disk for a second copy: about {DataSize.Text(neededBytes)} needed, {DataSize.Text(free)} free on the server.",
                "a restore never overwrites what is there, so both have to fit",
                "free some on the server: ./build.sh Status lists databases that earlier restores kept");
    }
}
