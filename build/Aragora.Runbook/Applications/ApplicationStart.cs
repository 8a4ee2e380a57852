using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Applications;

/// <summary>Puts back what was stopped. Not cancelled with the run: an application that stays away is worse than a late end. Every wait has its own deadline.</summary>
/// <param name="run">Journal, clock, log.</param>
/// <param name="options">How long.</param>
internal sealed class ApplicationStart(RunContext run, ApplicationOptions options)
{
    private readonly SteadyJournal journal = new(run);

    /// <summary>Does it. Never throws for what the other side does: its result says what is not back.</summary>
    /// <param name="environment">Whose application it is.</param>
    /// <param name="parts">What was stopped.</param>
    /// <param name="stoppedBy">The run that stopped it.</param>
    /// <param name="waits">Whether it is waited for until it is ready.</param>
    public Task<StartedParts> RunAsync(DatabaseEnvironment environment, IReadOnlyList<IApplicationPart> parts, string stoppedBy, bool waits) =>
        journal.ActAnywayAsync(StopIntent.StartAct(environment), new { Parts = parts.Select(part => part.Name).ToList(), StoppedBy = stoppedBy }, async () =>
        {
            var done = new Dictionary<string, string>(StringComparer.Ordinal);
            var failures = new List<string>();
            foreach (var part in parts)
            {
                try
                {
                    done[part.Name] = await PutBackAsync(part, stoppedBy) ?? "as it is: there is no note of this run on it any more";
                }
                catch (Exception stays)
                {
                    // Whatever it was: the other parts are put back all the same, and what is not back is told.
                    failures.Add(stays.Message);
                    run.Log.Error(stays, "{Part} could not be put back", part.Name);
                }
            }

            foreach (var part in waits ? parts.Where(part => done.ContainsKey(part.Name)) : [])
            {
                if (await AwaitAsync(part) is { } why)
                {
                    failures.Add($"{part.Name}: {why}");
                    run.Log.Error("{Part} is put back ({Done:l}), and is not ready: {Why:l}", part.Name, done[part.Name], why);
                }
            }

            return new StartedParts(done, failures.Count == 0 ? null : string.Join("; ", failures));
        });

    private async Task<string?> PutBackAsync(IApplicationPart part, string stoppedBy)
    {
        var started = run.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                return await part.StartAsync(stoppedBy, CancellationToken.None);
            }
            catch (PartException busy) when (busy.IsTransient && run.Clock.GetElapsedTime(started) < options.AnswerPatience)
            {
                run.Log.Warning("{Part} is not put back yet, and is tried again: {Why:l}", part.Name, LogText.SingleLine(busy.Message));
                await Task.Delay(options.Interval, run.Clock, CancellationToken.None);
            }
        }
    }

    /// <returns>Why it is not ready; null where it is.</returns>
    private async Task<string?> AwaitAsync(IApplicationPart part)
    {
        var started = run.Clock.GetTimestamp();
        string? told = null;
        while (true)
        {
            PartRollout rollout;
            try
            {
                rollout = await part.RolloutAsync(CancellationToken.None);
            }
            catch (Exception busy)
            {
                // As above: nothing may hide what is not back.
                rollout = new PartRollout(IsDone: false, 0, 0, busy.Message, IsHopeless: busy is not PartException { IsTransient: true });
            }

            if (rollout.IsDone)
            {
                return null;
            }

            var trouble = LogText.SingleLine(rollout.Trouble ?? "nothing says why", 300);
            if (rollout.IsHopeless || run.Clock.GetElapsedTime(started) > options.Timeout)
            {
                return $"{rollout.Ready} of {rollout.Wanted} are ready after {Measures.Duration(run.Clock.GetElapsedTime(started))}: {trouble}";
            }

            if (rollout.Trouble is not null && trouble != told)
            {
                told = trouble;
                run.Log.Information("{Part}: {Ready} of {Wanted} are ready: {Trouble:l}", part.Name, rollout.Ready, rollout.Wanted, trouble);
            }

            await Task.Delay(options.Interval, run.Clock, CancellationToken.None);
        }
    }
}

/// <summary>What was put back.</summary>
/// <param name="Done">By part, what was done, for people.</param>
/// <param name="Failure">What is not back; null where everything is.</param>
public sealed record StartedParts(IReadOnlyDictionary<string, string> Done, string? Failure);
