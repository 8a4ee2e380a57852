using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>What restores left on a server, as its databases themselves say it.</summary>
/// <param name="Live">The live database; null where there is none of that name.</param>
/// <param name="Copies">Copies that were never put in its place.</param>
/// <param name="Kept">Databases that were replaced, or put in place and taken out again by hand, newest first.</param>
public sealed record RestoreLeftovers(ServerDatabase? Live, IReadOnlyList<ServerDatabase> Copies, IReadOnlyList<KeptDatabase> Kept)
{
    private const string Size = "SELECT CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'MEMBER') THEN pg_database_size(oid) END FROM pg_database WHERE oid::bigint = $1";

    /// <summary>Whether the live database is closed.</summary>
    public bool IsClosed => Live is { AllowsConnections: false };

    /// <summary>Whether a restore closed it.</summary>
    public bool IsFenced => Live is { AllowsConnections: false, Mark.State: MarkState.Fenced };

    /// <summary>Looks.</summary>
    /// <param name="maintenance">A session of the maintenance database.</param>
    /// <param name="database">The live database's name.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task<RestoreLeftovers> FindAsync(PostgresSession maintenance, string database, CancellationToken cancellation)
    {
        var all = await ServerDatabase.ListAsync(maintenance, cancellation);
        var beside = all.Where(other => other.Name != database).ToList();
        var kept = new List<KeptDatabase>();
        foreach (var old in beside.Where(other => other.Mark is { State: MarkState.Kept or MarkState.Restored } mark && mark.Of == database).OrderByDescending(other => other.Mark!.At))
        {
            kept.Add(new KeptDatabase(old, await maintenance.ScalarAsync<long?>(Size, cancellation, (long)old.Oid)));
        }

        return new RestoreLeftovers(all.FirstOrDefault(other => other.Name == database), [.. beside.Where(other => IsCopy(other, database))], kept);
    }

    /// <summary>Opens a live database that a dead run closed, and drops the copies that it left. Only while nobody else can be at work: the caller holds the database's lock.</summary>
    /// <exception cref="RefusedException">The database is closed, and not by a restore.</exception>
    public async Task ClearAsync(RunContext run, DatabaseEnvironment environment, PostgresSession maintenance, CancellationToken cancellation)
    {
        if (Live is null)
        {
            throw new BadInputException($"There is no database {environment.Database.Database} at {environment.Database.Endpoint}.", "a restore takes the place of one that is there", $"check the name in {environment.UrlVariable}");
        }

        if (IsFenced)
        {
            await run.Journal.ActAsync("open the live database again", new { Live.Name, ClosedBy = Live.Mark!.Run }, async () =>
            {
                await new DatabaseFence(maintenance, run.Clock).OpenAsync(Live, Live.Mark.Before, cancellation);
                return Live.Name;
            });
            run.Log.Warning("{Database} was closed by run {Run}, which died: it is open again, as it was", Live.Name, Live.Mark.Run);
        }
        else if (Live.Mark is { State: MarkState.Fenced })
        {
            // Opened by hand, which leaves the mark: with it, the next one who closes the database would find it opened again.
            await new DatabaseFence(maintenance, run.Clock).OpenAsync(Live, Live.Mark.Before, cancellation);
            run.Log.Information("{Database} was closed by run {Run}, and opened by hand: the note of it is gone now", Live.Name, Live.Mark.Run);
        }
        else if (IsClosed)
        {
            throw new RefusedException($"{Live.Name} lets nobody in.", "it was closed (ALLOW_CONNECTIONS false), and not by a restore of ours", $"find out who closed it, and why; it is opened by: {DatabaseFence.OpeningSql(Live.Name)}");
        }

        foreach (var copy in Copies)
        {
            try
            {
                await DropAsync(run, environment, maintenance, copy, cancellation);
            }
            catch (Exception stays) when (stays is NpgsqlException or BadInputException)
            {
                run.Log.Warning("{Database}, a copy that an earlier run left, could not be dropped and stays: {Why:l}. If nobody needs it: {Sql:l}", copy.Name, LogText.SingleLine(stays.Message), RestoreCopy.DroppingSql(copy.Name) + ";");
            }
        }
    }

    /// <summary>Only with a name that a restore gives, and never from under somebody who is connected to it.</summary>
    private static async Task DropAsync(RunContext run, DatabaseEnvironment environment, PostgresSession maintenance, ServerDatabase copy, CancellationToken cancellation)
    {
        if (!DatabaseNames.IsCopyOf(environment.Database.Database, copy.Name) || (copy.Mark is null && !await IsEmptyAsync(environment, copy, cancellation)))
        {
            run.Log.Warning("{Database} looks like a restore's copy, but is not called like one, or says nothing of it and is not empty: it stays. If nobody needs it: {Sql:l}", copy.Name, RestoreCopy.DroppingSql(copy.Name) + ";");
            return;
        }

        await run.Journal.ActAsync("drop the copy of a dead run", new { copy.Name, copy.Mark?.Run }, async () =>
        {
            await RestoreCopy.DropUnusedAsync(maintenance, copy.Name, cancellation);
            return copy.Name;
        });
        run.Log.Information("Dropped {Database}, which run {Run} had left", copy.Name, copy.Mark?.Run ?? "of unknown name");
    }

    /// <summary>Marked as such; or not marked yet, with a name that only a restore gives.</summary>
    private static bool IsCopy(ServerDatabase other, string database) =>
        other.Mark is { } mark ? mark.State == MarkState.Copy && mark.Of == database : other.Comment is null && DatabaseNames.IsCopyOf(database, other.Name);

    /// <summary>A run that died between making its copy and marking it left an empty one.</summary>
    private static async Task<bool> IsEmptyAsync(DatabaseEnvironment environment, ServerDatabase copy, CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-inspect", copy.Name, cancellation: cancellation);
        return !await session.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_class WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_namespace WHERE oid >= 16384)", cancellation);
    }
}

/// <summary>A database that bore the live name once.</summary>
/// <param name="Database">It.</param>
/// <param name="Bytes">Its size; null where the role may not see it.</param>
public sealed record KeptDatabase(ServerDatabase Database, long? Bytes);
