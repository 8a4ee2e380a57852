using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Verification;

/// <summary>What a verification that is not green means for the run: only the caller knows what happened before it.</summary>
public enum AfterFailure
{
    /// <summary>Nothing was changed before: <see cref="FailedCleanException"/> (exit code 4).</summary>
    Clean,

    /// <summary>A migration was done before: <see cref="NeedsPersonException"/> (exit code 5).</summary>
    NeedsPerson,

    /// <summary>A rollback was done before, and another one is no advice: <see cref="NeedsPersonException"/> (exit code 5).</summary>
    RolledBack,
}

/// <summary>Makes the exception of the right kind.</summary>
internal static class AfterFailureExtensions
{
    public static RunbookException Failure(this AfterFailure after, string what, string why, string next, Exception? inner = null) =>
        after != AfterFailure.Clean ? new NeedsPersonException(what, why, next, inner) : new FailedCleanException(what, why, next, inner);
}
