using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Snapshots;

/// <summary>Who is who among the instances, as their names and tags tell: also in the middle of an exchange of names, when nobody bears the original's.</summary>
/// <param name="Name">The original's name.</param>
/// <param name="Snapshot">The snapshot that is restored.</param>
/// <param name="Original">The instance that was production, under whatever name; null where it cannot be told.</param>
/// <param name="Restored">The one restored from the snapshot, under whatever name; null where there is none yet.</param>
public sealed record RestoreSituation(string Name, string Snapshot, RdsInstance? Original, RdsInstance? Restored)
{
    /// <summary>How far the restored one is; null where there is none.</summary>
    public RestoreStep? Step => Restored is null ? null : RestoreTags.StepOf(Restored);

    /// <summary>Whether the restored one bears the name.</summary>
    public bool IsSwitched => Restored?.Identifier == Name;

    /// <summary>
    /// Whether names are being exchanged, or were. The tag alone says what was intended: a run that died, or was refused, before its first rename left the original where it was, and
    /// what was written there since has to be accepted anew.
    /// </summary>
    public bool IsExchangeBegun => IsSwitched || Step is RestoreStep.Switched || (Step is RestoreStep.Switching && (Original is null || Original.Identifier != Name || Original.Status == "renaming"));

    /// <summary>Asks RDS.</summary>
    /// <exception cref="NeedsPersonException">There are several restored ones that could be meant.</exception>
    public static async Task<RestoreSituation> ReadAsync(RdsApi rds, string name, string snapshot, CancellationToken cancellation) => Tell(await rds.ListInstancesAsync(cancellation), name, snapshot);

    /// <summary>Tells who is who.</summary>
    public static RestoreSituation Tell(IReadOnlyList<RdsInstance> instances, string name, string snapshot)
    {
        var bearer = instances.FirstOrDefault(instance => instance.Identifier == name);
        var restored = instances.Where(instance => IsRestored(instance) && (instance.Identifier == name || RestoreTags.StepOf(instance) != RestoreStep.Switched)).ToList();
        if (restored.Count > 1)
        {
            throw new NeedsPersonException(
                $"Several instances say that they were restored from {snapshot}: {string.Join(", ", restored.Select(instance => instance.Identifier))}.",
                "two runs were at work at once, and nobody can tell which is meant",
                $"aws rds remove-tags-from-resource --tag-keys {RestoreTags.RestoreOf} --resource-name <arn>   for each that is not meant; then repeat the command");
        }

        var kept = instances.FirstOrDefault(instance => instance.Tags.GetValueOrDefault(RestoreTags.KeptOf) == name && instance.Tags.GetValueOrDefault(RestoreTags.KeptFor) == snapshot && instance.Identifier != name);
        var one = restored.Count == 1 ? restored[0] : null;
        return new RestoreSituation(name, snapshot, bearer is not null && bearer != one ? bearer : kept, one);

        bool IsRestored(RdsInstance instance) => instance.Tags.GetValueOrDefault(RestoreTags.RestoreOf) == name && instance.Tags.GetValueOrDefault(RestoreTags.Snapshot) == snapshot && RestoreTags.StepOf(instance) is not null;
    }
}
