using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;

namespace Aragora.Runbook.Snapshots;

/// <summary>What a person said of production's RDS instance.</summary>
public sealed record RdsOptions
{
    /// <summary>The switch that names the instance.</summary>
    public const string InstanceSwitch = "--production-db-instance-identifier";

    /// <summary>The instance's name, as RDS keeps it: in lower case.</summary>
    public required string InstanceIdentifier { get; init; }

    /// <summary>After how long a snapshot may be pruned. Default: 30 days.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long a snapshot, a restore, a modification or a rename may take, each. Default: 2 hours.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromHours(2);

    /// <summary>Whether Backup prunes what has expired. Default: no.</summary>
    public bool Prune { get; init; }

    /// <summary>Whether pruning only says what it would delete. Default: yes.</summary>
    public bool DryRun { get; init; } = true;

    /// <summary>The snapshot that Rollback restores; null where none was named.</summary>
    public string? SnapshotIdentifier { get; init; }

    /// <summary>What becomes of the restored instance. Default: its endpoint is printed.</summary>
    public SwitchMode Switch { get; init; } = SwitchMode.Print;

    /// <summary>How many writes since the snapshot a switch may lose. Default: none.</summary>
    public AcceptedWrites Accepted { get; init; } = AcceptedWrites.None;

    /// <summary>How often RDS is asked while something is awaited. Default: 10 seconds.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a restored database may take to let somebody in: its host name is new. Default: 5 minutes.</summary>
    public TimeSpan ConnectPatience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the count of one table's rows may take: a restored volume is read from S3 at first. Default: 30 seconds.</summary>
    public TimeSpan CountPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an instance has to rest before settings that RDS did not take are given up, and named. Default: 2 minutes.</summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>For how long RDS may describe an instance as it was before a request that it has taken. Default: 30 seconds.</summary>
    public TimeSpan Lag { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long Status may wait for RDS. Default: 15 seconds.</summary>
    public TimeSpan LookPatience { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Called right before the first rename: from there on another database may be behind the URL. Default: nothing.</summary>
    public Action<DatabaseEnvironment>? Moved { get; init; }

    /// <summary>Where an endpoint is reached from here; for tests, whose endpoints are names that lead nowhere. Default: where it is.</summary>
    public Func<string, int, (string Host, int Port)> Reach { get; init; } = (host, port) => (host, port);

    /// <summary>The same options, if they can be.</summary>
    /// <exception cref="BadInputException">A name is none that RDS would take, or a time is out of range.</exception>
    public RdsOptions Validated()
    {
        if (!RdsNames.IsInstance(InstanceIdentifier))
        {
            throw new BadInputException($"{InstanceSwitch} {InstanceIdentifier} is no name of an RDS instance.", "it has 1 to 63 letters, digits and single hyphens, and begins with a letter", "aws rds describe-db-instances --query 'DBInstances[].DBInstanceIdentifier'   lists them");
        }

        if (SnapshotIdentifier is { } snapshot && !RdsNames.IsSnapshot(snapshot))
        {
            throw new BadInputException($"--snapshot-identifier {snapshot} is no name of a snapshot.", "it has 1 to 255 letters, digits and single hyphens, and begins with a letter; those that RDS makes itself begin with rds:", "aws rds describe-db-snapshots   lists them");
        }

        return Retention >= TimeSpan.FromMinutes(1) && Deadline >= TimeSpan.FromSeconds(1) && PollInterval > TimeSpan.Zero ? this with { InstanceIdentifier = InstanceIdentifier.ToLowerInvariant(), SnapshotIdentifier = SnapshotIdentifier?.ToLowerInvariant() }
            : throw new BadInputException("A time of the snapshots is out of range.", "a retention is at least a minute, a deadline at least a second", "--snapshot-retention 30d --snapshot-deadline 2h");
    }

    /// <summary>An environment's database at another endpoint: same name, role and password.</summary>
    internal DatabaseEnvironment At(DatabaseEnvironment environment, string host, int port, string? label = null)
    {
        var (reachedHost, reachedPort) = Reach(host, port);
        return environment with { Label = label, Database = environment.Database with { Host = reachedHost, Port = reachedPort } };
    }

    /// <summary>An environment's database where its URL leads.</summary>
    internal DatabaseEnvironment Live(DatabaseEnvironment environment) => At(environment, environment.Database.Host, environment.Database.Port, environment.Label);
}
