using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>Asks RDS again and again until something is so, says how far it is, and does not wait for ever.</summary>
/// <param name="run">Clock and log.</param>
/// <param name="options">Interval and deadline.</param>
public sealed class RdsWait(RunContext run, RdsOptions options)
{
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    /// <summary>Waits.</summary>
    /// <param name="what">What is awaited, for people: <c>snapshot aragora-x</c>.</param>
    /// <param name="look">Asks once, and judges.</param>
    /// <param name="late">The failure when the deadline is over; it is given what was seen last.</param>
    /// <param name="cancellation">Ends the waiting; what RDS is doing goes on.</param>
    /// <returns>What was awaited.</returns>
    public async Task<T> UntilAsync<T>(string what, Func<CancellationToken, Task<Seen<T>>> look, Func<string, RunbookException> late, CancellationToken cancellation)
        where T : class
    {
        var started = run.Clock.GetTimestamp();
        var (said, saidAt, last) = ("", started, "nothing yet");
        while (true)
        {
            try
            {
                var seen = await look(cancellation);
                if (seen.Arrived is { } arrived)
                {
                    run.Log.Debug("{What:l}: {State:l} after {Elapsed:l}", what, seen.State, ProgressSnapshot.Rough(run.Clock.GetElapsedTime(started)));
                    return arrived;
                }

                last = seen.State;
            }
            catch (RunbookException passing) when (RdsFailures.IsPassing(passing))
            {
                // RDS goes on with what it does; only we cannot see it for a moment.
                last = passing.What;
            }

            if (last != said || run.Clock.GetElapsedTime(saidAt) > Silence)
            {
                run.Log.Information("{What:l}: {State:l}, {Elapsed:l}", what, last, ProgressSnapshot.Rough(run.Clock.GetElapsedTime(started)));
                (said, saidAt) = (last, run.Clock.GetTimestamp());
            }

            if (run.Clock.GetElapsedTime(started) > options.Deadline)
            {
                throw late(last);
            }

            await Task.Delay(options.PollInterval, run.Clock, cancellation);
        }
    }
}

/// <summary>What one look came to.</summary>
/// <param name="Arrived">What was awaited; null where it is not so yet.</param>
/// <param name="State">How it stands, for people: <c>creating, 40 %</c>.</param>
public sealed record Seen<T>(T? Arrived, string State)
    where T : class;
