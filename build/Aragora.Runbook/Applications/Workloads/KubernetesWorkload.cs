using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>A Deployment or a StatefulSet: stopped and started by its number of replicas, with what would undo that.</summary>
public sealed class KubernetesWorkload : IApplicationPart
{
    private readonly ClusterObjects objects;
    private readonly WorkloadAddress address;
    private readonly ApplicationOptions options;
    private readonly WorkloadHolders holding;
    private readonly OptimisticPatch patches;
    private readonly string where;
    private IReadOnlyList<Holder> held = [];

    /// <summary>A workload in a cluster.</summary>
    /// <param name="run">Log.</param>
    /// <param name="cluster">The cluster; its namespace is the workload's.</param>
    /// <param name="name">Which.</param>
    /// <param name="options">Whether GitOps is suspended.</param>
    public KubernetesWorkload(RunContext run, KubernetesCluster cluster, ApplicationName name, ApplicationOptions options)
    {
        this.options = options;
        objects = new ClusterObjects(cluster);
        address = new WorkloadAddress(name, cluster.Kubectl);
        holding = new WorkloadHolders(run.Log, objects, address);
        patches = new OptimisticPatch(run.Log, objects);
        where = $"the namespace {cluster.Namespace} of {cluster.Description}";
    }

    /// <inheritdoc/>
    public string Name => address.Name.ToString();

    /// <inheritdoc/>
    public string StartingCommand(int replicas) =>
        string.Join(" && ", [.. Resuming(isKeda: true), address.Kubectl.Line($"scale {Name} --replicas {replicas}"), .. Resuming(isKeda: false)]);

    /// <inheritdoc/>
    public Task<PartSeen> LookAsync(CancellationToken cancellation) => AskedAsync(async () =>
    {
        var workload = await RequireAsync(cancellation);
        var pods = await PodsAsync(workload, cancellation);
        var holders = await holding.FindAsync(workload, tell: false, cancellation);
        return new PartSeen(Name, workload.Replicas, workload.Images, [.. pods.SelectMany(pod => pod.Addresses).Distinct(StringComparer.Ordinal)], WorkloadHolders.NoteOn(workload, holders), [.. holders.Where(holder => holder.IsInTheWay).Select(holder => holder.ToString())], address.Kubectl.Line($"set image {Name} {(workload.Containers is [var first, ..] ? first : "*")}=IMAGE")) { Suspended = [.. holders.Where(holder => holder.HeldBy is not null).Select(holder => holder.What)] };
    });

    /// <inheritdoc/>
    public Task RequireStoppableAsync(CancellationToken cancellation) => AskedAsync(async () =>
    {
        await WorkloadRights.RequireAsync(objects, address, [], cancellation);
        var workload = await RequireAsync(cancellation);
        await holding.TellAutoscalersAsync(cancellation);
        var inTheWay = (await holding.FindAsync(workload, tell: true, cancellation)).Where(holder => holder.IsInTheWay).ToList();
        var deploying = inTheWay.Where(holder => holder.Resource.Group != KedaScaling.Group).ToList();
        if (deploying.Count > 0 && !options.SuspendGitOps)
        {
            throw new RefusedException(
                $"{Name} would not stay stopped: {string.Join(" and ", deploying.Select(owner => owner.What))} would start it again.",
                string.Join("; ", deploying.Select(owner => $"{owner.Name}: {owner.Why}")),
                $"the same line with --suspend-gitops (suspended, and put back afterwards); or by hand: {string.Join("; ", deploying.Select(owner => owner.Command))}");
        }

        await WorkloadRights.RequireAsync(objects, address, inTheWay, cancellation);
        return workload;
    });

    /// <inheritdoc/>
    public Task<int> StopAsync(PartSeen seen, string runId, DateTimeOffset at, CancellationToken cancellation) => FailingAsync(async () =>
    {
        var workload = await RequireAsync(cancellation);
        var replicas = workload.Note is { Replicas: > 0 } first ? first.Replicas : workload.Replicas > 0 ? workload.Replicas : seen.Note?.Replicas ?? seen.Replicas;
        var holders = (await holding.FindAsync(workload, tell: false, cancellation)).Where(holder => holder.IsInTheWay || holder.HeldBy is not null).ToList();
        if (holders.FirstOrDefault(holder => holder.IsInTheWay && holder.Resource.Group != KedaScaling.Group) is { } unasked && !options.SuspendGitOps)
        {
            throw new PartException($"{unasked.What} would start {Name} again ({unasked.Why}), and was not to be suspended (--suspend-gitops)", isTransient: false);
        }

        held = holders;
        foreach (var holder in holders)
        {
            await patches.ApplyAsync(holder.What, holder.Resource, holder.Namespace, holder.Name, holder.Json, json => (holder with { Json = json }).HoldPatch(runId, at, replicas), cancellation);
        }

        var stopped = await patches.ApplyAsync(Name, address.Resource, address.Namespace, address.Name.Name, workload.Json, json => new WorkloadObject(json).StopPatch(Replicas(new WorkloadObject(json), replicas), runId, at), cancellation);
        return new WorkloadObject(stopped).Note?.Replicas ?? replicas;
    });

    /// <inheritdoc/>
    public Task<PartRemains> RemainsAsync(CancellationToken cancellation) => FailingAsync(async () =>
    {
        var workload = await RequireAsync(cancellation);
        var pods = await PodsAsync(workload, cancellation);
        var undone = workload.Replicas == 0 ? null : $"it was scaled to {workload.Replicas} by {workload.LastScaledBy() ?? "somebody"}";
        return new PartRemains([.. pods.Select(pod => pod.Name)], undone);
    });

