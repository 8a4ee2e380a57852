using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>Restores a snapshot into a new instance that is set up as the original. Each step is found again by a later run.</summary>
/// <param name="run">The run.</param>
/// <param name="rds">RDS.</param>
/// <param name="options">Which instance, and how long.</param>
public sealed class InstanceRestore(RunContext run, RdsApi rds, RdsOptions options)
{
    private static readonly HashSet<string> Failed = new(["failed", "restore-error", "incompatible-restore", "incompatible-network", "incompatible-parameters", "incompatible-option-group", "insufficient-capacity", "inaccessible-encryption-credentials", "deleting"], StringComparer.Ordinal);
    private readonly RdsWait wait = new(run, options);

    /// <summary>Restores, or goes on with what an earlier run began, until the instance is set up.</summary>
    /// <param name="situation">Who is who.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="cancellation">Ends the waiting; the next run goes on.</param>
    /// <returns>The instance, and the settings in which it differs from its original all the same.</returns>
    public async Task<(RdsInstance Instance, IReadOnlyList<SettingDifference> Differences)> RunAsync(RestoreSituation situation, RdsSnapshot snapshot, CancellationToken cancellation)
    {
        var original = situation.Original ?? throw new RefusedException(
            $"There is no instance {situation.Name} to restore beside.", "the new instance is set up as the original, and the original is gone", "aws rds restore-db-instance-from-db-snapshot   restores it by hand, with the groups that you name");
        var identifier = situation.Restored?.Identifier ?? RdsNames.Restored(original.Identifier, run.RunId);
        if (situation.Restored is { } begun)
        {
            run.Log.Information("Run {Run:l} {Did:l} {Snapshot:l} as {Instance:l} ({Status:l}): no second one is restored", begun.Tags.GetValueOrDefault(SnapshotTags.RunId, "?"), RestoreTags.IsOffered(begun) ? "restored and looked into" : "began to restore", snapshot.Identifier, identifier, begun.Status);
        }
        else
        {
            await run.Journal.ActAsync("restore a snapshot into a new instance", new { Snapshot = snapshot.Identifier, Instance = identifier, Like = original.Identifier, rds.Where }, () => rds.RestoreAsync(snapshot, identifier, original, Tags(original, snapshot, identifier), cancellation));
        }

        var restored = await BegunWork.GuardAsync($"the restored instance {identifier} stands, and production was not touched", async () =>
        {
            var available = await AvailableAsync(identifier, cancellation);
            return RestoreTags.StepOf(available) is RestoreStep.Restoring ? await ConfigureAsync(available, original, cancellation) : available;
        });

        var differences = restored.Settings.DifferencesFrom(original.Settings);
        foreach (var difference in differences)
        {
            run.Log.Warning("{Instance:l} differs from {Original:l}: {Difference:l}", restored.Identifier, original.Identifier, difference.ToString());
        }

        if (original.HasManagedPassword && !restored.HasManagedPassword)
        {
            run.Log.Warning("AWS keeps the master password of {Original:l}; {Restored:l} has the one of the snapshot's time, and nobody changes it: aws rds modify-db-instance --db-instance-identifier {Instance:l} --manage-master-user-password   (once it is in use)", original.Identifier, restored.Identifier, restored.Identifier);
        }

        return (restored, differences);
    }

    /// <summary>The original's own tags go along, and ours are new ones.</summary>
    private Dictionary<string, string> Tags(RdsInstance original, RdsSnapshot snapshot, string identifier) => new(original.Tags.Where(tag => !tag.Key.StartsWith(SnapshotTags.Prefix, StringComparison.Ordinal) && !tag.Key.StartsWith("aws:", StringComparison.Ordinal)), StringComparer.Ordinal)
    {
        [SnapshotTags.RunId] = run.RunId,
        [RestoreTags.RestoreOf] = options.InstanceIdentifier,
        [RestoreTags.Snapshot] = snapshot.Identifier,
        [RestoreTags.RestoredAs] = identifier,
        [RestoreTags.Step] = RestoreTags.Text(RestoreStep.Restoring),
    };

