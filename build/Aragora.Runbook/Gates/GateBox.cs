namespace Aragora.Runbook.Gates;

/// <summary>The boxes of the runbook's checklist, in its order.</summary>
public enum GateBox
{
    /// <summary>A backup of this very database, taken since its last migration, was restored and compared.</summary>
    VerifiedBackup,

    /// <summary>Staging is at the very revision asked for, brought there by this very tree, with green smoke tests and health.</summary>
    StagingMigrated,

    /// <summary>Every pending revision can be undone, and how long a restore of the backup takes was measured.</summary>
    RollbackPrepared,

    /// <summary>The maintenance window is open, or none is set.</summary>
    MaintenanceWindow,

    /// <summary>The team knows; somebody says so.</summary>
    TeamNotified,

    /// <summary>The dashboards are open; somebody says so.</summary>
    DashboardsOpen,
}

/// <summary>The boxes that no machine can tick yet: somebody attests them by name.</summary>
public enum AttestableBox
{
    /// <summary><see cref="GateBox.TeamNotified"/>.</summary>
    TeamNotified,

    /// <summary><see cref="GateBox.DashboardsOpen"/>.</summary>
    DashboardsOpen,
}

/// <summary>One box.</summary>
/// <param name="Box">Which.</param>
/// <param name="Ticked">Whether it is ticked.</param>
/// <param name="Finding">By what evidence, or what is missing.</param>
/// <param name="Next">The command that ticks it.</param>
public sealed record BoxState(GateBox Box, bool Ticked, string Finding, string Next);

/// <summary>How one box of the checklist is looked at.</summary>
internal interface IGateBox
{
    /// <summary>Looks.</summary>
    BoxState Look(GateSubject subject);
}
