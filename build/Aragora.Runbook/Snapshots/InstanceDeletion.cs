using Aragora.Runbook.Adapters.Rds;

namespace Aragora.Runbook.Snapshots;

/// <summary>What somebody types to delete an instance that nobody needs any more; this build never does.</summary>
internal static class InstanceDeletion
{
    /// <summary>The command. A restored instance has its original's protection, and RDS refuses to delete one that has it.</summary>
    /// <param name="name">The name that the instance bears.</param>
    /// <param name="isProtected">Whether it is protected from deletion.</param>
    public static string Command(string name, bool isProtected) => $"{Deleting(name, isProtected)} --final-db-snapshot-identifier {name}-final";

    /// <summary>The command for an instance as it is.</summary>
    public static string Command(RdsInstance instance) => Command(instance.Identifier, instance.Settings.DeletionProtection);

    /// <summary>The command for one that never held anything, of which RDS takes no snapshot.</summary>
    public static string OfFailed(RdsInstance instance) => $"{Deleting(instance.Identifier, instance.Settings.DeletionProtection)} --skip-final-snapshot";

    private static string Deleting(string name, bool isProtected) =>
        $"{(isProtected ? $"aws rds modify-db-instance --db-instance-identifier {name} --no-deletion-protection --apply-immediately && " : "")}aws rds delete-db-instance --db-instance-identifier {name}";
}
