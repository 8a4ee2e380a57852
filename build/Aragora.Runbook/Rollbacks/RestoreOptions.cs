using Aragora.Runbook.Backups;

namespace Aragora.Runbook.Rollbacks;

/// <summary>How a restore beside and swap is done.</summary>
public sealed record RestoreOptions
{
    /// <summary>Where backups are, how many jobs restore, where clients are looked for.</summary>
    public required BackupOptions Backup { get; init; }

    /// <summary>How many writes since the backup may be lost. Default: none.</summary>
    public AcceptedWrites Accepted { get; init; } = AcceptedWrites.None;

    /// <summary>How long to wait for another run on the same database. Default: zero, which refuses at once.</summary>
    public TimeSpan SingleFlightWait { get; init; } = TimeSpan.Zero;

    /// <summary>How often the guarding session proves that it still has the lock. Default: 2 seconds.</summary>
    public TimeSpan GuardHeartbeat { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Told of a database that was exchanged, or may have been, before evidence of it is written. Default: null. It must not throw.</summary>
    public Action<Environments.DatabaseEnvironment>? Moved { get; init; }

    /// <summary>A migration that goes on without its run, in a cluster or a container: it would migrate the restored database again. Default: null, nobody is asked.</summary>
    public Func<Environments.DatabaseEnvironment, CancellationToken, Task<Migrations.RunningMigration?>>? Running { get; init; }

    /// <summary>The application of an environment, which is stopped for the exchange. Default: null, none is.</summary>
    public Func<Environments.DatabaseEnvironment, Applications.ApplicationControl>? Application { get; init; }

    /// <summary>Free bytes where a folder is, for tests. Default: the file system's.</summary>
    public Func<string, long> FreeBytes { get; init; } = DiskSpace.FreeBytes;
}
