namespace Aragora.Runbook.Rollbacks;

/// <summary>How a rollback goes back.</summary>
public enum RollbackStrategy
{
    /// <summary>The least destructive way that works; it says which, and why.</summary>
    Auto,

    /// <summary>By the revisions' own downgrades.</summary>
    Downgrade,

    /// <summary>By a backup: restored beside, compared, and swapped by name.</summary>
    Restore,
}
