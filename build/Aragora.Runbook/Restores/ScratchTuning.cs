using System.Globalization;

namespace Aragora.Runbook.Restores;

/// <summary>Settings of a server that restores one database, is read once, and is erased: nothing has to survive.</summary>
internal static class ScratchTuning
{
    private const long Megabyte = 1L << 20;

    /// <summary>For a machine, or a container, of this size.</summary>
    /// <param name="memoryBytes">Its memory.</param>
    /// <param name="cores">Its cores.</param>
    public static IReadOnlyDictionary<string, string> For(long memoryBytes, int cores) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["synchronous_commit"] = "off",
        ["autovacuum"] = "off",
        ["jit"] = "off",
        ["archive_mode"] = "off",
        ["shared_buffers"] = Megabytes(memoryBytes / 16, 128, 512),
        ["maintenance_work_mem"] = Megabytes(memoryBytes / 32, 64, 512),
        ["max_parallel_maintenance_workers"] = Math.Clamp(cores / 2, 1, 4).ToString(CultureInfo.InvariantCulture),
        ["max_wal_size"] = "16GB",
        ["checkpoint_timeout"] = "1h",
        ["wal_skip_threshold"] = "0", // to sync costs nothing here, to write the log does
        ["max_connections"] = "50",
        ["max_locks_per_transaction"] = "1024", // a digest locks every table at once
        ["bgwriter_lru_maxpages"] = "0",
    };

    /// <summary>For this machine.</summary>
    public static IReadOnlyDictionary<string, string> ForThisMachine() => For(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, Environment.ProcessorCount);

    private static string Megabytes(long bytes, long least, long most) => string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(bytes / Megabyte, least, most)}MB");
}
