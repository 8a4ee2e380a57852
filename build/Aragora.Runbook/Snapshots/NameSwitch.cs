using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>
/// Gives a restored instance the original's name: the original is renamed away, then the restored one into its place. Renames take RDS minutes, and its answers lag, so each is awaited from both
/// sides. Which of the two is which is written on both before the first rename: a run that dies in between is found, and finished by the next; two runs that finish it at once both come to its end.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="rds">RDS.</param>
/// <param name="options">The name, and how long.</param>
public sealed class NameSwitch(RunContext run, RdsApi rds, RdsOptions options)
{
    private const string Renaming = "renaming";
    private const int Tries = 5;
    private readonly RdsWait wait = new(run, options);

    /// <summary>Asked right before the first rename, when everything is prepared: what it throws leaves the names as they are. Default: nothing is asked.</summary>
    public Func<CancellationToken, Task> LastLook { get; init; } = _ => Task.CompletedTask;

    /// <summary>Exchanges the names, or finishes what an earlier run began. Once the first rename was asked for, it is not cancelled any more: nobody bears the name then.</summary>
    /// <param name="environment">Production.</param>
    /// <param name="situation">Who is who.</param>
    /// <param name="cancellation">Counts up to the first rename.</param>
    /// <exception cref="RefusedException">There are not two to exchange names; nothing was renamed.</exception>
    /// <exception cref="NeedsPersonException">One of the renames failed, or did not end in time: the message says who is named what.</exception>
    public async Task<ExchangedNames> RunAsync(DatabaseEnvironment environment, RestoreSituation situation, CancellationToken cancellation)
    {
        if (!situation.IsExchangeBegun)
        {
            situation = await PreparedAsync(situation, cancellation);
        }

        var restored = Require(situation);
        var keptAs = KeptAs(restored);
        options.Moved?.Invoke(environment);
        try
        {
            return await ExchangeAsync(situation, restored, keptAs);
        }
        catch (RunbookException failure) when (failure is not NeedsPersonException)
        {
            throw Torn(keptAs, restored, $"{failure.What} {failure.Why}", failure);
        }
    }

    private static RdsInstance Require(RestoreSituation situation) => situation.Restored ?? throw new RefusedException(
        $"What was restored from {situation.Snapshot} is not there any more.", $"somebody deleted it meanwhile, or took its tag {RestoreTags.RestoreOf} away; nothing was renamed", "./build.sh Status, then repeat the command");

    /// <summary>Not this run's own id: two runs that exchange the same two have to mean the same name, or the later one would rename away what the earlier one has put in place.</summary>
    private string KeptAs(RdsInstance restored) =>
        restored.Tags.GetValueOrDefault(RestoreTags.KeptAs) ?? RdsNames.Before(options.InstanceIdentifier, restored.Tags.GetValueOrDefault(SnapshotTags.RunId, run.RunId));

    /// <summary>Everything up to the first rename. What fails because another run has begun meanwhile is no failure: that is gone on with.</summary>
    private async Task<RestoreSituation> PreparedAsync(RestoreSituation situation, CancellationToken cancellation)
    {
        var (name, restored) = (situation.Name, Require(situation));
        var original = situation.Original is { } bearing && bearing.Identifier == name ? bearing : throw new RefusedException(
            $"There is no instance {name} whose name {restored.Identifier} could take.", "it is gone, and not by a rollback of ours; nothing was renamed", $"./build.sh Status; to give it the name all the same: aws rds modify-db-instance --db-instance-identifier {restored.Identifier} --new-db-instance-identifier {name} --apply-immediately");
        try
        {
            await PrepareAsync(original, restored, KeptAs(restored), cancellation);
            await LastLook(cancellation);
            if (await rds.FindInstanceAsync(restored.Identifier, cancellation) is { IsAvailable: false } busy)
            {
                throw new FailedCleanException($"{restored.Identifier} cannot take the name {name} at the moment; nothing was renamed.", $"RDS says that it is {busy.Status}, and renames only what is available", "wait until it is available (./build.sh Status), then repeat the command");
            }

            cancellation.ThrowIfCancellationRequested();
            return situation;
        }
        catch (RunbookException)
        {
            RestoreSituation? now = null;
            try
            {
                now = await RestoreSituation.ReadAsync(rds, name, situation.Snapshot, cancellation);
            }
            catch (RunbookException unseen)
            {
                run.Log.Debug("Whether another run has begun cannot be seen: {What:l}", unseen.What);
            }

            if (now?.IsExchangeBegun != true)
            {
                throw;
            }

            run.Log.Warning("Another run has begun to exchange the names of {Name:l} and {Restored:l} meanwhile: that is finished now", name, restored.Identifier);
            return now;
        }
    }

