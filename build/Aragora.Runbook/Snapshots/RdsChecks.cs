using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Snapshots;

/// <summary>What Preflight asks RDS. Read-only: whether a snapshot may be made is known only when one is.</summary>
/// <param name="rds">RDS.</param>
/// <param name="options">Which instance.</param>
/// <param name="production">Production's database.</param>
public sealed class RdsChecks(Func<RdsApi> rds, RdsOptions options, Func<CancellationToken, Task<DatabaseEnvironment>> production)
{
    private const int FewLeft = 3;
    private static readonly TimeSpan QuotaPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The checks.</summary>
    public IReadOnlyList<EnvironmentCheck> All =>
    [
        new EnvironmentCheck(TargetEnvironment.Production, "rds-instance", "RDS instance", cancellation => BoundedAsync(InstanceAsync, cancellation)),
        new EnvironmentCheck(TargetEnvironment.Production, "rds-snapshots", "RDS snapshots", cancellation => BoundedAsync(SnapshotsAsync, cancellation)),
    ];

    private async Task<Finding> InstanceAsync(CancellationToken cancellation)
    {
        var subject = await SnapshotSubject.ReadAsync(rds(), options.InstanceIdentifier, cancellation);
        if (subject.IsStuck)
        {
            return new Finding.Refusal($"{subject}: there can be no snapshot of it", "make it available (aws rds start-db-instance, or what its status asks for)");
        }

        if (subject.Instance.ReplicaOf is { } primary)
        {
            return new Finding.Refusal($"{options.InstanceIdentifier} is a replica of {primary}", $"name the primary with {RdsOptions.InstanceSwitch}");
        }

        var differs = await EndpointMatch.DifferenceAsync((await production(cancellation)).Database, subject, cancellation);
        return differs is not null ? new Finding.Warning($"{subject}; {differs}", $"see whether that is a name, a proxy or a tunnel of its own; otherwise correct {RdsOptions.InstanceSwitch}")
            : subject.IsReady ? new Finding.Ok(subject.ToString())
            : new Finding.Warning($"{subject}: a snapshot waits until it is available", "./build.sh Status");
    }

    private async Task<Finding> SnapshotsAsync(CancellationToken cancellation)
    {
        var subject = await SnapshotSubject.ReadAsync(rds(), options.InstanceIdentifier, cancellation);
        var snapshots = await rds().ListSnapshotsAsync(subject.Kind, subject.Identifier, cancellation);
        var text = $"{Measures.Count(snapshots.Count(snapshot => SnapshotTags.IsOurs(snapshot, subject.Identifier)), "snapshot")} of ours among {snapshots.Count}";
        SnapshotQuota? quota;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(QuotaPatience);
        try
        {
            quota = await rds().SnapshotQuotaAsync(subject.Kind, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new Finding.Ok($"{text}; the quota was not told in time");
        }
        catch (RunbookException unasked)
        {
            // The quota is good to know, and no reason to stop: a snapshot above it is refused by name.
            return new Finding.Ok($"{text}; the quota could not be asked ({LogText.SingleLine(unasked.What)})");
        }

        return quota switch
        {
            null => new Finding.Ok($"{text}; RDS tells no quota"),
            { } known when known.Used >= known.Most => new Finding.Refusal($"{text}; the account has {known.Used} of {known.Most} manual snapshots", "./build.sh PruneSnapshots   lists those of ours that have expired; or ask AWS for a higher quota"),
            { } known when known.Used + FewLeft >= known.Most => new Finding.Warning($"{text}; the account has {known.Used} of {known.Most} manual snapshots", "./build.sh PruneSnapshots   lists those of ours that have expired"),
            { } known => new Finding.Ok($"{text}; {known.Used} of {known.Most} manual snapshots in the account"),
        };
    }

    private async Task<Finding> BoundedAsync(Func<CancellationToken, Task<Finding>> check, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return await check(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new Finding.Refusal($"RDS did not answer within {Measures.Duration(Patience)} at {rds().Where}", "check the network, the region, and AWS_ENDPOINT_URL if it is set");
        }
    }
}
