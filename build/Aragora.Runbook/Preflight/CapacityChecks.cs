using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Preflight;

/// <summary>Connections and room.</summary>
public static class CapacityChecks
{
    /// <summary>What the server, the database and the role allow, against what is in use.</summary>
    public static PreflightCheck Connections { get; } = new("connections", "Connection headroom", async (subject, cancellation) =>
    {
        var rows = await subject.Session.QueryAsync(
            """
            SELECT 'the server (max_connections)', s.setting::int
                     - (SELECT sum(r.setting::int) FROM pg_settings r WHERE r.name IN ('superuser_reserved_connections', 'reserved_connections'))::int,
                   (SELECT sum(numbackends) FROM pg_stat_database)::int
            FROM pg_settings s WHERE s.name = 'max_connections'
            UNION ALL
            SELECT 'the database (CONNECTION LIMIT)', datconnlimit, (SELECT sum(numbackends) FROM pg_stat_database p WHERE p.datname = current_database())::int
            FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0
            UNION ALL
            SELECT 'the role (CONNECTION LIMIT)', rolconnlimit, (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user)::int
            FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0
            """,
            row => (Of: row.GetString(0), Limit: row.GetInt32(1), Used: row.GetInt32(2)),
            cancellation);
        var tightest = rows.MinBy(row => row.Limit - row.Used);
        var text = $"{tightest.Used} of {tightest.Limit} in use, of {tightest.Of}";
        const string Next = "end idle sessions (SELECT pid, usename, application_name, state FROM pg_stat_activity), lower the application's pool, or raise the limit";
        return tightest.Limit - tightest.Used < subject.Options.ConnectionsNeeded ? new Finding.Refusal($"{text}: what follows needs {subject.Options.ConnectionsNeeded}", Next)
            : rows.Any(row => row.Used > row.Limit * subject.Options.ConnectionShare) ? new Finding.Warning(text, Next)
            : new Finding.Ok(text);
    });

    /// <summary>Room for the backup where it is written.</summary>
    public static PreflightCheck DiskHere { get; } = new("disk-here", "Disk for the backup", async (subject, cancellation) =>
    {
        var size = await subject.Session.ScalarAsync<long>("SELECT pg_database_size(current_database())", cancellation);
        var folder = ExistingFolder(subject.Options.BackupFolder);
        var free = subject.Options.FreeBytes(folder);
        var text = $"{Measures.Size(free)} free in {folder}, the database is {Measures.Size(size)}";
        const string Next = "free some room, or name another folder with --backup-directory";

        // A compressed dump without indexes is a fifth to a half of its database; the database's own size is safe.
        return free < size / 5 ? new Finding.Refusal(text, Next)
            : free < size ? new Finding.Warning($"{text}: a dump that does not compress well will not fit", Next)
            : new Finding.Ok(text);
    })
    { IsEssential = true, OnlyForBackup = true };

    /// <summary>Room for a second copy where the server keeps its data; a remote server's disk cannot be seen.</summary>
    public static PreflightCheck DiskThere { get; } = new("disk-there", "Disk for a second copy", async (subject, cancellation) =>
    {
        var size = await subject.Session.ScalarAsync<long>("SELECT pg_database_size(current_database())", cancellation);
        var folder = await subject.Session.ScalarAsync<string>("SELECT setting FROM pg_settings WHERE name = 'data_directory'", cancellation);
        var url = subject.Environment.Database;
        var isLocal = subject.Environment.Route is null && (url.IsSocket || url.Host is "127.0.0.1" or "::1" or "localhost");
        if (isLocal && folder is not null && Directory.Exists(folder))
        {
            var free = subject.Options.FreeBytes(folder);
            var text = $"{Measures.Size(free)} free on the server, the database is {Measures.Size(size)}";
            return free < size * 1.1 ? new Finding.Warning($"{text}: a restore beside it will not fit", "free some room on the server, or restore to another") : new Finding.Ok(text);
        }

        var unseen = $"the database is {Measures.Size(size)}; how much is free on its server cannot be seen from here";
        return size < subject.Options.SmallDatabaseBytes
            ? new Finding.Ok(unseen)
            : new Finding.Warning(unseen, $"look there (df, or FreeStorageSpace in CloudWatch): a restore beside needs {Measures.Size(size)} more");
    })
    { OnlyForBackup = true };

    private static string ExistingFolder(string path)
    {
        var folder = Path.GetFullPath(path);
        while (!Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
