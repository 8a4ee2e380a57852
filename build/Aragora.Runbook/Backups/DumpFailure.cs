using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Backups;

/// <summary>Why pg_dump failed, from its exit code and its last words (LC_ALL=C).</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Why">For people.</param>
/// <param name="Next">What to do.</param>
public sealed partial record DumpFailure(DumpFailureKind Kind, string Why, string Next)
{
    /// <summary>Reads the end of a pg_dump that failed.</summary>
    public static DumpFailure Read(CommandResult result, DatabaseEnvironment environment, string folder)
    {
        // Progress is no complaint.
        var complaints = string.Join('\n', result.Error.Split('\n').SkipWhile(line => !Complaint().IsMatch(line)).Where(line => line.Length > 0).TakeLast(12));
        var said = complaints.Length > 0 ? complaints : result.Tail(5);
        var role = "\"" + environment.Database.User.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
        if (said.Contains("could not obtain lock", StringComparison.Ordinal) || (said.Contains("canceling statement due to", StringComparison.Ordinal) && said.Contains("LOCK TABLE", StringComparison.Ordinal)))
        {
            return new DumpFailure(DumpFailureKind.Lock, $"a table is locked, or a schema change waits for it\n{said}", "./build.sh Preflight   lists who holds and who waits; end that session or wait for it, then ./build.sh Backup");
        }

        if (Denied().Match(said) is { Success: true } denied)
        {
            var locked = Locked().Match(said);
            var what = $"{denied.Groups[1].Value.ToUpperInvariant()} {(locked.Success ? locked.Groups[1].Value : denied.Groups[2].Value)}";
            return new DumpFailure(DumpFailureKind.Denied, said, $"GRANT {(what.StartsWith("SCHEMA", StringComparison.Ordinal) ? "USAGE" : "SELECT")} ON {what} TO {role};   then ./build.sh Backup");
        }

        if (said.Contains("row-level security", StringComparison.Ordinal))
        {
            return new DumpFailure(DumpFailureKind.Denied, said, $"ALTER ROLE {role} BYPASSRLS;   then ./build.sh Backup");
        }

        if (said.Contains("No space left on device", StringComparison.Ordinal) || said.Contains("Disk quota exceeded", StringComparison.Ordinal))
        {
            return new DumpFailure(DumpFailureKind.DiskFull, $"the disk of {folder} is full\n{said}", $"free space there, or name another folder; then ./build.sh Backup");
        }

        if (said.Contains("server version mismatch", StringComparison.Ordinal))
        {
            return new DumpFailure(DumpFailureKind.Other, said, "install the clients of the server's version");
        }

        if (Lost().IsMatch(said))
        {
            return new DumpFailure(DumpFailureKind.ConnectionLost, $"the connection to {environment.Endpoint} was lost\n{said}", "./build.sh Preflight   tells whether the server is up; then ./build.sh Backup");
        }

        if (result.ExitCode is 137 or 143 or 130 or 139)
        {
            return new DumpFailure(DumpFailureKind.Killed, $"signal {result.ExitCode - 128} ended it{(result.ExitCode == 137 ? ": somebody killed it, or the machine was out of memory" : "")}\n{said}", "see dmesg for an out-of-memory kill; then ./build.sh Backup");
        }

        return said.Contains("worker process died unexpectedly", StringComparison.Ordinal)
            ? new DumpFailure(DumpFailureKind.Killed, $"one of its workers was ended from outside\n{said}", "see dmesg for an out-of-memory kill; then ./build.sh Backup")
            : new DumpFailure(DumpFailureKind.Other, said, "./build.sh Preflight");
    }

    [GeneratedRegex(@"^pg_dump: (error|fatal)|FATAL:|ERROR:|[Kk]illed")]
    private static partial Regex Complaint();

    [GeneratedRegex(@"permission denied for (table|sequence|schema|view|foreign table|large object) ([^\n]+)")]
    private static partial Regex Denied();

    [GeneratedRegex(@"Query was: LOCK TABLE (?:ONLY )?([^\n,]+?) IN ACCESS SHARE MODE")]
    private static partial Regex Locked();

    [GeneratedRegex("server closed the connection|terminating connection|connection to server .* failed|SSL SYSCALL error|could not receive data|no connection to the server")]
    private static partial Regex Lost();
}

/// <summary>What kind of failure it was; only a lock is tried again.</summary>
public enum DumpFailureKind
{
    /// <summary>A table is locked, or a schema change queues for one.</summary>
    Lock,

    /// <summary>The role may not read something.</summary>
    Denied,

    /// <summary>No space left for the backup.</summary>
    DiskFull,

    /// <summary>The server went away, or ended our session.</summary>
    ConnectionLost,

    /// <summary>A signal ended pg_dump or one of its workers.</summary>
    Killed,

    /// <summary>Anything else: pg_dump's own words tell.</summary>
    Other,
}
