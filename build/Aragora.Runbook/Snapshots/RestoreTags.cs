using Aragora.Runbook.Adapters.Rds;

namespace Aragora.Runbook.Snapshots;

/// <summary>How far a rollback by snapshot is, written on the instances themselves: a run on another machine goes on where one died.</summary>
public static class RestoreTags
{
    /// <summary>On a restored instance: the name of the original whose place it is to take.</summary>
    public const string RestoreOf = "aragora:restore-of";

    /// <summary>On a restored instance: the snapshot that it is from.</summary>
    public const string Snapshot = "aragora:restore-snapshot";

    /// <summary>On a restored instance: how far it is; see <see cref="RestoreStep"/>.</summary>
    public const string Step = "aragora:step";

    /// <summary>On a restored instance, once names are exchanged: the name that the original is kept under.</summary>
    public const string KeptAs = "aragora:kept-as";

    /// <summary>On a restored instance: the name that it was restored under.</summary>
    public const string RestoredAs = "aragora:restored-as";

    /// <summary>On a restored instance: what its server had counted when its database was looked into; see <see cref="WriteBaseline"/>.</summary>
    public const string LookedInto = "aragora:looked-into";

    /// <summary>On an original that is kept: the name that it had.</summary>
    public const string KeptOf = "aragora:kept-of";

    /// <summary>On an original that is kept: the snapshot that was restored in its place.</summary>
    public const string KeptFor = "aragora:kept-for";

    /// <summary>The step that an instance is at; null where it is none of ours.</summary>
    public static RestoreStep? StepOf(RdsInstance instance) =>
        !instance.Tags.ContainsKey(RestoreOf) || !instance.Tags.TryGetValue(Step, out var text) || !Enum.TryParse<RestoreStep>(text, ignoreCase: true, out var step) ? null

        // A run that is behind may write "checked" over another's "switching"; what only the exchange of names writes stays.
        : step is RestoreStep.Checked && instance.Tags.ContainsKey(KeptAs) ? RestoreStep.Switching
        : step;

    /// <summary>The snapshot that an instance is being restored from; null where it is none of ours, or in its place already.</summary>
    public static string? InProgressFrom(RdsInstance instance) => StepOf(instance) is { } step && step != RestoreStep.Switched ? instance.Tags.GetValueOrDefault(Snapshot) : null;

    /// <summary>Whether its database was looked into, so that its endpoint may have been handed out.</summary>
    public static bool IsOffered(RdsInstance instance) => StepOf(instance) is RestoreStep.Checked or RestoreStep.Switching;

    /// <summary>Whether both are the one restored instance, under whatever names: the name that it was restored under is no other's.</summary>
    public static bool IsSame(RdsInstance instance, RdsInstance restored) => instance.Tags.TryGetValue(RestoredAs, out var one) && restored.Tags.TryGetValue(RestoredAs, out var other) && one == other;

    /// <summary>The text of a step.</summary>
    public static string Text(RestoreStep step) => step.ToString().ToLowerInvariant();
}

/// <summary>How far a restored instance is.</summary>
public enum RestoreStep
{
    /// <summary>RDS was asked for it.</summary>
    Restoring,

    /// <summary>Somebody says, by hand, that nobody has written to it: it is looked into anew.</summary>
    Configured,

    /// <summary>Its database was looked into.</summary>
    Checked,

    /// <summary>Names are being exchanged.</summary>
    Switching,

    /// <summary>It bears the original's name.</summary>
    Switched,
}
