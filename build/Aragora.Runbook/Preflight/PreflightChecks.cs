namespace Aragora.Runbook.Preflight;

/// <summary>All checks of a database, in the order in which people read them.</summary>
public static class PreflightChecks
{
    /// <summary>The list.</summary>
    public static IReadOnlyList<PreflightCheck> All { get; } =
    [
        IdentityChecks.Primary,
        VersionChecks.Server,
        VersionChecks.Client,
        RevisionChecks.Pending,
        RightsChecks.Identify,
        RightsChecks.Migrate,
        RightsChecks.Dump,
        RightsChecks.CreateDatabase,
        RightsChecks.Signal,
        RightsChecks.Monitor,
        ActivityChecks.LongTransactions,
        ActivityChecks.Prepared,
        ActivityChecks.Blockers,
        CapacityChecks.Connections,
        CapacityChecks.DiskHere,
        CapacityChecks.DiskThere,
        ReplicationChecks.Replicas,
        ReplicationChecks.Slots,
        CatalogueChecks.InvalidIndexes,
        CatalogueChecks.Wraparound,
    ];
}
