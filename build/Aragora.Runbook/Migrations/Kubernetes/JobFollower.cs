using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Outcomes;
using k8s.Models;
using Serilog;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>How a Job ended, or that it will come to nothing.</summary>
/// <param name="ExitCode">The container's own exit code, from its status; null where it did not end by itself.</param>
/// <param name="Failure">What went wrong, where that is known better than by an exit code; null else.</param>
/// <param name="ImageId">The image that ran, as the node knows it.</param>
internal sealed record JobEnd(int? ExitCode, JobFailure? Failure, string? ImageId);

/// <summary>Follows a Job: its state by looking, its log by a stream, each for itself, so that neither waits for the other.</summary>
/// <param name="jobs">The Jobs of a namespace.</param>
/// <param name="options">Patience.</param>
/// <param name="log">Where trouble on the way is told.</param>
/// <param name="clock">The clock.</param>
internal sealed class JobFollower(JobClient jobs, KubernetesRunnerOptions options, ILogger log, TimeProvider clock)
{
    private static readonly TimeSpan LastLines = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan NoPod = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Scaling = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Login = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BeyondDeadline = TimeSpan.FromMinutes(5);
    private bool mayListEvents = true;
    private bool mayReadLogs = true;

    /// <summary>How long the API may be away. Default: the options'.</summary>
    public TimeSpan ApiPatience { get; init; } = options.ApiPatience;

    /// <summary>Whether what it prints is what it is for: then a log that cannot be read is a failure. Default: no, the exit code counts.</summary>
    public bool NeedsLog { get; init; }

    /// <summary>Follows it to its end, or until it is clear that it will come to nothing.</summary>
    /// <param name="job">The Job.</param>
    /// <param name="container">The container that counts.</param>
    /// <param name="image">The image's id that it has to be, without the runtime's prefix; null for any.</param>
    /// <param name="onLine">Takes each line of its log once.</param>
    /// <param name="cancellation">Stops following; the Job goes on.</param>
    /// <exception cref="KubernetesApiException">The API cannot be asked any more, for longer than patience lasts: the Job goes on.</exception>
    public async Task<JobEnd> FollowAsync(V1Job job, string container, string? image, Action<string> onLine, CancellationToken cancellation)
    {
        using var ended = new CancellationTokenSource();
        var logs = Task.CompletedTask;
        try
        {
            return await WatchAsync(job, container, image, pod => logs = ReadAsync(pod, container, onLine, ended.Token, cancellation), cancellation);
        }
        finally
        {
            await ended.CancelAsync();
            await logs;
        }
    }

    private async Task<JobEnd> WatchAsync(V1Job job, string container, string? image, Action<string> onStarted, CancellationToken cancellation)
    {
        var began = clock.GetTimestamp();
        var picture = new JobPicture(job.Metadata.Name, jobs.Cluster.Kubectl, container, job, null);
        var reading = false;
        while (true)
        {
            picture = await LookAsync(picture, cancellation);
            if (picture.HasStarted && !reading)
            {
                reading = true;
                onStarted(picture.Pod!.Metadata.Name);
            }

            var failure = JobDiagnosis.Of(picture) ?? Other(picture, image) ?? Late(picture, clock.GetElapsedTime(began));
            if (failure is { Kind: JobFailureKind.Evicted or JobFailureKind.Deleted })
            {
                // A deadline deletes the pod first, and says so afterwards; a deletion takes Job and pod in either order.
                await Task.Delay(Settling, clock, cancellation);
                picture = await LookAsync(picture, cancellation);
                failure = JobDiagnosis.Of(picture) ?? failure;
            }

            if (failure is not null || picture.Terminated is not null)
            {
                return new JobEnd(picture.Terminated?.ExitCode, failure, picture.ImageId);
            }

            await Task.Delay(picture.HasStarted || options.PollInterval < TimeSpan.FromMilliseconds(500) ? options.PollInterval : TimeSpan.FromMilliseconds(500), clock, cancellation);
        }
    }

    /// <summary>What takes too long without saying why.</summary>
    private JobFailure? Late(JobPicture picture, TimeSpan passed)
    {
        var deadline = TimeSpan.FromSeconds(picture.Job?.Spec.ActiveDeadlineSeconds ?? 0);
        if (deadline > TimeSpan.Zero && passed > deadline + BeyondDeadline)
        {
            return new JobFailure(JobFailureKind.NodeLost, $"The Job {picture.Name} is long past its deadline, and the cluster does not end it.", "its controller, or the node, does not work", picture.Kubectl.Line($"describe job {picture.Name}"));
        }

        if (picture.HasStarted)
        {
            return null;
        }

        if (JobDiagnosis.Unschedulable(picture) is { } said)
        {
            return passed < (JobDiagnosis.IsScaling(picture) ? Scaling : options.SchedulingPatience)
                ? null
                : new JobFailure(JobFailureKind.Unschedulable, $"No node takes the pod of the Job {picture.Name}.", said, "ask for less (--migration-cpu, --migration-memory), make room, or correct the job file's nodeSelector and tolerations");
        }

        var patience = picture.Pod is null ? NoPod : options.StartPatience;
        return passed < patience
            ? null
            : new JobFailure(
                JobFailureKind.Stuck,
                picture.Pod is null ? $"The Job {picture.Name} makes no pod." : $"The pod of the Job {picture.Name} does not start.",
                picture.JobEvents.Concat(picture.PodEvents).LastOrDefault() is { } last ? $"{last.Reason}: {last.Message}" : mayListEvents ? "nobody says why" : "we may not list events, and so cannot say why",
                picture.Kubectl.Line($"describe job,pod -l job-name={picture.Name}"));
    }