    /// <summary>Who is who is written on both first.</summary>
    private async Task PrepareAsync(RdsInstance original, RdsInstance restored, string keptAs, CancellationToken cancellation)
    {
        if (await rds.FindInstanceAsync(keptAs, cancellation) is { } taken && taken.Tags.GetValueOrDefault(RestoreTags.KeptOf) != options.InstanceIdentifier)
        {
            throw new RefusedException($"There is an instance {keptAs} already, the name that {original.Identifier} was to be kept under.", $"RDS says that it is {taken.Status}; it is none of this rollback's, and nothing was renamed", "find out whose it is, and rename or delete it; then repeat the command");
        }

        await run.Journal.ActAsync("write on both instances which is which", new { Original = original.Identifier, Restored = restored.Identifier, KeptAs = keptAs }, async () =>
        {
            // An ARN holds the name: where another run has exchanged them by now, the first of these finds nothing, and the second, which would mean the wrong one, is not asked for.
            await rds.TagAsync(restored.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.KeptAs] = keptAs, [RestoreTags.Step] = RestoreTags.Text(RestoreStep.Switching) }, cancellation);
            await rds.TagAsync(original.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.KeptOf] = options.InstanceIdentifier, [RestoreTags.KeptFor] = restored.Tags[RestoreTags.Snapshot] }, cancellation);
            return keptAs;
        });
    }

    private async Task<ExchangedNames> ExchangeAsync(RestoreSituation situation, RdsInstance restored, string keptAs)
    {
        long? began = null;
        if (!situation.IsSwitched)
        {
            if (situation.Original is { } original)
            {
                began = await FreeAsync(original, restored, keptAs);
            }

            await TakeAsync(restored, keptAs);
        }

        await InPlaceAsync(restored, keptAs);
        var bearer = await rds.FindInstanceAsync(options.InstanceIdentifier, CancellationToken.None) ?? throw Torn(keptAs, restored, $"RDS does not describe {options.InstanceIdentifier}");
        await rds.TagAsync(bearer.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.Step] = RestoreTags.Text(RestoreStep.Switched) }, CancellationToken.None);
        return new ExchangedNames(bearer, keptAs, began);
    }

    /// <summary>The original gives its name up.</summary>
    /// <returns>When this run's own rename was asked for; null where it was another's.</returns>
    private async Task<long?> FreeAsync(RdsInstance original, RdsInstance restored, string keptAs)
    {
        var name = options.InstanceIdentifier;
        long? began = null;
        if (original.Identifier == name && await rds.FindInstanceAsync(name, CancellationToken.None) is { Status: not Renaming } bearer && !RestoreTags.IsSame(bearer, restored))
        {
            var asked = run.Clock.GetTimestamp();
            var taken = await RenameAsync("rename the original away", name, keptAs, (left, there) => (left is not null && RestoreTags.IsSame(left, restored)) || there?.Tags.GetValueOrDefault(RestoreTags.KeptOf) == name);
            began = taken ? asked : null;
        }

        await wait.UntilAsync(
            $"rename of {name} to {keptAs}",
            async token =>
            {
                var away = await rds.FindInstanceAsync(keptAs, token);
                var still = await rds.FindInstanceAsync(name, token);
                var free = still is null || RestoreTags.IsSame(still, restored);
                return new Seen<RdsInstance>(away is { Status: not Renaming } && free ? away : null, $"{keptAs} is {away?.Status ?? "not described yet"}, {name} is {(still is null ? "free" : still.Status)}");
            },
            last => Torn(keptAs, restored, $"the first rename did not end in {Measures.Duration(options.Deadline)}: {last}"),
            CancellationToken.None);
        return began;
    }

    /// <summary>The restored one takes it.</summary>
    private async Task TakeAsync(RdsInstance restored, string keptAs)
    {
        var name = options.InstanceIdentifier;
        if (await rds.FindInstanceAsync(name, CancellationToken.None) is null && await rds.FindInstanceAsync(restored.Identifier, CancellationToken.None) is not { Status: Renaming })
        {
            await RenameAsync("rename the restored instance into its place", restored.Identifier, name, (_, taken) => taken is not null && RestoreTags.IsSame(taken, restored), nobodyBearsIt: true);
        }
    }

    /// <summary>Also where another run has asked for it: RDS describes the new name before the instance answers under it.</summary>
    private async Task InPlaceAsync(RdsInstance restored, string keptAs)
    {
        var name = options.InstanceIdentifier;
        await wait.UntilAsync(
            restored.Identifier == name ? $"{name} in its place" : $"rename of {restored.Identifier} to {name}",
            async token =>
            {
                var here = await rds.FindInstanceAsync(name, token);
                var left = await rds.FindInstanceAsync(restored.Identifier, token);
                var isIt = here is { IsAvailable: true, Address: not null } && RestoreTags.IsSame(here, restored);
                return new Seen<RdsInstance>(isIt && (left is null || restored.Identifier == name) ? here : null, $"{name} is {here?.Status ?? "not described yet"}, {restored.Identifier} is {left?.Status ?? "gone"}");
            },
            last => Torn(keptAs, restored, $"the second rename did not end in {Measures.Duration(options.Deadline)}: {last}"),
            CancellationToken.None);
    }

    /// <summary>
    /// Asks for a rename. Where RDS refuses because of how things stand, or its answer was lost, it may have been asked for already: by another run that finishes the same, or by the SDK's own
    /// first try. RDS's descriptions lag, so it is looked at for a while; what then is not on its way was refused.
    /// </summary>
    /// <returns>Whether it was taken from this run.</returns>
    private async Task<bool> RenameAsync(string act, string from, string to, Func<RdsInstance?, RdsInstance?, bool> isDone, bool nobodyBearsIt = false)
    {
        var began = run.Clock.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await run.Journal.ActAsync(act, new { From = from, To = to }, async () =>
                {
                    await rds.RenameAsync(from, to, CancellationToken.None);
                    return to;
                });
                return true;
            }
            catch (RunbookException refused) when (RdsFailures.IsPassing(refused) || RdsFailures.IsOvertaken(refused))
            {
                try
                {
                    await OnItsWayAsync(from, to, isDone, refused);
                    run.Log.Warning("{From:l} is being renamed to {To:l} already, asked for by another run or by a request whose answer was lost: that is waited for", from, to);
                    return false;
                }
                catch (RunbookException still) when (ReferenceEquals(still, refused) && (RdsFailures.IsPassing(refused) ? attempt < Tries : nobodyBearsIt && RdsFailures.IsBusy(refused) && run.Clock.GetElapsedTime(began) < options.Deadline))
                {
                    // Nobody bears the name meanwhile: RDS that could not take it, or is busy with the instance (a backup, its monitoring), is asked again.
                    run.Log.Warning("The rename of {From:l} to {To:l} was not taken, and is asked for again: {Why:l}", from, to, LogText.SingleLine(refused.Message, 300));
                }
            }
        }
    }

    private Task OnItsWayAsync(string from, string to, Func<RdsInstance?, RdsInstance?, bool> isDone, RunbookException refused) =>
        new RdsWait(run, options with { Deadline = options.Lag }).UntilAsync(
            $"rename of {from} to {to}, which was not taken ({refused.What.TrimEnd('.')})",
            async token =>
            {
                var left = await rds.FindInstanceAsync(from, token);
                var taken = await rds.FindInstanceAsync(to, token);
                return new Seen<string>(left is null or { Status: Renaming } || isDone(left, taken) ? to : null, $"{from} is {left?.Status ?? "gone"}, {to} is {taken?.Status ?? "not described"}");
            },
            _ => refused,
            CancellationToken.None);

    private NeedsPersonException Torn(string keptAs, RdsInstance restored, string why, Exception? cause = null)
    {
        var name = options.InstanceIdentifier;
        return new NeedsPersonException(
            $"The exchange of names did not come to its end: {name} is or was to become {keptAs}, and {restored.Identifier} is or was to become {name}.",
            why,
            $"repeat the command: it finds who is who, and finishes; or by hand, to go back: aws rds modify-db-instance --db-instance-identifier {keptAs} --new-db-instance-identifier {name} --apply-immediately   (./build.sh Status tells who is named what)",
            cause);
    }
}

/// <summary>Two instances whose names were exchanged.</summary>
/// <param name="Bearer">The one that bears production's name.</param>
/// <param name="KeptAs">The name that the original bears now.</param>
/// <param name="BeganAt">When this run asked for the first rename, by the run's clock; null where another run had, or its answer was lost.</param>
public sealed record ExchangedNames(RdsInstance Bearer, string KeptAs, long? BeganAt);
