using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>What restores left beside a database, and whether it is closed: asked from the maintenance database, so that it is known also while nobody is let in.</summary>
/// <param name="Lines">For people, one each; none where there is nothing to say.</param>
/// <param name="Trouble">Why the database lets nobody in, and what to type; null where it does.</param>
public sealed record RestoreStatus(IReadOnlyList<string> Lines, RunbookException? Trouble)
{
    /// <summary>Looks, where no records are at hand: nothing is known to be verified.</summary>
    /// <inheritdoc cref="ReadAsync(DatabaseEnvironment, DateTimeOffset, Func{DatabaseFacts, bool}?, CancellationToken)"/>
    public static Task<RestoreStatus> ReadAsync(DatabaseEnvironment environment, DateTimeOffset now, CancellationToken cancellation) => ReadAsync(environment, now, isVerified: null, cancellation);

    /// <summary>Looks. Changes nothing.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="now">The time.</param>
    /// <param name="isVerified">Whether smoke tests and health are known to have run green against a database as it is; null where no records are at hand, and nothing is known.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="BadInputException">The server cannot be reached.</exception>
    public static async Task<RestoreStatus> ReadAsync(DatabaseEnvironment environment, DateTimeOffset now, Func<DatabaseFacts, bool>? isVerified, CancellationToken cancellation)
    {
        await using var maintenance = await MaintenanceDatabase.OpenAsync(environment, "aragora-inspect", cancellation);
        var left = await RestoreLeftovers.FindAsync(maintenance, environment.Database.Database, cancellation);
        var atWork = await SingleFlight.HoldersAsync(maintenance, environment, cancellation);
        var lines = new List<string>();
        if (left.Live?.Mark is { State: MarkState.Restored } restored)
        {
            lines.Add($"{left.Live.Name} was restored from {restored.Backup} by run {restored.Run}, {Ago(now, restored.At)}");
            if (left.Live.AllowsConnections && atWork.Count == 0 && !await IsVerifiedAsync(environment, isVerified, cancellation))
            {
                lines.AddRange(Unverified(environment, left.Live, restored, left.Kept));
            }
        }

        if (left.Live is { AllowsConnections: true, Mark.State: MarkState.Fenced } opened && atWork.Count == 0)
        {
            lines.Add($"{opened.Name} was closed by run {opened.Mark.Run} and opened by hand; the note of it goes with the next restore, or with: {DatabaseFence.OpeningSql(opened)}");
        }

        lines.AddRange(left.Kept.Select(kept => $"{kept.Database.Name} is what {(kept.Database.Mark!.State == MarkState.Kept ? "it replaced" : $"run {kept.Database.Mark.Run} put in its place, and somebody took out again,")} {Ago(now, kept.Database.Mark.At)}{(kept.Bytes is { } bytes ? $", {DataSize.Text(bytes)}" : "")}, {(kept.Database.AllowsConnections ? "OPEN" : "closed")}; when nobody needs it any more: {RestoreCopy.DroppingSql(kept.Database.Name)};"));
        lines.AddRange(left.Copies.Select(copy => atWork.Count > 0
            ? $"{copy.Name} is being restored by run {copy.Mark?.Run}"
            : $"{copy.Name} is a copy that {(copy.Mark is { } mark ? $"run {mark.Run}, which died, began {Ago(now, mark.At)}" : "a run that died began")}; the next Rollback --strategy Restore drops it, or: {RestoreCopy.DroppingSql(copy.Name)};"));
        return new RestoreStatus(lines, left.IsClosed ? Closed(environment, left.Live!, atWork) : null);
    }

    private static async Task<bool> IsVerifiedAsync(DatabaseEnvironment environment, Func<DatabaseFacts, bool>? isVerified, CancellationToken cancellation)
    {
        try
        {
            return isVerified is not null && isVerified(await DatabaseInspector.ReadAsync(environment, cancellation));
        }
        catch (Exception unreadable) when (unreadable is BadInputException or NpgsqlException)
        {
            // What cannot be read was verified by nobody; Status itself says why it cannot.
            return false;
        }
    }

    /// <summary>Also after a run that died right behind the exchange: what is kept is all there is to go back to, until somebody has seen that the restored one is right.</summary>
    private static IEnumerable<string> Unverified(DatabaseEnvironment environment, ServerDatabase live, DatabaseMark restored, IReadOnlyList<KeptDatabase> kept)
    {
        yield return $"{live.Name} is the restored one, and live; as far as the records here know, nothing verified it since. This does: ./build.sh SmokeTest --target-environment {environment.Name}";
        if (kept.FirstOrDefault(old => old.Database.Mark is { State: MarkState.Kept } mark && mark.Run == restored.Run) is not { } replaced)
        {
            yield break;
        }

        yield return $"to take it back instead, in the database postgres (what was written to {live.Name} since is then in {DatabaseNames.Undone(live.Name, restored.Run)}):";
        foreach (var sql in DatabaseSwap.ReverseSql(live.Name, replaced.Database.Name, DatabaseNames.Undone(live.Name, restored.Run)))
        {
            yield return "  " + sql;
        }
    }

    private static RunbookException Closed(DatabaseEnvironment environment, ServerDatabase live, IReadOnlyList<SessionSeen> atWork)
    {
        var what = $"{environment.DisplayName} is closed: {live.Name} lets nobody in.";
        if (live.Mark is not { State: MarkState.Fenced } mark)
        {
            return new NeedsPersonException(what, "it was closed (ALLOW_CONNECTIONS false), and not by a restore of ours", $"find out who closed it, and why; in the database postgres, as its owner: {DatabaseFence.OpeningSql(live.Name)}");
        }

        return atWork.Count > 0
            ? new NeedsPersonException(what, $"run {mark.Run} is about to exchange it for a restored copy: {atWork[0]}", "./build.sh Status   in a few seconds")
            : new NeedsPersonException(
                what,
                $"run {mark.Run} closed it {Measures.Moment(mark.At)} and died before it was exchanged for its restored copy: it is the old database, with everything in it",
                $"./build.sh Rollback --target-environment {environment.Name} --strategy Restore --backup {mark.Backup}   opens it and begins anew; to open it and nothing else, in the database postgres: {DatabaseFence.OpeningSql(live)}");
    }

    private static string Ago(DateTimeOffset now, DateTimeOffset at) => $"{ProgressSnapshot.Rough(now - at)} ago";
}
