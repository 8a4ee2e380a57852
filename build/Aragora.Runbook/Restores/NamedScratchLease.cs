using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Npgsql;
using Serilog;

namespace Aragora.Runbook.Restores;

/// <summary>One database of ours on a server that is not: announced by a lock that goes with us, removed with the stub roles at the end.</summary>
internal sealed class NamedScratchLease : IAsyncDisposable
{
    private readonly ILogger log;
    private readonly int lockClass;
    private readonly string mark;

    public NamedScratchLease(ILogger log, DatabaseEnvironment administration, PostgresSession session, string name, int lockClass, string mark) =>
        (this.log, Administration, Session, Name, this.lockClass, this.mark) = (log, administration, session, name, lockClass, mark);

    public DatabaseEnvironment Administration { get; }

    public PostgresSession Session { get; }

    /// <summary>The database's name.</summary>
    public string Name { get; }

    /// <summary>What the database and the roles say of themselves.</summary>
    public string Comment => $"{mark}: made for {Name}, and removed with it";

    /// <summary>Takes the lock, before there is a database: one without a lock is a dead run's.</summary>
    public async Task AnnounceAsync(CancellationToken cancellation) =>
        await Session.ExecuteAsync("SELECT pg_catalog.pg_advisory_lock($1, pg_catalog.hashtext($2))", cancellation, lockClass, Name);

    /// <summary>Runs something while nobody makes or removes stub roles.</summary>
    public async Task<T> WithRolesAsync<T>(Func<Task<T>> act, CancellationToken cancellation)
    {
        await Session.ExecuteAsync("SELECT pg_catalog.pg_advisory_lock($1, 0)", cancellation, lockClass);
        try
        {
            return await act();
        }
        finally
        {
            await Session.ExecuteAsync("SELECT pg_catalog.pg_advisory_unlock($1, 0)", CancellationToken.None, lockClass);
        }
    }

    /// <summary>Removes the databases of runs that are gone; one that says nothing of itself yet was not made to its end.</summary>
    public async Task SweepAsync(string prefix, CancellationToken cancellation)
    {
        var orphans = await Session.QueryAsync(
            """
            SELECT d.datname::text FROM pg_catalog.pg_database d
            WHERE pg_catalog.starts_with(d.datname::text, $1) AND pg_catalog.starts_with(coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), $2), $2)
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.classid = $3::bigint::oid AND l.objid::bigint = (pg_catalog.hashtext(d.datname::text)::bigint & 4294967295))
            """,
            row => row.GetString(0),
            cancellation,
            prefix,
            mark,
            (long)lockClass);
        foreach (var orphan in orphans)
        {
            log.Information("Removing the scratch database {Database}, which a run that is gone left behind", orphan);
            try
            {
                await DropDatabaseAsync(orphan, cancellation);
            }
            catch (PostgresException gone) when (gone.SqlState == PostgresErrorCodes.InvalidCatalogName)
            {
                log.Debug("Another run has removed {Database}", orphan);
            }
        }

        await DropRolesAsync(cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await using (Session)
        {
            try
            {
                await DropDatabaseAsync(Name, CancellationToken.None);
                await Session.ExecuteAsync("SELECT pg_catalog.pg_advisory_unlock($1, pg_catalog.hashtext($2))", CancellationToken.None, lockClass, Name);
                await DropRolesAsync(CancellationToken.None);
            }
            catch (Exception failure) when (failure is NpgsqlException or RunbookException)
            {
                log.Warning(failure, "The scratch database {Database} at {Endpoint} could not be removed; the next run does it", Name, Administration.Database.Endpoint);
            }
        }
    }

    private async Task DropDatabaseAsync(string name, CancellationToken cancellation)
    {
        if (!await Session.ScalarAsync<bool>("SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_database WHERE datname = $1", cancellation, name))
        {
            return;
        }

        await DropSubscriptionsAsync(name, cancellation);
        await RunAsync("ALTER DATABASE %1$I ALLOW_CONNECTIONS false", name, cancellation);
        await Session.ExecuteAsync("SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = $1", cancellation, name);
        await RunAsync("DROP DATABASE %1$I", name, cancellation);
    }

    /// <summary>A database with a subscription cannot be dropped; without its slot's name, dropping it asks nobody.</summary>
    private async Task DropSubscriptionsAsync(string name, CancellationToken cancellation)
    {
        var subscriptions = await Session.QueryAsync("SELECT s.subname::text FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = $1", row => row.GetString(0), cancellation, name);
        if (subscriptions.Count == 0)
        {
            return;
        }

        await using var inside = await PostgresSession.OpenAsync(Administration, "aragora-scratch", database: name, cancellation: cancellation);
        foreach (var subscription in subscriptions)
        {
            foreach (var statement in new[] { "ALTER SUBSCRIPTION %1$I DISABLE", "ALTER SUBSCRIPTION %1$I SET (slot_name = NONE)", "DROP SUBSCRIPTION %1$I" })
            {
                await inside.ExecuteAsync((await inside.ScalarAsync<string>("SELECT pg_catalog.format($1, $2)", cancellation, statement, subscription))!, cancellation);
            }
        }
    }

    /// <summary>Only those that say that they are ours, and only while no other run has a database there.</summary>
    private Task DropRolesAsync(CancellationToken cancellation) => WithRolesAsync(
        async () =>
        {
            if (await Session.ScalarAsync<bool>("SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objid <> 0", cancellation, (long)lockClass))
            {
                return false;
            }

            foreach (var role in await Session.QueryAsync("SELECT rolname::text FROM pg_catalog.pg_roles WHERE pg_catalog.starts_with(pg_catalog.shobj_description(oid, 'pg_authid'), $1)", row => row.GetString(0), cancellation, mark))
            {
                try
                {
                    await RunAsync("DROP ROLE %1$I", role, cancellation);
                }
                catch (PostgresException used) when (used.SqlState == PostgresErrorCodes.DependentObjectsStillExist)
                {
                    log.Warning("The stub role {Role} stays at {Endpoint}: somebody gave it something", role, Administration.Database.Endpoint);
                }
            }

            return true;
        },
        cancellation);

    private async Task RunAsync(string format, string name, CancellationToken cancellation) =>
        await Session.ExecuteAsync((await Session.ScalarAsync<string>("SELECT pg_catalog.format($1, $2)", cancellation, format, name))!, cancellation);
}