    /// <inheritdoc/>
    public Task<string?> StartAsync(string runId, CancellationToken cancellation) => FailingAsync(async () =>
    {
        var workload = await RequireAsync(cancellation);
        var holders = (await holding.FindAsync(workload, tell: false, cancellation)).Where(holder => holder.HeldBy == runId).ToList();
        var note = WorkloadHolders.NoteOn(workload, holders);
        if (note?.Run != runId)
        {
            return null;
        }

        held = holders;

        // KEDA before the workload: paused, it would take the replicas away again. Git after it: it finds what it expects.
        foreach (var keda in holders.Where(holder => holder.Resource.Group == KedaScaling.Group))
        {
            await patches.ReleaseAsync(keda, cancellation);
        }

        var kept = 0;
        await patches.ApplyAsync(
            Name,
            address.Resource,
            address.Namespace,
            address.Name.Name,
            workload.Json,
            json =>
            {
                kept = new WorkloadObject(json).Replicas;
                return new WorkloadObject(json).StartPatch(note.Replicas);
            },
            cancellation);
        foreach (var owner in holders.Where(holder => holder.Resource.Group != KedaScaling.Group).Reverse())
        {
            await patches.ReleaseAsync(owner, cancellation);
        }

        return kept == 0 ? $"{note.Replicas} replicas as before" : $"{kept} replicas, as {workload.LastScaledBy() ?? "somebody"} set them meanwhile (before: {note.Replicas})";
    });

    /// <inheritdoc/>
    public Task LeaveAsync(string runId, string why, CancellationToken cancellation) => FailingAsync(async () =>
    {
        var workload = await RequireAsync(cancellation);

        var left = await patches.ApplyAsync(
            Name,
            address.Resource,
            address.Namespace,
            address.Name.Name,
            workload.Json,
            json => new WorkloadObject(json).LeavePatch(runId, why) ?? throw new PartException($"{Name} bears no note of this run any more", isTransient: false),
            cancellation);

        // Whoever was suspended with it deploys others too: a later run that takes its note for a dead run's would wake it, and with it this one.
        foreach (var holder in (await holding.FindAsync(workload, tell: false, cancellation)).Where(holder => holder.HeldBy == runId))
        {
            await patches.ApplyAsync(holder.What, holder.Resource, holder.Namespace, holder.Name, holder.Json, json => (holder with { Json = json }).LeavePatch(runId, why) ?? throw new PartException($"{holder.What} bears no note of this run any more", isTransient: false), cancellation);
        }

        return left;
    });

    /// <inheritdoc/>
    public Task<PartRollout> RolloutAsync(CancellationToken cancellation) => FailingAsync(async () =>
    {
        var workload = await RequireAsync(cancellation);
        var rollout = workload.Rollout(trouble: null);
        if (rollout.IsDone)
        {
            return rollout;
        }

        var pod = (await PodsAsync(workload, cancellation)).FirstOrDefault(pod => pod.Trouble is not null);
        return workload.Rollout(pod is null ? null : $"pod {pod.Name}: {pod.Trouble}");
    });

    /// <summary>In the order in which this build does it.</summary>
    private IEnumerable<string> Resuming(bool isKeda) => held.Where(holder => holder.Resource.Group == KedaScaling.Group == isKeda).Reverse().Select(holder => holder.ResumeCommand).OfType<string>();

    /// <summary>KEDA may have been quicker than our patch: the number that was seen before it was paused counts.</summary>
    private static int Replicas(WorkloadObject now, int before) => now.Replicas > 0 ? now.Replicas : before;

    private async Task<WorkloadObject> RequireAsync(CancellationToken cancellation) =>
        await objects.GetAsync(address.Resource, address.Namespace, address.Name.Name, cancellation) is { } found
            ? new WorkloadObject(found)
            : throw new RefusedException($"There is no {Name} in {where}.", "it is named as a part of the application", address.Kubectl.Line($"get {address.Resource.Plural}"));

    /// <summary>Its own pods, and only those that still run: a migration's Job may bear the same labels.</summary>
    private async Task<IReadOnlyList<PodFacts>> PodsAsync(WorkloadObject workload, CancellationToken cancellation)
    {
        var owner = address.Name.Kind == ApplicationKind.StatefulSet ? $"StatefulSet/{address.Name.Name}" : $"ReplicaSet/{address.Name.Name}-";
        var pods = await objects.PodsAsync(address.Namespace, workload.Selector, cancellation);
        return [.. pods.Where(pod => !pod.HasEnded && pod.Owner is not null && (address.Name.Kind == ApplicationKind.StatefulSet ? pod.Owner == owner : pod.Owner.StartsWith(owner, StringComparison.Ordinal)))];
    }

    /// <summary>For what is asked before anything is touched: the API server's no is a refusal already.</summary>
    private async Task<T> AskedAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (KubernetesApiException unreachable) when (MayPass(unreachable))
        {
            throw new BadInputException($"{Name} cannot be asked for. {unreachable.What}", $"{where}: {unreachable.Why}", unreachable.Next, unreachable);
        }
    }

    /// <summary>For what happens while something is stopped: the caller decides what becomes of it.</summary>
    private async Task<T> FailingAsync<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (KubernetesApiException failure)
        {
            throw new PartException($"{Name} in {where}: {failure.What} {failure.Why}", MayPass(failure), failure);
        }
        catch (RefusedException gone)
        {
            throw new PartException(gone.What, isTransient: false, gone);
        }
    }

    private static bool MayPass(KubernetesApiException failure) => failure.Kind is ApiFailureKind.Unreachable or ApiFailureKind.Conflict or ApiFailureKind.Other;
}
