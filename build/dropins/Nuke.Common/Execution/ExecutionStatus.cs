namespace Nuke.Common.Execution;

/// <summary>How far a target got.</summary>
public enum ExecutionStatus
{
    None,
    Scheduled,

    /// <summary>It was to run, and the build ended before.</summary>
    NotRun,
    Skipped,
    Succeeded,
    Failed,
    Running,

    /// <summary>It ran when the build was interrupted.</summary>
    Aborted,

    /// <summary>It has no actions of its own.</summary>
    Collective,
}
