using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>
/// Sees that a restored database stays what it was when it was looked into, until its instance bears production's name. Once it was looked into its endpoint may have been handed out: what was
/// written there since is somebody's work, and no longer the snapshot.
/// </summary>
/// <param name="run">Clock and log.</param>
/// <param name="restored">The instance, with its tags as they are now.</param>
internal sealed class RestoredWatch(RunContext run, RdsInstance restored)
{
    private const int Shown = 5;

    // AWS's own. Parallel workers and the like are their leaders' business, and a role without pg_read_all_stats does not see what kind a session is.
    private const string Others = """
        SELECT pid, coalesce(application_name, ''), coalesce(usename, ''), coalesce(host(client_addr), CASE WHEN client_port = -1 THEN 'local socket' ELSE 'an address that this role may not see' END), backend_start, coalesce(state, 'unknown'), ''
        FROM pg_catalog.pg_stat_activity
        WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL AND usename IS DISTINCT FROM 'rdsadmin'
          AND coalesce(backend_type, 'client backend') = 'client backend' AND application_name IS DISTINCT FROM $1
        ORDER BY backend_start
        """;

    // A session that has just ended is shown for a moment, and hands in on its way out what it has written.
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly bool isFound = RestoreTags.IsOffered(restored);
    private WriteBaseline? baseline = RestoreTags.IsOffered(restored) ? WriteBaseline.Parse(restored.Tags.GetValueOrDefault(RestoreTags.LookedInto)) : null;

    /// <summary>What had been counted when this run looked into it first; null where an earlier run did.</summary>
    public WriteBaseline? Taken => isFound ? null : baseline;

    /// <summary>Another run had looked into it first: what that one had counted counts.</summary>
    public void Since(WriteBaseline first) => baseline = first;

    /// <summary>Begins, in the session that looks into it and before anything is read: one that an earlier run had looked into has to be as it was then.</summary>
    /// <exception cref="RefusedException">It was written to since, or may have been, or somebody is in it.</exception>
    public async Task BeginAsync(PostgresSession session, CancellationToken cancellation)
    {
        if (isFound)
        {
            await RequireUntouchedAsync(session, cancellation);
            run.Log.Information("{Instance:l} is as it was when it was looked into at {At:l}: no rows were written to it since, no tables made or dropped, and nobody is in it", restored.Identifier, Measures.Moment(baseline!.At));
            return;
        }

        var others = await OthersAsync(session, cancellation);
        if (others.Count > 0)
        {
            run.Log.Warning("Somebody is in the database of {Instance:l} already: {Sessions:l}. It is taken as it is now; names are exchanged only when nobody is in it", restored.Identifier, Named(others));
        }

        baseline = await WriteBaseline.ReadAsync(session, run.Clock.GetUtcNow(), cancellation);
    }

    /// <summary>Looks again.</summary>
    /// <exception cref="RefusedException">It was written to since, or may have been, or somebody is in it.</exception>
    public async Task RequireUntouchedAsync(PostgresSession session, CancellationToken cancellation)
    {
        // Sessions first: when all have ended, all have handed in what they wrote.
        var others = await OthersAsync(session, cancellation);
        var now = await WriteBaseline.ReadAsync(session, run.Clock.GetUtcNow(), cancellation);
        var unknown = baseline is null ? $"its tag {RestoreTags.LookedInto}, which would tell what had been counted then, is missing or cannot be read" : baseline.WhyUnknown(now);
        if (unknown is not null && !isFound && baseline is { Counting.IsCounting: false })
        {
            // This run has restored it or was told to take it, and a server that never counts would never let anybody go on.
            run.Log.Warning("Whether somebody wrote to {Instance:l} since this run looked into it cannot be told: {Why:l}", restored.Identifier, unknown);
            unknown = null;
        }

        var written = unknown is null ? baseline?.Written(now) : null;
        if (unknown is not null || written is not null || others.Count > 0)
        {
            throw Refusal(others, unknown, written);
        }
    }

    private RefusedException Refusal(IReadOnlyList<SessionSeen> others, string? unknown, string? written)
    {
        var which = $"{restored.Identifier}, which run {restored.Tags.GetValueOrDefault(SnapshotTags.RunId, "?")} restored from {restored.Tags.GetValueOrDefault(RestoreTags.Snapshot, "?")},";
        var since = baseline is null ? "" : $" at {Measures.Moment(baseline.At)}";
        var what = unknown is not null ? $"Nobody knows whether {which} was written to since it was looked into{since}."
            : written is not null ? $"{which} was written to since it was looked into{since}: {written}."
            : $"{which} is in use: {Measures.Count(others.Count, "session")} of others {(others.Count == 1 ? "is" : "are")} in its database.";
        string?[] why = [unknown, others.Count > 0 ? $"in it: {Named(others)}" : null, unknown is not null || written is not null ? "what is in it may be somebody's work, and is no longer sure to be the snapshot" : null, "nothing was renamed, and production was not touched"];
        var stop = others.Count > 0 ? "stop what is connected to it (pids above)" : null;
        var anew = $"to restore the snapshot anew: aws rds remove-tags-from-resource --resource-name {restored.Arn} --tag-keys {RestoreTags.RestoreOf}   then repeat the command ({restored.Identifier} stays, and costs until somebody deletes it)";
        var asItIs = $"to take exactly this instance, with whatever was written to it: {(stop is null ? "" : $"{stop}, ")}aws rds add-tags-to-resource --resource-name {restored.Arn} --tags Key={RestoreTags.Step},Value={RestoreTags.Text(RestoreStep.Configured)}   then repeat the command, which looks into it anew";
        var first = unknown is null && written is null ? $"to go on: {stop}, then repeat the command" : written is null ? asItIs : asItIs + " (what writes by itself there, such as pg_cron or a subscription, has to be stopped first)";
        return new RefusedException(what, string.Join("; ", why.Where(part => part is not null)), first + Environment.NewLine + "        " + anew);
    }

    private static string Named(IReadOnlyList<SessionSeen> sessions) =>
        string.Join(", ", sessions.Take(Shown)) + (sessions.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $" and {sessions.Count - Shown} more") : "");

    private async Task<IReadOnlyList<SessionSeen>> OthersAsync(PostgresSession session, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        while (true)
        {
            await session.ExecuteAsync("SELECT pg_catalog.pg_stat_clear_snapshot()", cancellation);
            var others = await session.QueryAsync(Others, SessionSeen.Read, cancellation, RestoredDatabaseCheck.SessionName);
            if (others.Count == 0 || run.Clock.GetElapsedTime(started) > Leaving)
            {
                return others;
            }

            await Task.Delay(Interval, run.Clock, cancellation);
        }
    }
}
