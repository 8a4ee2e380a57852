namespace Aragora.Runbook.Digests;

/// <summary>How a snapshot is taken and read.</summary>
public sealed record SnapshotOptions
{
    /// <summary>How often listing and locking may be started over because the tables changed in between. Default: 5.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>How long to wait for the locks on the tables, each time; whoever wants an exclusive lock meanwhile queues behind us no longer than that. Default: 30 seconds.</summary>
    public TimeSpan LockWaitTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The session's name in <c>pg_stat_activity</c>. Default: <c>aragora-snapshot</c>.</summary>
    public string ApplicationName { get; init; } = "aragora-snapshot";
}
