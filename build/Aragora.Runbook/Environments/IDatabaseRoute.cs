using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Environments;

/// <summary>A way to a database that is not reached directly: the URL leads to its near end on 127.0.0.1.</summary>
public interface IDatabaseRoute
{
    /// <summary>What stands for host and port in messages and records, and stays the same from run to run, such as <c>service/postgres:5432 in aragora</c>.</summary>
    string Endpoint { get; }

    /// <summary>Why the last connection through it failed; null where it did not.</summary>
    RunbookException? Failure { get; }
}
