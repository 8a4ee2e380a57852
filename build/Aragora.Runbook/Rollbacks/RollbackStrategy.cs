namespace Aragora.Runbook.Rollbacks;

/// <summary>How a rollback goes back.</summary>
public enum RollbackStrategy
{
    /// <summary>By the revisions' own downgrades.</summary>
    Downgrade,
}
