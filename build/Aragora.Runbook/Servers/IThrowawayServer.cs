using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Servers;

/// <summary>A PostgreSQL server that the build made and may erase: from this machine's programs, or in a container.</summary>
public interface IThrowawayServer
{
    /// <summary>The superuser's connection to the database <c>postgres</c>; on 127.0.0.1.</summary>
    PostgresUrl Url { get; }

    /// <summary>What it is, for people: "PostgreSQL 15.18 of /usr/lib/postgresql/15/bin".</summary>
    string Description { get; }

    /// <summary>The last lines of the server's log; empty where there is none.</summary>
    Task<string> LogTailAsync(int lines, CancellationToken cancellation);

    /// <summary>Whether it answers a query now. A stale pid file, or a stranger on its port, does not count.</summary>
    Task<bool> IsRunningAsync(CancellationToken cancellation);

    /// <summary>Stops it, if it runs; its data stays.</summary>
    Task StopAsync(CancellationToken cancellation);

    /// <summary>Stops it and erases everything it wrote. Nothing to do where nothing is left.</summary>
    Task EraseAsync(CancellationToken cancellation);
}
