using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Servers;
using Npgsql;

namespace Aragora.Runbook.Restores;

/// <summary>Empty databases that look like a backup's source, each to restore into once; erased when they are disposed of.</summary>
/// <param name="run">Log and secrets.</param>
/// <param name="servers">Where their servers come from.</param>
/// <param name="commands">Asks the machine for its locales and for what it can isolate.</param>
/// <param name="named">The server that a person named; null to start one for each.</param>
public sealed class ScratchDatabases(RunContext run, ScratchServers servers, ICommandRunner commands, NamedScratchServer? named = null)
{
    /// <summary>What a restored database may need of its source's size: both have the same, but for what the source's tables and indexes have of dead rows, and for sorting.</summary>
    private const double DiskShare = 1.2;

    /// <summary>What messages call these databases: none of them is the environment's.</summary>
    internal const string Label = "scratch";

    private const string Name = "scratch";
    private const string ContainersNetwork = "it runs in a container, whose network is not cut off";

    /// <summary>The file system's free bytes, for tests.</summary>
    internal Func<string, long> FreeBytes { get; init; } = DiskSpace.FreeBytes;

    /// <summary>How to isolate, for tests.</summary>
    internal Func<CancellationToken, Task<NetworkIsolation?>> FindIsolationAsync { get; init; } = cancellation => NetworkIsolation.FindAsync(commands, cancellation);

