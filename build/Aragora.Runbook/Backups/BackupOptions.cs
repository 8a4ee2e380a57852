using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Backups;

/// <summary>How a backup is made.</summary>
public sealed record BackupOptions
{
    /// <summary>The folder that holds all backups. Default: null, <c>artifacts/backups</c> below the root of the checkout.</summary>
    public string? Folder { get; init; }

    /// <summary>pg_dump's parallel jobs, each with a connection of its own, and one more for their leader. Default: the machine's cores, at most 4.</summary>
    public int Jobs { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>gzip's level, 0 (none) to 9. Default: 1; level 6, pg_dump's own, takes three times as long for a few percent.</summary>
    public int CompressionLevel { get; init; } = 1;

    /// <summary>How long pg_dump waits for a table that somebody has locked. Default: 30 seconds.</summary>
    public TimeSpan LockWaitTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a dump is started that failed on a lock, or was overtaken by a change of the schema; any other failure is final. Default: 3.</summary>
    public int LockAttempts { get; init; } = 3;

    /// <summary>The pause before the second attempt, doubled for each further one, with up to as much again at random. Default: 2 seconds.</summary>
    public TimeSpan LockRetryPause { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Where pg_dump and pg_restore are looked for. Default: null, the PATH and the usual folders.</summary>
    public IReadOnlyList<string>? ClientFolders { get; init; }

    /// <summary>The hash of the migrations tree, for the evidence. Default: null.</summary>
    public string? TreeHash { get; init; }

    /// <summary>Folders named <c>*.partial</c> that nobody has written to for this long are the remains of a run that died, and are removed. Default: one day.</summary>
    public TimeSpan StalePartialAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The folder that holds all backups, absolute.</summary>
    public string FolderBelow(string root) => Path.GetFullPath(Folder ?? Path.Combine("artifacts", "backups"), root);

    /// <summary>Checks the values.</summary>
    /// <exception cref="BadInputException">A value lies outside its range.</exception>
    public BackupOptions Validated()
    {
        Check(Jobs is >= 1 and <= 64, $"{Jobs} backup jobs", "from 1 to 64");
        Check(CompressionLevel is >= 0 and <= 9, $"compression level {CompressionLevel}", "from 0 to 9");
        Check(LockWaitTimeout > TimeSpan.Zero && LockWaitTimeout <= TimeSpan.FromDays(1), $"a lock wait timeout of {LockWaitTimeout}", "longer than 0 and at most a day");
        Check(LockAttempts is >= 1 and <= 10, $"{LockAttempts} attempts", "from 1 to 10");
        Check(LockRetryPause >= TimeSpan.Zero && LockRetryPause <= TimeSpan.FromMinutes(10), $"a retry pause of {LockRetryPause}", "from 0 to 10 minutes");
        return this;

        static void Check(bool holds, string what, string range)
        {
            if (!holds)
            {
                throw new BadInputException($"The backup cannot be made with {what}.", $"it has to be {range}", "./build.sh Backup --help");
            }
        }
    }
}