    private static JobFailure? Other(JobPicture picture, string? image) =>
        image is null || picture.ImageId is not { } runs || ImageIds.Same(runs, image)
            ? null
            : new JobFailure(JobFailureKind.ImagePull, $"Another image runs in the Job {picture.Name} than was checked.", $"checked was {image}, and it runs {ImageIds.Bare(runs)}: somebody pushed to its tag meanwhile, or the nodes hold different images", "name the image by its digest (--migration-image registry/repository@sha256:…), and repeat the command");

    /// <summary>Looks until the API answers, or patience ends.</summary>
    private async Task<JobPicture> LookAsync(JobPicture before, CancellationToken cancellation)
    {
        var began = clock.GetTimestamp();
        var pause = TimeSpan.FromMilliseconds(250);
        while (true)
        {
            try
            {
                return await LookOnceAsync(before, cancellation);
            }
            catch (KubernetesApiException away) when (clock.GetElapsedTime(began) < PatienceWith(away.Kind))
            {
                log.Warning("The Kubernetes API cannot be asked ({Why:l}); the Job goes on, and it is tried again for {Seconds:0} s", away.Why, (PatienceWith(away.Kind) - clock.GetElapsedTime(began)).TotalSeconds);
            }

            await Task.Delay(pause, clock, cancellation);
            pause = pause * 2 < TimeSpan.FromSeconds(10) ? pause * 2 : TimeSpan.FromSeconds(10);
        }
    }

    /// <summary>A login that somebody renews is renewed soon; what is forbidden stays so.</summary>
    private TimeSpan PatienceWith(ApiFailureKind kind) => kind switch
    {
        ApiFailureKind.Unreachable or ApiFailureKind.Other => ApiPatience,
        ApiFailureKind.Unauthorized => ApiPatience < Login ? ApiPatience : Login,
        _ => TimeSpan.Zero,
    };

    private async Task<JobPicture> LookOnceAsync(JobPicture before, CancellationToken cancellation)
    {
        var job = await jobs.FindAsync(before.Name, cancellation);
        if (job is not null && before.Job is not null && job.Metadata.Uid != before.Job.Metadata.Uid)
        {
            job = null;
        }

        var pods = await jobs.PodsAsync(before.Name, cancellation);

        // An older cluster makes a second pod where somebody deletes the first: the first is the one that counts.
        var pod = before.Pod is null ? (pods.Count > 0 ? pods[0] : null) : pods.FirstOrDefault(one => one.Metadata.Uid == before.Pod.Metadata.Uid);
        var picture = before with { Job = job, Pod = pod ?? (before.HadPod ? null : before.Pod), HadPod = before.HadPod || pod is not null };
        if (picture.HasStarted && picture.Terminated is null && pod?.Metadata.DeletionTimestamp is null)
        {
            return picture;
        }

        return picture with
        {
            JobEvents = job is null ? [] : await EventsAsync(job.Metadata.Uid, cancellation),
            PodEvents = (pod ?? before.Pod) is { } known ? await EventsAsync(known.Metadata.Uid, cancellation) : [],
        };
    }

    private async Task<IReadOnlyList<ObjectEvent>> EventsAsync(string uid, CancellationToken cancellation)
    {
        if (!mayListEvents)
        {
            return [];
        }

        try
        {
            return await jobs.EventsAsync(uid, cancellation);
        }
        catch (KubernetesApiException denied) when (denied.Kind == ApiFailureKind.Forbidden)
        {
            mayListEvents = false;
            log.Warning("Why a pod does not start cannot always be told: {Why:l}; {Next:l}", denied.Why, denied.Next);
            return [];
        }
    }

    private async Task ReadAsync(string pod, string container, Action<string> onLine, CancellationToken ended, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using var last = ended.Register(() => patience.CancelAfter(LastLines));
        try
        {
            await new PodLog(jobs.Cluster, pod, container, clock).FollowAsync(onLine, Tell, ended, patience.Token);
        }
        catch (KubernetesApiException lost) when (!NeedsLog)
        {
            // The exit code is read from the container's status and not from here; with its pod the log is gone as well.
            log.Warning("The last lines of the log of {Pod} could not be read: {Why:l}", pod, lost.Why);
        }
        catch (OperationCanceledException)
        {
            if (!cancellation.IsCancellationRequested)
            {
                log.Warning("The last lines of the log of {Pod} could not be read in time", pod);
            }
        }

        void Tell(KubernetesApiException trouble)
        {
            log.Debug(trouble, "The log's stream broke, and is taken up again");
            if (trouble.Kind == ApiFailureKind.Forbidden && mayReadLogs)
            {
                mayReadLogs = false;
                log.Warning("What the Job prints cannot be shown: {Why:l}; {Next:l}", trouble.Why, trouble.Next);
            }
        }
    }
}

/// <summary>What a node calls an image.</summary>
internal static class ImageIds
{
    /// <summary>Without the runtime's prefix, such as <c>docker-pullable://</c>.</summary>
    public static string Bare(string imageId) => imageId.IndexOf("://", StringComparison.Ordinal) is >= 0 and var at ? imageId[(at + 3)..] : imageId;

    /// <summary>Whether both may be one image: by the digest alone, since one image may have several names. Where one is known by a registry's digest and the other by a node's own id, they cannot be compared.</summary>
    public static bool Same(string one, string other) => Pullable(one) is null != Pullable(other) is null || Digest(one) == Digest(other);

    /// <summary>The reference by which this very image can be pulled; null where the node has it from nowhere else.</summary>
    public static string? Pullable(string imageId) => Bare(imageId) is var bare && bare.Contains('@', StringComparison.Ordinal) ? bare : null;

    private static string Digest(string imageId) => Bare(imageId).Split('@')[^1];
}
