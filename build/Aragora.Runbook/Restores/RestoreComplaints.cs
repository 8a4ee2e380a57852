using System.Text.RegularExpressions;

namespace Aragora.Runbook.Restores;

/// <summary>What may be kept of pg_restore's words: no rows (DETAIL, CONTEXT) and no statements, for those may hold passwords.</summary>
internal static partial class RestoreComplaints
{
    private const int Most = 5000;
    private const string Command = "Command was:";

    /// <summary>What pg_restore says, without its name, when it gets no memory.</summary>
    private const string OutOfMemory = "out of memory";

    private static readonly string[] OfTheServer = ["ERROR:", "FATAL:", "PANIC:", "WARNING:", "HINT:", "server closed the connection", "connection to server"];

    /// <summary>The error output of one pg_restore, line by line. Where there was any, there is at least one line.</summary>
    public static IReadOnlyList<string> Of(string errorOutput)
    {
        var lines = errorOutput.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).ToList();
        var kept = Keep(lines).Take(Most).ToList();
        return kept.Count == 0 && lines.Count > 0 ? ["pg_restore said what is not shown, for it may hold rows or passwords"] : kept;
    }

    /// <summary>Whether it is what the scratch server or pg_restore itself died of. What the server says of a statement is of the backup, and may quote it, unless the disk or the memory was full, or pg_restore's own sessions were in each other's way.</summary>
    public static bool IsOfTheTrial(string line) =>
        Answer().IsMatch(line) ? Exhausted().IsMatch(line)
        : line == OutOfMemory || ((line.StartsWith("pg_restore: error:", StringComparison.Ordinal) || line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("PANIC:", StringComparison.Ordinal)) && Died().IsMatch(line));

    private static IEnumerable<string> Keep(IEnumerable<string> lines)
    {
        var (hasBegun, isInCommand) = (false, false);
        foreach (var line in lines)
        {
            if (line.StartsWith("pg_restore: ", StringComparison.Ordinal))
            {
                // A detail of pg_restore's own is a query.
                (hasBegun, isInCommand) = (true, line.StartsWith("pg_restore: detail:", StringComparison.Ordinal));
                if (!isInCommand)
                {
                    yield return line;
                }
            }
            else if (line.StartsWith(Command, StringComparison.Ordinal))
            {
                (hasBegun, isInCommand) = (true, true);
                yield return Beginning(line);
            }
            else if (!isInCommand && (!hasBegun || line == OutOfMemory || OfTheServer.Any(start => line.StartsWith(start, StringComparison.Ordinal))))
            {
                // Before pg_restore's first word it is the system that speaks: a library is missing, say.
                yield return line;
            }
        }
    }

    private static string Beginning(string line)
    {
        var words = line[Command.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return $"{Command} {string.Join(' ', words.Take(3))} …";
    }

    [GeneratedRegex("^ERROR:|: ERROR:")]
    private static partial Regex Answer();

    /// <summary>
    /// The system's own words stand at the end. On a full disk a block may be written in part first; the server then speaks of the bytes, not of the disk (md.c, buffile.c).
    /// What a full pg_xact holds is said in a detail, of which only the first line is kept. Parallel sessions of pg_restore that attach indexes of one partitioned table may deadlock, seldom.
    /// </summary>
    [GeneratedRegex(@"^(?:pg_restore: error: (?:COPY failed for table "".*""|[^:]*): )?ERROR: +(?:out of memory|deadlock detected|could not access status of transaction \d+|could not .*(?:No space left on device|Disk quota exceeded|Input/output error|: wrote only \d+ of \d+ bytes(?: at (?:block|offset) \d+)?))$")]
    private static partial Regex Exhausted();

    [GeneratedRegex("server closed the connection|terminating connection|No space left on device|Disk quota exceeded|Input/output error|wrote only \\d+ of \\d+ bytes|connection to server|the database system is|[Oo]ut of memory|Cannot allocate memory|no connection to the server")]
    private static partial Regex Died();
}
