using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>What rollbacks by snapshot left among the instances.</summary>
/// <param name="Lines">For people, one each; none where there is nothing to say.</param>
/// <param name="Trouble">Why nobody bears production's name, and what to type; null where somebody does.</param>
public sealed record SnapshotLeftovers(IReadOnlyList<string> Lines, RunbookException? Trouble)
{
    /// <summary>Tells.</summary>
    /// <param name="instances">Every instance.</param>
    /// <param name="name">Production's.</param>
    public static SnapshotLeftovers Tell(IReadOnlyList<RdsInstance> instances, string name)
    {
        var bearer = instances.FirstOrDefault(instance => instance.Identifier == name);
        var lines = new List<string> { bearer is null ? $"nobody bears the name {name}" : $"{name} is {bearer.Status} at {bearer.Endpoint}{(RestoreTags.StepOf(bearer) is RestoreStep.Switched ? $", restored from {bearer.Tags.GetValueOrDefault(RestoreTags.Snapshot)} by run {bearer.Tags.GetValueOrDefault(SnapshotTags.RunId)}" : "")}" };
        RunbookException? trouble = null;
        foreach (var restored in instances.Where(instance => instance.Tags.GetValueOrDefault(RestoreTags.RestoreOf) == name && RestoreTags.InProgressFrom(instance) is not null))
        {
            var snapshot = RestoreTags.InProgressFrom(restored)!;
            var step = RestoreTags.StepOf(restored);
            var command = $"./build.sh Rollback --target-environment Production --strategy Snapshot {RdsOptions.InstanceSwitch} {name} --snapshot-identifier {snapshot}{(step is RestoreStep.Switching ? " --switch Rename" : "")}";
            lines.Add($"{restored.Identifier}, restored from {snapshot} by run {restored.Tags.GetValueOrDefault(SnapshotTags.RunId, "?")}, is {step.ToString()!.ToLowerInvariant()} ({restored.Status}): {command}   goes on with it. It costs as long as it stands; whoever deletes it looks first whether something was pointed at it");
            if (step is RestoreStep.Switching && !IsWhereItWas(bearer, restored))
            {
                trouble = new NeedsPersonException(
                    bearer is null ? $"Nobody bears the name {name}: production's endpoint leads nowhere." : $"The exchange of names around {name} has not come to its end.",
                    $"run {restored.Tags.GetValueOrDefault(SnapshotTags.RunId, "?")} is at it, or died: the old instance is or was to become {restored.Tags.GetValueOrDefault(RestoreTags.KeptAs, "?")}, and {restored.Identifier} is or was to become {name}",
                    $"{command}   finishes it");
            }
        }

        lines.AddRange(instances.Where(instance => instance.Tags.GetValueOrDefault(RestoreTags.KeptOf) == name && instance.Identifier != name)
            .Select(kept => $"{kept.Identifier} is what {name} was before {kept.Tags.GetValueOrDefault(RestoreTags.KeptFor)} was restored, {DataSize.Text(kept.StorageGib * 1024L * 1024 * 1024)}; when nobody needs it any more, somebody deletes it: {InstanceDeletion.Command(kept)}"));
        lines.AddRange(instances.Where(instance => instance.Identifier != name && IsLetGo(instance, name))
            .Select(letGo => $"{letGo.Identifier}, restored from {letGo.Tags.GetValueOrDefault(RestoreTags.Snapshot, "?")} by run {letGo.Tags.GetValueOrDefault(SnapshotTags.RunId, "?")}, lost its tag {RestoreTags.RestoreOf}: no run takes it any more, and it costs as long as it stands; whoever deletes it looks first whether something was pointed at it: {InstanceDeletion.Command(letGo)}"));
        return new SnapshotLeftovers(lines, trouble);
    }

    /// <summary>The original bears its name, and no rename of it has begun: an exchange was only intended. It may itself be what an earlier rollback restored.</summary>
    private static bool IsWhereItWas(RdsInstance? bearer, RdsInstance restored) => bearer is { Status: not "renaming" } && !RestoreTags.IsSame(bearer, restored);

    /// <summary>Somebody took the tag away that makes a run go on with it, so that its snapshot is restored anew: nothing else remembers it.</summary>
    private static bool IsLetGo(RdsInstance instance, string name) =>
        !instance.Tags.ContainsKey(RestoreTags.RestoreOf) && !instance.Tags.ContainsKey(RestoreTags.KeptOf) && instance.Tags.GetValueOrDefault(RestoreTags.RestoredAs) == RdsNames.Restored(name, instance.Tags.GetValueOrDefault(SnapshotTags.RunId, ""));
}
