using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Restores;

/// <summary>A server that a person named to restore into: never one of an environment, and left as it was found.</summary>
/// <remarks>
/// Every database of ours there is called <c>aragora_scratch_…</c> and says in its comment which run made it; a session of that run holds an advisory lock for it, which
/// <c>pg_locks</c> shows from every database. One without a lock was left by a run that died, and the next one removes it, and then the stub roles, which say the same of themselves.
/// </remarks>
/// <param name="run">Log and run id.</param>
/// <param name="url">Its address, and a database to keep a session in.</param>
/// <param name="environments">The environments that it must not be.</param>
public sealed class NamedScratchServer(RunContext run, PostgresUrl url, Func<CancellationToken, Task<IReadOnlyList<DatabaseEnvironment>>> environments)
{
    private const string Mark = "aragora scratch";
    private const string Prefix = "aragora_scratch_";

    /// <summary>The class of our advisory locks: "ARAG". Their second key is a hash of the database's name; 0 is for making and removing roles.</summary>
    private const int LockClass = 0x41524147;

    /// <summary>Tests have one server for both.</summary>
    internal bool MayBeSource { get; init; }

    /// <summary>Opens a session there, sees that the server will do, and removes what dead runs left.</summary>
    /// <exception cref="BadInputException">It cannot be reached.</exception>
    /// <exception cref="RefusedException">It is the source's or an environment's, of another major version, or the role is no superuser.</exception>
    internal async Task<NamedScratchLease> OpenAsync(SourceShape shape, TargetEnvironment environment, CancellationToken cancellation)
    {
        var administration = new DatabaseEnvironment { Name = environment, Database = url, Label = ScratchDatabases.Label };
        var session = await ConnectAsync(administration, cancellation);
        try
        {
            await RequireFitAsync(session, shape, cancellation);
            await RequireStrangerAsync(session, shape, cancellation);
            var lease = new NamedScratchLease(run.Log, administration, session, $"{Prefix}{run.RunId}_{Guid.NewGuid().ToString("N")[..6]}".ToLowerInvariant(), LockClass, Mark);
            await lease.SweepAsync(Prefix, cancellation);
            await lease.AnnounceAsync(cancellation);
            return lease;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private static async Task<PostgresSession> ConnectAsync(DatabaseEnvironment administration, CancellationToken cancellation)
    {
        try
        {
            return await PostgresSession.OpenAsync(administration, "aragora-scratch", cancellation: cancellation);
        }
        catch (BadInputException unreachable)
        {
            throw new BadInputException($"The scratch server at {administration.Database.Endpoint} cannot be reached.", unreachable.Why, "check SCRATCH_SERVER_URL (--scratch-server-url)", unreachable);
        }
    }

    private async Task RequireFitAsync(PostgresSession session, SourceShape shape, CancellationToken cancellation)
    {
        if (session.ServerVersion.Major != shape.ServerMajor)
        {
            throw new RefusedException(
                $"The scratch server at {url.Endpoint} is PostgreSQL {session.ServerVersion.Major}, and the backup is of PostgreSQL {shape.ServerMajor}.",
                "what restores there says nothing of the source's version",
                $"name a server of PostgreSQL {shape.ServerMajor} with --scratch-server-url");
        }

        if (!await session.ScalarAsync<bool>("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user", cancellation))
        {
            throw new RefusedException(
                $"Role \"{url.User}\" is no superuser of the scratch server at {url.Endpoint}.",
                "a restore makes extensions, gives objects to their owners and grants in other roles' names",
                "name a superuser with --scratch-server-url, or leave it out where PostgreSQL's programs or Docker are here");
        }
    }

    private async Task RequireStrangerAsync(PostgresSession session, SourceShape shape, CancellationToken cancellation)
    {
        if (MayBeSource)
        {
            return;
        }

        var identifier = await SystemIdentifierAsync(session, cancellation);
        if (identifier == shape.SystemIdentifier)
        {
            throw Environmental("it is the server that the backup is of, or a physical clone of it");
        }

        foreach (var environment in await environments(cancellation))
        {
            try
            {
                await using var other = await PostgresSession.OpenAsync(environment, "aragora-scratch-check", cancellation: cancellation);
                if (await SystemIdentifierAsync(other, cancellation) == identifier)
                {
                    throw Environmental($"it is {environment.DisplayName}'s server, or a physical clone of it");
                }
            }
            catch (BadInputException unreachable)
            {
                if (environment.Database.Host == url.Host && environment.Database.Port == url.Port)
                {
                    throw Environmental($"it has {environment.DisplayName}'s address");
                }

                run.Log.Warning("Whether the scratch server is {Environment}'s could not be asked: {Why:l}", environment.DisplayName, unreachable.Why);
            }
        }
    }

    private RefusedException Environmental(string why) =>
        new($"Nothing is restored for a trial on {url.Endpoint}.", why, "name a server of its own with --scratch-server-url, or leave it out: then one is made and erased");

    private static Task<string?> SystemIdentifierAsync(PostgresSession session, CancellationToken cancellation) =>
        session.ScalarAsync<string>("SELECT system_identifier::text FROM pg_catalog.pg_control_system()", cancellation);
}