    /// <summary>Makes one.</summary>
    /// <param name="purpose">A word, for the log.</param>
    /// <param name="shape">What it has to look like.</param>
    /// <param name="databaseBytes">How large the source was: as much disk has to be free.</param>
    /// <param name="environment">Whose backup it is for, for messages.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="RefusedException">Too little disk; an extension or a locale is missing; what reaches other machines cannot be kept from it here.</exception>
    public async Task<ScratchDatabase> CreateAsync(string purpose, SourceShape shape, long databaseBytes, TargetEnvironment environment, CancellationToken cancellation)
    {
        if (named is not null)
        {
            return await CreateAtAsync(named, shape, environment, cancellation);
        }

        // First: what a dead run left takes up the disk that is asked for.
        await servers.ReapAsync(cancellation);
        RequireDisk(databaseBytes);
        var server = await servers.StartAsync(purpose, await OptionsAsync(purpose, shape, cancellation), shape.ServerMajor, cancellation);
        try
        {
            if (server.Server is ContainerServer)
            {
                RequireNothingReachesOut(shape, ContainersNetwork);
            }

            var administration = new DatabaseEnvironment { Name = environment, Database = server.Server.Url, Label = Label };
            await using var session = await PostgresSession.OpenAsync(administration, "aragora-scratch", cancellation: cancellation);
            var bringVersions = !await ScratchExtensions.CheckAsync(session, shape, cancellation);
            await new ScratchRoles(session, withSuperusers: true).CreateAsync(shape.Roles, $"stub for run {run.RunId}", cancellation);
            await new ScratchLayout(session).CreateDatabaseAsync(Name, shape, cancellation);
            return await FurnishAsync(shape, administration with { Database = administration.Database with { Database = Name } }, bringVersions, server.Server.Description, server, cancellation);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private async Task<ScratchDatabase> CreateAtAsync(NamedScratchServer server, SourceShape shape, TargetEnvironment environment, CancellationToken cancellation)
    {
        var lease = await server.OpenAsync(shape, environment, cancellation);
        try
        {
            if (shape.ReachesOut.Count > 0)
            {
                run.Log.Warning("The scratch server at {Endpoint} is not cut off from the network by us, and the backup holds what may reach others: {What}", lease.Administration.Database.Endpoint, shape.ReachesOut);
            }

            var bringVersions = !await ScratchExtensions.CheckAsync(lease.Session, shape, cancellation);
            await run.Journal.ActAsync(
                "make a scratch database on a named server",
                new { server = lease.Administration.Database.Endpoint, database = lease.Name },
                async () =>
                {
                    await new ScratchLayout(lease.Session).CreateDatabaseAsync(lease.Name, shape, cancellation, lease.Comment);
                    return await lease.WithRolesAsync(() => new ScratchRoles(lease.Session, withSuperusers: false).CreateAsync(shape.Roles, lease.Comment, cancellation), cancellation);
                });
            var database = lease.Administration with { Database = lease.Administration.Database with { Database = lease.Name } };
            return await FurnishAsync(shape, database, bringVersions, $"{lease.Name} at {lease.Administration.Database.Endpoint}", lease, cancellation);
        }
        catch
        {
            await lease.DisposeAsync();
            throw;
        }
    }

    private void RequireDisk(long databaseBytes)
    {
        var needed = (long)(databaseBytes * DiskShare);
        var free = FreeBytes(servers.Parent);
        if (free < needed)
        {
            throw new RefusedException(
                $"There is too little disk to restore the backup: about {DataSize.Text(needed)} needed, {DataSize.Text(free)} free in {servers.Parent}.",
                $"the database had {DataSize.Text(databaseBytes)}, and all of it is restored beside",
                "free space there, or name a server with --scratch-server-url");
        }
    }

    private async Task<ThrowawayServerOptions> OptionsAsync(string purpose, SourceShape shape, CancellationToken cancellation)
    {
        if (!await servers.RunHereAsync(shape.ServerMajor, cancellation))
        {
            // An image brings its own locales: what this machine has of them says nothing.
            RequireNothingReachesOut(shape, ContainersNetwork);
            return new ThrowawayServerOptions { Folder = "", FallbackLocale = "C", Settings = ScratchTuning.ForThisMachine() };
        }

        var locales = await new MissingLocales(commands).FindAsync(LocalesOf(shape), cancellation);
        var onSocket = servers.FitsSocket(purpose);
        var isolation = onSocket ? await FindIsolationAsync(cancellation) : null;
        if (isolation is null)
        {
            RequireNothingReachesOut(shape, onSocket ? "this user may not make a network namespace" : $"the path of a socket in {servers.Parent} would be too long");
            run.Log.Debug("The scratch server is not cut off from the network; nothing in the source reaches out");
        }

        if (locales.Count > 0)
        {
            run.Log.Information("This machine lacks a locale of the source: making {Locales} for the scratch server", string.Join(", ", locales.Select(locale => locale.Name)));
        }

        // macOS has no C.UTF-8; the databases bring their own locale either way.
        return new ThrowawayServerOptions { Folder = "", FallbackLocale = "C", Settings = ScratchTuning.ForThisMachine(), OnSocket = onSocket, Isolation = isolation, OwnLocales = locales };
    }

    private static IEnumerable<string> LocalesOf(SourceShape shape) =>
        shape.Collations.Where(collation => collation.Provider == "libc").SelectMany(collation => new[] { collation.Collate, collation.Ctype })
            .Concat([shape.Collate, shape.Ctype, shape.Monetary]).OfType<string>();

    private static void RequireNothingReachesOut(SourceShape shape, string why)
    {
        if (shape.ReachesOut.Count > 0)
        {
            throw new RefusedException(
                $"The backup is not restored here: what is in it could reach other servers ({string.Join(", ", shape.ReachesOut)}).",
                $"the scratch server cannot be cut off from the network: {why}",
                "run this as root on Linux, or name a server that reaches nothing with --scratch-server-url");
        }
    }

    private async Task<ScratchDatabase> FurnishAsync(SourceShape shape, DatabaseEnvironment environment, bool bringVersions, string description, IAsyncDisposable lifetime, CancellationToken cancellation)
    {
        await using var inside = await PostgresSession.OpenAsync(environment, "aragora-scratch", cancellation: cancellation);
        await new ScratchLayout(inside).CreateCollationsAsync(shape.Collations, cancellation);
        var made = bringVersions ? await ScratchExtensions.CreateAsync(inside, shape, cancellation) : [];
        await ReportCollationVersionAsync(inside, shape, cancellation);
        foreach (var view in shape.ViewsOfForeignTables)
        {
            run.Log.Warning("The materialized view {View} reads foreign tables, and the scratch server reaches no other: its definition is verified, and that it can be filled is not", view.Name);
        }

        return new ScratchDatabase(environment, description, lifetime)
        {
            Unfilled = shape.ViewsOfForeignTables,
            Restore = new RestoreSelection { WithoutTablespaces = true, LeftOut = [.. made, .. shape.ViewsOfForeignTables.Select(view => new ArchiveItem("MATERIALIZED VIEW DATA", view.Oid))] },
        };
    }

    /// <summary>Another version of the C library or of ICU sorts otherwise; the restore builds its indexes anew, so nothing breaks.</summary>
    private async Task ReportCollationVersionAsync(PostgresSession session, SourceShape shape, CancellationToken cancellation)
    {
        var here = await session.ScalarAsync<string>("SELECT to_jsonb(d) ->> 'datcollversion' FROM pg_catalog.pg_database d WHERE datname = pg_catalog.current_database()", cancellation);
        if (here != shape.CollationVersion)
        {
            run.Log.Debug("Collations are of version {Here} on the scratch server, and of {There} in the source", here, shape.CollationVersion);
        }
    }
}
