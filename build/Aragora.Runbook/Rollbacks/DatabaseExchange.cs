using System.Security.Cryptography;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>The short part of a restore, in which nobody is let in: fence, count what would be lost, exchange the names.</summary>
/// <param name="run">Journal, clock, log.</param>
/// <param name="environment">The live database.</param>
/// <param name="count">Counts the writes since the backup in a session of the live database; refuses by throwing where they are too many.</param>
public sealed class DatabaseExchange(RunContext run, DatabaseEnvironment environment, Func<PostgresSession, CancellationToken, Task<LostWrites>> count)
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AdministratorPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StatementPatience = TimeSpan.FromSeconds(30);
    private readonly SteadyJournal journal = new(run);

    /// <summary>The last look before the names are exchanged, behind the fence; throws where they must not be. Default: none.</summary>
    public Func<CancellationToken, Task>? LastLook { get; init; }

    /// <summary>Exchanges them. On every failure the live database is open again, under its name, as it was.</summary>
    /// <param name="maintenance">A session of the maintenance database.</param>
    /// <param name="live">The live database.</param>
    /// <param name="copy">The copy, ready to take its place.</param>
    /// <param name="backup">The backup's name.</param>
    /// <param name="lineage">The databases that both descend from.</param>
    /// <param name="cancellation">Ends it up to the last moment before the names are exchanged.</param>
    /// <exception cref="RefusedException">A session may not be ended, or too many writes would be lost.</exception>
    /// <exception cref="NeedsPersonException">The live database could not be opened again.</exception>
    public async Task<Exchanged> RunAsync(PostgresSession maintenance, ServerDatabase live, ServerDatabase copy, string backup, IReadOnlyList<uint> lineage, CancellationToken cancellation)
    {
        maintenance.StatementPatience = StatementPatience;
        await CloseCopyAsync(maintenance, copy, cancellation);

        // Open before the fence: whoever is in stays in, and only from inside can the writes be counted.
        await using var inside = await PostgresSession.OpenAsync(environment, "aragora-swap-" + run.RunId, settings: StableSettings.AtConnect, cancellation: cancellation);
        inside.StatementPatience = StatementPatience;
        await StableSettings.ApplyAsync(inside, LockPatience, cancellation);
        var fence = new DatabaseFence(maintenance, run.Clock);
        await RequireTouchableAsync(fence, live, inside, cancellation);
        var fencedAt = run.Clock.GetTimestamp();
        LostWrites? lost = null;
        try
        {
            var fencedMark = new DatabaseMark(MarkState.Fenced, live.Name, run.RunId, run.Clock.GetUtcNow()) { Backup = backup, Lineage = lineage, Before = live.Mark };
            await journal.ActAsync("fence the live database", new { live.Name, live.Oid }, async () =>
            {
                await fence.CloseAsync(live, fencedMark, cancellation);
                await fence.EmptyAsync(live, [inside.ProcessId], cancellation);
                await RestoreObstacles.RequireUnboundAsync(maintenance, live.Name, cancellation);
                return fencedMark;
            });
            await CollectorAsync(inside, cancellation);
            lost = await count(inside, cancellation);
            await inside.DisposeAsync();
            await (LastLook?.Invoke(cancellation) ?? Task.CompletedTask);
            cancellation.ThrowIfCancellationRequested();
            var kept = await SwapAsync(maintenance, live, copy, backup, lineage);
            return new Exchanged(kept, run.Clock.GetElapsedTime(fencedAt), lost);
        }
        catch (Exception failure)
        {
            if (await OpenAgainAsync(maintenance, live, copy, failure) is { Kept: { } late } && lost is not null)
            {
                run.Log.Warning("{Database} was exchanged for its restored copy all the same: the server had the order to commit when the connection broke", live.Name);
                return new Exchanged(late, run.Clock.GetElapsedTime(fencedAt), lost);
            }

            throw;
        }
    }

    /// <summary>Known before anybody is shut out. A look of the provider's own administrator lasts a moment, and is waited for.</summary>
    private async Task RequireTouchableAsync(DatabaseFence fence, ServerDatabase live, PostgresSession inside, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        while (await fence.UntouchableAsync(live, [inside.ProcessId], cancellation) is [var untouchable, ..])
        {
            if (run.Clock.GetElapsedTime(started) > AdministratorPatience)
            {
                throw DatabaseFence.Stays(live, untouchable.ToString(), "it is a superuser's or a background worker's, or this role is no member of pg_signal_backend", null);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), run.Clock, cancellation);
        }
    }

    /// <summary>Up to version 14 the statistics go through a collector, whose file may be half a second old; nothing tells when it is fresh.</summary>
    private Task CollectorAsync(PostgresSession inside, CancellationToken cancellation) =>
        inside.ServerVersion.Major >= 15 ? Task.CompletedTask : Task.Delay(TimeSpan.FromSeconds(1), run.Clock, cancellation);

    /// <summary>From its comparison on nobody may write into the copy.</summary>
    /// <param name="maintenance">A session of the maintenance database.</param>
    /// <param name="copy">The copy.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task CloseCopyAsync(PostgresSession maintenance, ServerDatabase copy, CancellationToken cancellation)
    {
        var fence = new DatabaseFence(maintenance, run.Clock);
        await fence.CloseAsync(copy, copy.Mark!, cancellation);
        await fence.EmptyAsync(copy, [], cancellation);
    }

    private async Task<string> SwapAsync(PostgresSession maintenance, ServerDatabase live, ServerDatabase copy, string backup, IReadOnlyList<uint> lineage)
    {
        var names = (await ServerDatabase.ListAsync(maintenance, CancellationToken.None)).Select(database => database.Name).ToHashSet(StringComparer.Ordinal);
        var now = run.Clock.GetUtcNow();
        var kept = DatabaseNames.Kept(live.Name, now, names);
        uint[] family = [.. lineage.Append(copy.Oid).Distinct()];
        var keptMark = new DatabaseMark(MarkState.Kept, live.Name, run.RunId, now) { Lineage = family };
        var liveMark = new DatabaseMark(MarkState.Restored, live.Name, run.RunId, now) { Backup = backup, Lineage = family };
        return await journal.ActAsync("exchange the live database for the restored copy", new { Live = live.Name, live.Oid, Copy = copy.Name, CopyOid = copy.Oid, Kept = kept }, async () =>
        {
            try
            {
                await new DatabaseSwap(maintenance).RunAsync(live, copy, kept, keptMark, liveMark);
            }
            catch (Exception broken) when (broken is NpgsqlException or IOException or InvalidOperationException)
            {
                // A connection that breaks at the commit leaves open whether it happened: the server knows.
                if (!await HappenedAsync(live, copy, kept, broken))
                {
                    throw Failed(live, broken);
                }
            }

            return kept;
        });
    }

    private async Task<bool> HappenedAsync(ServerDatabase live, ServerDatabase copy, string kept, Exception broken)
    {
        using var patience = new CancellationTokenSource(OpeningPatience, run.Clock);
        try
        {
            await using var session = await MaintenanceDatabase.OpenAsync(environment, "aragora-swap-" + run.RunId, patience.Token);
            return await DatabaseSwap.HappenedAsync(session, live, copy, patience.Token);
        }
        catch (Exception unreachable) when (unreachable is RunbookException or NpgsqlException or OperationCanceledException)
        {
            throw new NeedsPersonException(
                $"The connection broke while {live.Name} was exchanged for its restored copy, and the server cannot be asked whether it happened.",
                $"{broken.Message}; then: {unreachable.Message}. Either {live.Name} is the restored one and the old one is {kept}, or nothing was renamed and {live.Name} is closed",
                $"./build.sh Status --target-environment {environment.Name}   once the server can be reached: it says which, and what to type",
                broken);
        }
    }

    private static FailedCleanException Failed(ServerDatabase live, Exception failure) => new(
        $"{live.Name} was not exchanged for its restored copy.",
        failure.Message,
        "./build.sh Status shows who is in the database; repeat the command when they are gone",
        failure);

    /// <summary>Not cancelled with the run: a database that stays closed is the worst that could be left. Opened first and written down afterwards, on the session that is there or on any that can be had.</summary>
    private async Task<Reopened> OpenAgainAsync(PostgresSession maintenance, ServerDatabase live, ServerDatabase copy, Exception failure)
    {
        Reopened found;
        using var patience = new CancellationTokenSource(OpeningPatience, run.Clock);
        try
        {
            found = await TryOpenAsync(maintenance, live, copy, patience.Token) ?? await OpenAnewAsync(live, copy, patience.Token);
        }
        catch (NeedsPersonException)
        {
            throw;
        }
        catch (Exception stuck)
        {
            throw new NeedsPersonException(
                $"{live.Name} is closed, and could not be opened again.",
                $"{stuck.Message}. Before: {failure.Message}",
                $"in the database postgres, as its owner: {DatabaseFence.OpeningSql(live)}",
                failure);
        }

        if (found.IsOpened)
        {
            run.Log.Information("{Database} is open again, as it was", live.Name);
            await journal.RememberAsync("open the live database again", new { live.Name });
        }

        return found;
    }

    /// <summary>On the session that is open already: clients that reconnect may have taken every other place on the server.</summary>
    /// <returns>Null where the session is of no use.</returns>
    private async Task<Reopened?> TryOpenAsync(PostgresSession maintenance, ServerDatabase live, ServerDatabase copy, CancellationToken cancellation)
    {
        maintenance.StatementPatience = OpeningPatience / 3;
        try
        {
            return maintenance.Connection.State == System.Data.ConnectionState.Open ? await OpenAsync(maintenance, live, copy, cancellation) : null;
        }
        catch (Exception broken) when (broken is NpgsqlException or IOException or InvalidOperationException)
        {
            run.Log.Debug(broken, "The session that closed {Database} cannot open it", live.Name);
            return null;
        }
    }

    private async Task<Reopened> OpenAnewAsync(ServerDatabase live, ServerDatabase copy, CancellationToken patience)
    {
        Exception? last = null;
        while (!patience.IsCancellationRequested)
        {
            try
            {
                await using var session = await MaintenanceDatabase.OpenAsync(environment, "aragora-swap-" + run.RunId, patience);
                session.StatementPatience = StatementPatience;
                return await OpenAsync(session, live, copy, patience);
            }
            catch (Exception busy) when (busy is BadInputException or FailedCleanException or NpgsqlException or IOException && !patience.IsCancellationRequested)
            {
                run.Log.Warning("{Database} is still closed: {Why:l}", live.Name, LogText.SingleLine(busy.Message));
                last = busy;
                await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(100, 600)), run.Clock, CancellationToken.None);
            }
        }

        throw new TimeoutException(last?.Message ?? "no session of the server could be had", last);
    }

    private async Task<Reopened> OpenAsync(PostgresSession session, ServerDatabase live, ServerDatabase copy, CancellationToken cancellation)
    {
        var named = await ServerDatabase.FindAsync(session, live.Name, cancellation);
        var old = await ServerDatabase.FindAsync(session, live.Oid, cancellation);
        if (named is { AllowsConnections: true } && named.Oid == copy.Oid && old is not null)
        {
            // A commit whose answer was lost may take effect long after: behind a standby that is waited for.
            return new Reopened(IsOpened: false, old.Name);
        }

        var ours = new[] { old, named }.FirstOrDefault(database => database?.Mark is { State: MarkState.Fenced } mark && mark.Run == run.RunId);
        if (ours is not null)
        {
            await new DatabaseFence(session, run.Clock).OpenAsync(ours, live.Mark, cancellation);
            return new Reopened(IsOpened: true, Kept: null);
        }

        return named is { AllowsConnections: true } ? new Reopened(IsOpened: false, Kept: null) : throw new NeedsPersonException(
            $"{live.Name} {(named is null ? "is gone" : "is closed")}, and not by this run.",
            "somebody exchanged, renamed or marked it while this run had it closed",
            $"./build.sh Status --target-environment {environment.Name}");
    }

    /// <summary>What was found when the live database was to be opened again.</summary>
    /// <param name="IsOpened">Whether there was something of ours to open, and it is open.</param>
    /// <param name="Kept">Where the exchange had happened after all: the old one's name.</param>
    private sealed record Reopened(bool IsOpened, string? Kept);
}

/// <summary>What became of an exchange.</summary>
/// <param name="Kept">The name of the replaced database.</param>
/// <param name="Unavailable">From the fence to the exchange.</param>
/// <param name="Lost">The writes that were lost.</param>
public sealed record Exchanged(string Kept, TimeSpan Unavailable, LostWrites Lost);
