using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Migrations;

/// <summary>Reads Alembic's lines as they come: which revision is at work, and what went wrong.</summary>
public sealed partial class AlembicOutput
{
    private const int Kept = 400;
    private readonly ConcurrentQueue<string> lines = new();

    /// <summary>The revision that Alembic named last: the one at work when it failed. Null where the tree's logging does not show it.</summary>
    public string? AtWork { get; private set; }

    /// <summary>Takes one line, masked already.</summary>
    public void Add(string line)
    {
        lines.Enqueue(line);
        while (lines.Count > Kept && lines.TryDequeue(out _))
        {
        }

        var match = Running().Match(line);
        if (match.Success)
        {
            AtWork = match.Groups["way"].Value == "upgrade" ? match.Groups["to"].Value : match.Groups["from"].Value;
        }
    }

    /// <summary>What went wrong, as far as the lines tell it.</summary>
    public AlembicFailure Failure()
    {
        var all = lines.ToArray();
        var line = all.LastOrDefault(text => Complaint().IsMatch(text)) ?? all.LastOrDefault(text => text.Trim().Length > 0) ?? "it said nothing";
        var text = string.Join('\n', all);
        // By class, not by message: the server's messages are translated.
        var kind = text switch
        {
            _ when text.Contains("LockNotAvailable", StringComparison.Ordinal) => AlembicFailureKind.LockTimeout,
            _ when text.Contains("DeadlockDetected", StringComparison.Ordinal) => AlembicFailureKind.Deadlock,
            _ when text.Contains("IdleInTransactionSessionTimeout", StringComparison.Ordinal) || text.Contains("idle-in-transaction timeout", StringComparison.Ordinal) => AlembicFailureKind.IdleInTransactionTimeout,
            _ when text.Contains("QueryCanceled", StringComparison.Ordinal) => AlembicFailureKind.StatementCancelled,
            _ when text.Contains("InsufficientPrivilege", StringComparison.Ordinal) => AlembicFailureKind.MissingGrant,
            _ when text.Contains("AdminShutdown", StringComparison.Ordinal) || text.Contains("server closed the connection unexpectedly", StringComparison.Ordinal) => AlembicFailureKind.SessionEnded,
            _ when text.Contains("invalid interpolation syntax", StringComparison.Ordinal) => AlembicFailureKind.UrlInterpolation,
            _ => AlembicFailureKind.Other,
        };
        return new AlembicFailure(kind, line.Trim());
    }

    [GeneratedRegex(@"Running (?<way>upgrade|downgrade) (?<from>[^,\s]*).*? -> (?<to>[^,\s]*)")]
    private static partial Regex Running();

    [GeneratedRegex(@"^\s*(FAILED: |[\w.]+(Error|Exception|NotAvailable\w*|Canceled\w*|Detected\w*|Warning|Exit|Interrupt): )")]
    private static partial Regex Complaint();
}

/// <summary>Why Alembic failed.</summary>
/// <param name="Kind">The class of failure.</param>
/// <param name="Line">Alembic's own complaint, one line.</param>
public sealed record AlembicFailure(AlembicFailureKind Kind, string Line);

/// <summary>Classes of failures that get their own message.</summary>
public enum AlembicFailureKind
{
    /// <summary>Nothing we know: the migration's own error.</summary>
    Other,

    /// <summary>55P03: a lock was not given within <c>lock_timeout</c>. The only one that is worth a repetition.</summary>
    LockTimeout,

    /// <summary>40P01.</summary>
    Deadlock,

    /// <summary>57014: by <c>statement_timeout</c>, or by somebody's pg_cancel_backend.</summary>
    StatementCancelled,

    /// <summary>25P03.</summary>
    IdleInTransactionTimeout,

    /// <summary>42501.</summary>
    MissingGrant,

    /// <summary>57P01, or the server went away.</summary>
    SessionEnded,

    /// <summary>The tree's <c>env.py</c> puts the URL into a ConfigParser without doubling its percent signs.</summary>
    UrlInterpolation,
}
