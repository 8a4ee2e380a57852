using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Inputs;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Snapshots;
using Nuke.Common;
using Nuke.Common.IO;

/// <summary>Every parameter: from the command line, an environment variable of its name, or .nuke/parameters.json.</summary>
sealed partial class Build
{
    // Which databases

    [Parameter("Staging's database, as a postgresql:// URL; give it as STAGING_DATABASE_URL. With neither database named: the local stack")]
    [Secret]
    readonly string? StagingDatabaseUrl;

    [Parameter("Production's database, as a postgresql:// URL; give it as PRODUCTION_DATABASE_URL")]
    [Secret]
    readonly string? ProductionDatabaseUrl;

    [Parameter("Where staging's health is asked")]
    readonly Uri? StagingHealthUrl;

    [Parameter("Where production's health is asked")]
    readonly Uri? ProductionHealthUrl;

    [Parameter("Tells staging from production where one is a physical clone of the other")]
    readonly string? StagingEnvironmentId;

    [Parameter("Tells production from a physical clone of it")]
    readonly string? ProductionEnvironmentId;

    [Parameter("The environment that SmokeTest, HealthCheck, Status and Rollback are about: Staging or Production")]
    [CommandLineOnly]
    readonly TargetEnvironment? TargetEnvironment;

    // Migrations

    [Parameter("The revision to migrate or roll back to: an id, head, base, +1, -1. Default: head for a migration")]
    [CommandLineOnly]
    readonly string? Revision;

    [Parameter("The folder of the Alembic tree. Default: migrations")]
    readonly AbsolutePath? MigrationsDirectory;

    [Parameter("The Alembic configuration. Default: alembic.ini in the migrations directory")]
    readonly AbsolutePath? AlembicConfig;

    [Parameter("The environment variables in which Alembic and the smoke tests find the URL. Default: DATABASE_URL ARAGORA_POSTGRES_DSN")]
    readonly string[]? DatabaseUrlVariables;

    [Parameter("The scheme of that URL, such as postgresql+asyncpg. Default: postgresql")]
    readonly string? DatabaseUrlScheme;

    // Migrations in Docker Compose

    [Parameter("The Compose files, separated by ':' (on Windows ';') as in Compose's own COMPOSE_FILE. Default: what Compose finds in the checkout, else migrations/compose.yaml")]
    readonly ComposeFiles? ComposeFile;

    [Parameter("Compose's project. Default: Compose chooses")]
    readonly string? ComposeProject;

    [Parameter("The Compose service that holds Alembic and the migrations. Default: aragora-api")]
    readonly string? ComposeService;

    // Where migrations run

    [Parameter("Where staging's migrations run: Local, DockerCompose or Kubernetes. Default: Local")]
    readonly Runner? StagingRunner;

    [Parameter("Where production's migrations run: Local, DockerCompose or Kubernetes. Default: Local")]
    readonly Runner? ProductionRunner;

    [Parameter("How long a migration's statement may wait for a lock. Default: 5s")]
    readonly Duration? LockTimeout;

    [Parameter("How long a migration's statement may run. Default: without limit")]
    readonly Duration? StatementTimeout;

    [Parameter("How long to wait for another migration of the same database to end. Default: not at all")]
    readonly Duration? SingleFlightWait;

    [Parameter("The message of a new migration")]
    readonly string? Message;

    [Parameter("Lets Alembic compare the models with the database for a new migration")]
    readonly bool Autogenerate;

    // Migrations in Kubernetes

    [Parameter("kubectl's configuration, one file or several as KUBECONFIG lists them. Default: kubectl's, else the cluster that this runs in")]
    readonly string? Kubeconfig;

    [Parameter("Staging's context in it. Default: the current one")]
    readonly string? StagingKubernetesContext;

    [Parameter("Production's context in it. Default: the current one")]
    readonly string? ProductionKubernetesContext;

    [Parameter("Staging's namespace. Default: the job file's, else the context's")]
    readonly string? StagingNamespace;

    [Parameter("Production's namespace. Default: the job file's, else the context's")]
    readonly string? ProductionNamespace;

    [Parameter("Reaches staging's database through a pod of the cluster: pod/NAME:5432 or service/NAME:5432. Default: directly")]
    readonly PortForwardTarget? StagingPortForward;

    [Parameter("Reaches production's database through a pod of the cluster: pod/NAME:5432 or service/NAME:5432. Default: directly")]
    readonly PortForwardTarget? ProductionPortForward;

    [Parameter("The job file: one Job whose container runs alembic upgrade. Default: migrations/jobs/migration-job.yaml")]
    readonly AbsolutePath? MigrationJob;

    [Parameter("The image that holds Alembic and this checkout's migrations. Default: the job file's")]
    readonly string? MigrationImage;

    [Parameter("The service account of the migration's pod. Default: the job file's")]
    readonly string? MigrationServiceAccount;

    [Parameter("The Secret with the database's URL, as the pod reaches it. Default: the job file's")]
    readonly string? MigrationSecret;

    [Parameter("CPU of the migration's pod, requested and at most, such as 500m. Default: the job file's")]
    readonly string? MigrationCpu;

    [Parameter("Memory of the migration's pod, requested and at most, such as 512Mi. Default: the job file's")]
    readonly string? MigrationMemory;

    [Parameter("How long a migration's Job may run before Kubernetes ends it. Default: the job file's, else 1h")]
    readonly Duration? MigrationDeadline;

    [Parameter("How long a finished Job stays to be read. Default: the job file's, else 24h")]
    readonly Duration? MigrationRetention;

    // Backups and evidence

