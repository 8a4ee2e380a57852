namespace Nuke.Common;

/// <summary>Switches parts of the console output off for the build it stands on.</summary>
[AttributeUsage(AttributeTargets.Class)]
public class DisableDefaultOutputAttribute : Attribute
{
    /// <summary>Without arguments, all parts.</summary>
    public DisableDefaultOutputAttribute(params DefaultOutput[] disabledOutputs) =>
        DisabledOutputs = disabledOutputs.Length > 0 ? disabledOutputs : Enum.GetValues<DefaultOutput>();

    /// <summary>The parts that are off.</summary>
    public DefaultOutput[] DisabledOutputs { get; }

    /// <summary>Whether the attribute counts for this run.</summary>
    public virtual bool IsApplicable(INukeBuild build) => true;
}

/// <summary>The parts of the console output.</summary>
public enum DefaultOutput
{
    Logo,
    TargetHeader,
    TargetCollapse,
    ErrorsAndWarnings,
    TargetOutcome,
    BuildOutcome,
    Timestamps,
}
