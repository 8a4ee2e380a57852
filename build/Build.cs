using Nuke.Common;

/// <summary>The database migration runbook, in its order. Each target is a step; each step leaves evidence, and a dependency ensures it.</summary>
sealed partial class Build : NukeBuild
{
    public static int Main() => Guarded(() => Execute<Build>(build => build.Status));

    Target Preflight => _ => _
        .Description("Looks at the databases and the migrations tree before anything is touched: read-only, seconds")
        .Executes(() => PerformAsync(cancellation => Runbook.Inspection.PreflightAsync(cancellation)));

    Target Backup => _ => _
        .Description("Dumps a snapshot of production, with a digest of its content, a manifest and a checksum of every file")
        .DependsOn(Preflight)
        .Executes(() => PerformAsync(cancellation => Runbook.Backups.BackupAsync(cancellation)));

    Target VerifyBackup => _ => _
        .Description("Restores the backup into a scratch server and compares its content with the source's digest")
        .DependsOn(Backup)
        .Executes(() => PerformAsync(cancellation => Runbook.Backups.VerifyBackupAsync(cancellation)));

    Target PruneSnapshots => _ => _
        .Description("Says which RDS snapshots of ours have expired; deletes them with --no-dry-run")
        .After(Backup)
        .Executes(() => PerformAsync(cancellation => Runbook.Snapshots.PruneAsync(cancellation)));

    // Rehearse stands here, between VerifyBackup and MigrateProduction.

    Target MigrateStaging => _ => _
        .Description("Migrates staging, reads the revision back, then runs its smoke tests and asks for its health")
        .DependsOn(Preflight)
        .After(VerifyBackup)
        .Executes(() => PerformAsync(cancellation => Runbook.Migrations.MigrateStagingAsync(cancellation)));

    Target MigrateProduction => _ => _
        .Description("Migrates production, if the gate finds a verified backup and a migrated, green staging")
        .DependsOn(VerifyBackup, MigrateStaging)
        .Triggers(SmokeTest)
        .Executes(() => PerformAsync(cancellation => Runbook.Migrations.MigrateProductionAsync(cancellation)));

    Target Rollback => _ => _
        .Description("Takes a database back, by downgrades or by a backup; stands alone, so that it works when everything else does not")
        .Triggers(SmokeTest)
        .Executes(() => PerformAsync(cancellation => Runbook.Rollbacks.RollbackAsync(cancellation)));

    Target StartApplication => _ => _
        .Description("Puts back what an interrupted rollback stopped")
        .Executes(() => PerformAsync(cancellation => Runbook.Application.StartAsync(cancellation)));

    Target SmokeTest => _ => _
        .Description("Runs the smoke tests against the target environment; on production read-only ones alone")
        .After(MigrateStaging)
        .Triggers(HealthCheck)
        .Executes(() => PerformAsync(cancellation => Runbook.Verification.SmokeTestAsync(cancellation)));

    Target HealthCheck => _ => _
        .Description("Asks the application for its health until it is healthy or the deadline is over")
        .After(MigrateStaging)
        .Executes(() => PerformAsync(cancellation => Runbook.Verification.HealthCheckAsync(cancellation)));

    Target Status => _ => _
        .Description("Shows revision, heads and pending migrations of each environment, and what an interrupted run left")
        .Executes(() => PerformAsync(cancellation => Runbook.Inspection.StatusAsync(cancellation)));

    Target History => _ => _
        .Description("Lists the migrations, with where each environment stands")
        .Executes(() => PerformAsync(cancellation => Runbook.Inspection.HistoryAsync(cancellation)));

    Target NewMigration => _ => _
        .Description("Writes a new, empty migration (--message \"...\"; --autogenerate compares the models with the database)")
        .Executes(() => PerformAsync(cancellation => Runbook.Inspection.NewMigrationAsync(cancellation)));

    Target LocalUp => _ => _
        .Description("Makes the local stack: a throwaway PostgreSQL with staging and production, and a health service")
        .Executes(() => PerformAsync(cancellation => Runbook.Inspection.LocalUpAsync(cancellation)));

    Target LocalDown => _ => _
        .Description("Stops and erases the local stack")
        .Executes(() => PerformAsync(cancellation => Runbook.Inspection.LocalDownAsync(cancellation)));

    Target Contacts => _ => _
        .Description("Whom to call")
        .Executes(() => PerformAsync(cancellation => ContactsAsync(cancellation)));

    Target Benchmark => _ => _
        .Description("Measures what proof costs against the runbook's own commands, and writes docs/benchmarks.md")
        .Executes(() => PerformAsync(cancellation => Runbook.Benchmarks.RunAsync(cancellation)));

    Target Test => _ => _
        .Description("Builds and runs every test of this repository")
        .Executes(() => PerformAsync(TestAsync));
}
