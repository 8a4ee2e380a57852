using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;

namespace Aragora.Runbook.Preflight;

/// <summary>A client program, such as pg_dump.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Version">Its version, such as 15.18.</param>
public sealed record ClientProgram(string Path, Version Version);

/// <summary>What the preflight knows of the checkout and this machine, and from when on it worries.</summary>
public sealed record PreflightOptions
{
    /// <summary>Loads the migrations tree; what it throws becomes a refusal.</summary>
    public required Func<CancellationToken, Task<MigrationsTree>> LoadTree { get; init; }

    /// <summary>Finds the pg_dump that a backup of a server of this major version would use; null where there is none.</summary>
    public required Func<int, CancellationToken, Task<ClientProgram?>> FindPgDump { get; init; }

    /// <summary>Asks a pg_dump which of a server's notes it takes along; null where it cannot say. Default: it cannot.</summary>
    public Func<DatabaseEnvironment, ClientProgram, ServersNotes, CancellationToken, Task<IReadOnlySet<string>?>> AskPgDump { get; init; } = (_, _, _, _) => Task.FromResult<IReadOnlySet<string>?>(null);

    /// <summary>Finds the version of this machine's server programs that would restore a backup for a trial; null where it is restored elsewhere. Default: elsewhere.</summary>
    public Func<int, CancellationToken, Task<Version?>> FindScratchServer { get; init; } = (_, _) => Task.FromResult<Version?>(null);

    /// <summary>The folder that backups go to; need not exist yet.</summary>
    public required string BackupFolder { get; init; }

    /// <summary>Whether a migration follows; a backup alone asks for no right to migrate. Default: yes.</summary>
    public bool Migrates { get; init; } = true;

    /// <summary>What is asked beside the databases: runners and other surroundings. Default: nothing.</summary>
    public IReadOnlyList<EnvironmentCheck> Surroundings { get; init; } = [];

    /// <summary>Where the migration is to go; null for the only head.</summary>
    public string? TargetRevision { get; init; }

    /// <summary>Free bytes where a path lies. Default: the drive's.</summary>
    public Func<string, long> FreeBytes { get; init; } = path => new DriveInfo(path).AvailableFreeSpace;

    /// <summary>From when on a transaction is long. Default: 5 minutes.</summary>
    public TimeSpan LongTransaction { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The share of connections in use that is worth a warning. Default: 0.8.</summary>
    public double ConnectionShare { get; init; } = 0.8;

    /// <summary>Connections that what follows needs: the lock, the migration, the dump's jobs. Default: 6.</summary>
    public int ConnectionsNeeded { get; init; } = 6;

    /// <summary>How far a replica may lag. Default: 30 seconds.</summary>
    public TimeSpan ReplicaLag { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How much WAL a replica or an inactive slot may keep, bytes. Default: 1 GB.</summary>
    public long RetainedBytes { get; init; } = 1_000_000_000;

    /// <summary>The share of <c>autovacuum_freeze_max_age</c> that is worth a warning. Default: 0.95.</summary>
    public double FreezeShare { get; init; } = 0.95;

    /// <summary>The transaction id age beyond which nothing else is done before a VACUUM. Default: 1.6 billion, PostgreSQL's own <c>vacuum_failsafe_age</c>.</summary>
    public long FreezeRefusalAge { get; init; } = 1_600_000_000;

    /// <summary>The size of a database below which room on the server is no worry, bytes. Default: 1 GB.</summary>
    public long SmallDatabaseBytes { get; init; } = 1_000_000_000;

    /// <summary><c>statement_timeout</c> of the checks. Default: 10 seconds.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>lock_timeout</c> of the checks. Default: 1 second.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Sessions per database that the checks are spread over. Default: 3.</summary>
    public int Sessions { get; init; } = 3;
}
