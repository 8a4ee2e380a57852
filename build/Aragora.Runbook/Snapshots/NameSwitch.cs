using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>
/// Gives a restored instance the original's name: the original is renamed away, then the restored one into its place. Renames take RDS minutes, and its answers lag, so each is awaited from both
/// sides. Which of the two is which is written on both before the first rename: a run that dies in between is found, and finished by the next.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="rds">RDS.</param>
/// <param name="options">The name, and how long.</param>
public sealed class NameSwitch(RunContext run, RdsApi rds, RdsOptions options)
{
    private readonly RdsWait wait = new(run, options);

    /// <summary>Exchanges the names, or finishes what an earlier run began. Once the first rename was asked for, it is not cancelled any more: nobody bears the name then.</summary>
    /// <param name="environment">Production.</param>
    /// <param name="situation">Who is who.</param>
    /// <param name="cancellation">Counts up to the first rename.</param>
    /// <returns>The instance that bears the name, and the name that the original bears now.</returns>
    /// <exception cref="NeedsPersonException">One of the renames failed, or did not end in time: the message says who is named what.</exception>
    public async Task<(RdsInstance Bearer, string KeptAs)> RunAsync(DatabaseEnvironment environment, RestoreSituation situation, CancellationToken cancellation)
    {
        var restored = situation.Restored ?? throw new InvalidOperationException("nothing was restored");
        var keptAs = restored.Tags.GetValueOrDefault(RestoreTags.KeptAs) ?? RdsNames.Before(options.InstanceIdentifier, run.RunId);
        if (situation is { IsSwitched: false, Original: { } original })
        {
            if (original.Identifier == options.InstanceIdentifier)
            {
                await PrepareAsync(original, restored, keptAs, cancellation);
                cancellation.ThrowIfCancellationRequested();
            }

            options.Moved?.Invoke(environment);
            await GuardedAsync(keptAs, restored, () => ExchangeAsync(original, restored, keptAs));
        }
        else if (!situation.IsSwitched && situation.Step is not RestoreStep.Switching)
        {
            throw new RefusedException($"There is no instance {options.InstanceIdentifier} whose name {restored.Identifier} could take.", "it is gone, and not by a rollback of ours", "./build.sh Status");
        }
        else
        {
            options.Moved?.Invoke(environment);
            await GuardedAsync(keptAs, restored, () => situation.IsSwitched ? Task.FromResult(restored) : TakeAsync(restored));
        }

        var bearer = await rds.FindInstanceAsync(options.InstanceIdentifier, CancellationToken.None) ?? throw Torn(keptAs, restored, "RDS does not describe it");
        await GuardedAsync(keptAs, restored, async () =>
        {
            await rds.TagAsync(bearer.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.Step] = RestoreTags.Text(RestoreStep.Switched) }, CancellationToken.None);
            return bearer;
        });
        return (bearer, keptAs);
    }

    /// <summary>Who is who is written on both first.</summary>
    private async Task PrepareAsync(RdsInstance original, RdsInstance restored, string keptAs, CancellationToken cancellation)
    {
        if (await rds.FindInstanceAsync(keptAs, cancellation) is { } taken && taken.Tags.GetValueOrDefault(RestoreTags.KeptOf) != options.InstanceIdentifier)
        {
            throw new RefusedException($"There is an instance {keptAs} already, the name that {original.Identifier} was to be kept under.", $"RDS says that it is {taken.Status}; it is none of this rollback's", "find out whose it is; then repeat the command");
        }

        await run.Journal.ActAsync("write on both instances which is which", new { Original = original.Identifier, Restored = restored.Identifier, KeptAs = keptAs }, async () =>
        {
            await rds.TagAsync(original.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.KeptOf] = options.InstanceIdentifier, [RestoreTags.KeptFor] = restored.Tags[RestoreTags.Snapshot] }, cancellation);
            await rds.TagAsync(restored.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.KeptAs] = keptAs, [RestoreTags.Step] = RestoreTags.Text(RestoreStep.Switching) }, cancellation);
            return keptAs;
        });
    }

    private async Task<RdsInstance> ExchangeAsync(RdsInstance original, RdsInstance restored, string keptAs)
    {
        var name = options.InstanceIdentifier;
        if (original.Identifier == name && original.Status != "renaming")
        {
            await run.Journal.ActAsync("rename the original away", new { From = name, To = keptAs }, async () =>
            {
                await rds.RenameAsync(name, keptAs, CancellationToken.None);
                return keptAs;
            });
        }

        await wait.UntilAsync(
            $"rename of {name} to {keptAs}",
            async token =>
            {
                var away = await rds.FindInstanceAsync(keptAs, token);
                var still = await rds.FindInstanceAsync(name, token);
                var free = still is null || still.Tags.GetValueOrDefault(RestoreTags.RestoreOf) == name;
                return new Seen<RdsInstance>(away is { IsAvailable: true } && free ? away : null, $"{keptAs} is {away?.Status ?? "not described yet"}, {name} is {(still is null ? "free" : still.Status)}");
            },
            last => Torn(keptAs, restored, $"the first rename did not end in {Measures.Duration(options.Deadline)}: {last}"),
            CancellationToken.None);
        return await TakeAsync(restored);
    }

    private async Task<RdsInstance> TakeAsync(RdsInstance restored)
    {
        var name = options.InstanceIdentifier;
        if (await rds.FindInstanceAsync(name, CancellationToken.None) is null && await rds.FindInstanceAsync(restored.Identifier, CancellationToken.None) is not { Status: "renaming" })
        {
            await run.Journal.ActAsync("rename the restored instance into its place", new { From = restored.Identifier, To = name }, async () =>
            {
                await rds.RenameAsync(restored.Identifier, name, CancellationToken.None);
                return name;
            });
        }

        return await wait.UntilAsync(
            $"rename of {restored.Identifier} to {name}",
            async token =>
            {
                var here = await rds.FindInstanceAsync(name, token);
                var left = await rds.FindInstanceAsync(restored.Identifier, token);
                var isIt = here is { IsAvailable: true, Address: not null } && here.Tags.GetValueOrDefault(RestoreTags.RestoreOf) == name;
                return new Seen<RdsInstance>(isIt && left is null ? here : null, $"{name} is {here?.Status ?? "not described yet"}, {restored.Identifier} is {left?.Status ?? "gone"}");
            },
            last => Torn(restored.Tags.GetValueOrDefault(RestoreTags.KeptAs, "<name>-before-<run>"), restored, $"the second rename did not end in {Measures.Duration(options.Deadline)}: {last}"),
            CancellationToken.None);
    }

    private async Task GuardedAsync(string keptAs, RdsInstance restored, Func<Task<RdsInstance>> act)
    {
        try
        {
            await act();
        }
        catch (RunbookException failure) when (failure is not NeedsPersonException)
        {
            throw Torn(keptAs, restored, $"{failure.What} {failure.Why}", failure);
        }
    }

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
