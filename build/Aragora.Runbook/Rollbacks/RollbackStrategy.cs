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

    /// <summary>By an RDS snapshot: restored into a new instance, looked into, and given the old one's name where that is wanted. Never chosen by <see cref="Auto"/>.</summary>
    Snapshot,
}