    [Parameter("Where backups go. Default: artifacts/backups")]
    readonly AbsolutePath? BackupDirectory;

    [Parameter("An older backup for VerifyBackup, or the one for Rollback: its folder, or its name", Name = "Backup")]
    [CommandLineOnly]
    readonly string? BackupName;

    [Parameter("Tables dumped at a time. Default: the cores, at most 4")]
    readonly int? BackupJobs;

    [Parameter("A server to restore backups into for a trial, as a superuser's postgresql:// URL; give it as SCRATCH_SERVER_URL. Default: one is made and erased")]
    [Secret]
    readonly string? ScratchServerUrl;

    [Parameter("Makes all evidence anew, also where valid evidence is found")]
    readonly bool Fresh;

    [Parameter("A folder with evidence from other jobs or machines")]
    readonly AbsolutePath? EvidenceDirectory;

    [Parameter("Signs evidence (HMAC-SHA-256), and refuses what is not signed with it")]
    [Secret]
    readonly string? EvidenceKey;

    [Parameter("How long evidence is believed. Default: 24h")]
    [CommandLineOnly]
    readonly Duration? EvidenceLifetime;

    // RDS

    [Parameter("Production's RDS instance: Backup snapshots it beside the dump. Credentials and region are the AWS SDK's own. Default: none")]
    readonly string? ProductionDbInstanceIdentifier;

    [Parameter("After how long a snapshot of ours may be pruned. Default: 30d")]
    readonly Duration? SnapshotRetention;

    [Parameter("How long a snapshot, a restore or a rename may take, each. Default: 2h")]
    readonly Duration? SnapshotDeadline;

    [Parameter("Lets Backup say which snapshots of ours have expired, and delete them with --no-dry-run", Name = "PruneSnapshots")]
    readonly bool PruneAfterBackup;

    [Parameter("Lets pruning delete, instead of only saying what it would")]
    [CommandLineOnly]
    readonly bool NoDryRun;

    [Parameter("The RDS snapshot that Rollback --strategy Snapshot restores")]
    [CommandLineOnly]
    readonly string? SnapshotIdentifier;

    [Parameter("What becomes of a restored instance: Print its endpoint, or Rename it so that the endpoint stays. Default: Print")]
    [CommandLineOnly]
    readonly SwitchMode? Switch;

    // The gate

    [Parameter("When production may be migrated, such as \"Sun 02:00-04:00 Europe/Berlin\". Default: always")]
    readonly MaintenanceWindow? MaintenanceWindow;

    [Parameter("What you attest by name: TeamNotified,DashboardsOpen", Separator = ",")]
    [CommandLineOnly]
    readonly AttestableBox[]? Attest;

    [Parameter("Passes boxes of production's gate by that are not ticked, the last resort, such as VerifiedBackup,RollbackPrepared; wants --because", Separator = ",")]
    [CommandLineOnly]
    readonly GateBox[]? Override;

    [Parameter("Why boxes are overridden; goes into journal, evidence and report")]
    [CommandLineOnly]
    readonly string? Because;

    // Rollback

    [Parameter("How Rollback goes back: Auto, Downgrade, Restore or Snapshot. Default: Auto, the least destructive that works; never Snapshot")]
    [CommandLineOnly]
    readonly RollbackStrategy? Strategy;

    [Parameter("Accepts that a downgrade destroys data")]
    [CommandLineOnly]
    readonly bool AcceptDataLoss;

    [Parameter("Accepts that a restore loses so many writes since its backup: a number, or unknown")]
    [CommandLineOnly]
    readonly AcceptedWrites? AcceptLostWrites;

    // The application around a restore

    [Parameter("What a restore of staging stops and starts again: deployment/NAME, statefulset/NAME or compose/SERVICE, several with commas. Default: nothing", Separator = ",")]
    readonly ApplicationName[]? StagingApplication;

    [Parameter("What a restore of production stops and starts again: deployment/NAME, statefulset/NAME or compose/SERVICE, several with commas. Default: nothing", Separator = ",")]
    readonly ApplicationName[]? ProductionApplication;

    [Parameter("Suspends Argo CD and Flux where they would start a stopped application again, and puts them back afterwards")]
    [CommandLineOnly]
    readonly bool SuspendGitops;

    [Parameter("The revisions that the running application works with, where its health endpoint does not say so, or is wrong", Separator = ",")]
    [CommandLineOnly]
    readonly string[]? ApplicationRevisions;

    [Parameter("How long the application may take to stop, and again to come back. Default: 5min")]
    readonly Duration? ApplicationTimeout;

    // Verification

    [Parameter("The pytest suite. Default: tests/integration/test_database.py")]
    readonly AbsolutePath? SmokeSuite;

    [Parameter("Lets smoke tests write to production")]
    [CommandLineOnly]
    readonly bool AllowSmokeWrites;

    [Parameter("How long the application may take to become healthy. Default: 60s")]
    readonly Duration? HealthTimeout;

    // The benchmark

    [Parameter("Size of the benchmark's database in MB. Default: 500")]
    readonly int? BenchmarkMegabytes;

    [Parameter("How often the benchmark measures. Default: 5")]
    readonly int? BenchmarkRuns;

    // People

    [Parameter("Emergency contacts: \"Role=Contact; Role=Contact\", or a JSON file. Default: the runbook's", Name = "Contacts")]
    readonly string? ContactList;
}

/// <summary>Marks a parameter that is dangerous: it counts from the command line alone.</summary>
[AttributeUsage(AttributeTargets.Field)]
sealed class CommandLineOnlyAttribute : Attribute;