    /// <summary>A restore does not take everything; what it left is asked for, and awaited until it is so.</summary>
    private async Task<RdsInstance> ConfigureAsync(RdsInstance restored, RdsInstance original, CancellationToken cancellation)
    {
        if (RdsApi.CanModify(restored, original.Settings))
        {
            var asked = restored;
            restored = await run.Journal.ActAsync("set the restored instance up as the original", new { Instance = asked.Identifier, Differences = asked.Settings.DifferencesFrom(original.Settings).Select(difference => difference.ToString()) }, async () =>
            {
                await rds.ModifyAsync(asked, original.Settings, cancellation);
                return await SetUpAsync(asked.Identifier, original.Settings, cancellation);
            });
        }

        return restored;
    }

    /// <summary>RDS says "available" also before it has begun to modify: what counts is that nothing is left to ask for, or that it rests with what it did not take.</summary>
    private Task<RdsInstance> SetUpAsync(string identifier, InstanceSettings wanted, CancellationToken cancellation)
    {
        long? resting = null;
        return wait.UntilAsync(
            $"set-up of {identifier}",
            async token =>
            {
                var now = await rds.FindInstanceAsync(identifier, token);
                if (now is not { IsAvailable: true, Pending.Count: 0 })
                {
                    resting = null;
                    return new Seen<RdsInstance>(null, now is null ? "not described" : now.Pending.Count > 0 ? $"{now.Status}, pending {string.Join(", ", now.Pending)}" : now.Status);
                }

                resting ??= run.Clock.GetTimestamp();
                return new Seen<RdsInstance>(!RdsApi.CanModify(now, wanted) || run.Clock.GetElapsedTime(resting.Value) > options.Settling ? now : null, "available, not yet as asked");
            },
            last => new FailedCleanException($"{identifier} was not set up in {Measures.Duration(options.Deadline)}; production was not touched.", $"its status is {last}", "repeat the command: it is found and gone on with"),
            cancellation);
    }

    private Task<RdsInstance> AvailableAsync(string identifier, CancellationToken cancellation) => wait.UntilAsync(
        $"instance {identifier}",
        async token =>
        {
            var now = await rds.FindInstanceAsync(identifier, token);
            return now is not null && Failed.Contains(now.Status)
                ? throw new FailedCleanException($"{identifier} cannot be restored; production was not touched.", $"RDS says that it is {now.Status}", now.Status == "deleting" ? $"wait until it is gone (aws rds wait db-instance-deleted --db-instance-identifier {identifier}), then repeat the command: the snapshot is restored anew" : $"aws rds describe-events --source-type db-instance --source-identifier {identifier}   says why; {(RestoreTags.StepOf(now) is RestoreStep.Restoring ? InstanceDeletion.OfFailed(now) : $"it was looked into, so something may use it by now: look first; {InstanceDeletion.Command(now)}")}   deletes it; then repeat the command")
                : new Seen<RdsInstance>(now is { IsAvailable: true, Address: not null } ? now : null, now?.Status ?? "asked for");
        },
        last => new FailedCleanException($"{identifier} did not become available in {Measures.Duration(options.Deadline)}; production was not touched.", $"its status is {last}; RDS goes on", "repeat the command: it is found and waited for; a longer --snapshot-deadline waits longer"),
        cancellation);

    /// <summary>Writes that it was looked into, and what had been counted then, before its endpoint is told to anybody. Another run that is further with it is not set back: what it had counted counts.</summary>
    /// <param name="restored">The instance.</param>
    /// <param name="baseline">What had been counted.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>What had been counted when it was looked into first.</returns>
    public async Task<WriteBaseline> OfferAsync(RdsInstance restored, WriteBaseline baseline, CancellationToken cancellation)
    {
        if (await rds.FindInstanceAsync(restored.Identifier, cancellation) is not { } now)
        {
            // Another run has given it production's name meanwhile, or somebody deleted it: the caller looks who is who.
            return baseline;
        }

        if (RestoreTags.IsOffered(now))
        {
            return WriteBaseline.Parse(now.Tags.GetValueOrDefault(RestoreTags.LookedInto)) ?? baseline;
        }

        await rds.TagAsync(restored.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [RestoreTags.Step] = RestoreTags.Text(RestoreStep.Checked), [RestoreTags.LookedInto] = baseline.ToTag() }, cancellation);
        return baseline;
    }
}
