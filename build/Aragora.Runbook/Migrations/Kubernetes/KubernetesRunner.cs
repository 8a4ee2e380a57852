using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Outcomes;
using k8s.Models;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>Runs Alembic as a Kubernetes Job: one Job a run, one pod, one try.</summary>
/// <remarks>
/// The Job outlives the run that made it. So a run that finds one at work follows it, and whatever may start by itself later (an image that can be pulled again, a node that has room) is deleted
/// before this says that it failed. A cancellation first cancels the migration's statement on the server, as in <see cref="LocalAlembicRunner"/>, and then deletes the Job.
/// </remarks>
/// <param name="run">The run.</param>
/// <param name="cluster">The cluster, with the namespace; connected to when it is first needed.</param>
/// <param name="template">The job file.</param>
/// <param name="options">What the file does not say.</param>
/// <param name="check">Compares image and checkout.</param>
public sealed class KubernetesRunner(RunContext run, Func<KubernetesCluster> cluster, Func<JobTemplate> template, KubernetesRunnerOptions options, ImageCheck check) : IMigrationRunner
{
    private const int TailLines = 40;
    private readonly Lazy<JobClient> jobs = new(() => new JobClient(cluster()));
    private readonly Lazy<JobTemplate> file = new(template);
    private string? checkedImage;

    /// <inheritdoc/>
    public string Name => "kubernetes";

    /// <inheritdoc/>
    public async Task<RunningMigration?> FindRunningAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var facts = await DatabaseInspector.ReadAsync(environment, cancellation);
        foreach (var job in await jobs.Value.ListAsync(JobMarks.Selector(environment.Name, facts.Identity), cancellation))
        {
            if (await IsAtWorkAsync(job, cancellation))
            {
                return JobMarks.Read(job) ?? throw new RefusedException(
                    $"The Job {job.Metadata.Name} of {environment.DisplayName} is at work, and does not say for what.",
                    "its annotations were changed",
                    $"wait until it has ended ({jobs.Value.Cluster.Kubectl.Line($"get job {job.Metadata.Name}")}), then repeat the command");
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public async Task RequireReadyAsync(DatabaseEnvironment environment, DatabaseFacts now, MigrationsTree tree, CancellationToken cancellation)
    {
        var composer = new JobComposer(file.Value, options);
        var job = composer.Check(environment, now.Identity, run.RunId, check.Command(file.Value.Configuration));
        run.Log.Information("Asking the image {Image} which migrations it holds, and which database it reaches (Job {Job} in {Cluster}, namespace {Namespace})", composer.Image, job.Metadata.Name, jobs.Value.Cluster.Description, jobs.Value.Cluster.Namespace);
        var lines = new List<string>();
        var end = await new CheckJob(run, jobs.Value, options).RunAsync(job, file.Value.Container, lines.Add, cancellation);
        if (end.Failure is { } failure)
        {
            throw new RefusedException(failure.What, $"{failure.Why}. Nothing was moved", failure.Next);
        }

        await check.RequireAsync([.. lines.Select(run.Secrets.Apply)], composer.Image, environment, now, cancellation);
        checkedImage = end.ImageId;
        run.Log.Information("The image {Image} ({Id}) holds this checkout's migrations, and reaches this very database", composer.Image, end.ImageId is null ? "" : ImageIds.Bare(end.ImageId));
    }

    /// <inheritdoc/>
    public async Task<RunnerResult> RunAsync(RunnerRequest request, Action<string> onLine, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        run.Secrets.Add(request.Environment.Database.Password);
        var tail = new Queue<string>();
        var ending = new JobEnding(run, jobs.Value, options);
        var job = request.Following is { } running ? await ending.FindFollowedAsync(running, cancellation) : await CreateAsync(request, cancellation);
        using var following = new CancellationTokenSource();
        var watching = new JobFollower(jobs.Value, options, run.Log, run.Clock).FollowAsync(job, file.Value.Container, request.Following is null ? checkedImage : null, Take, following.Token);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellation.Register(asked.SetResult))
        {
            await Task.WhenAny(watching, asked.Task);
        }

        if (!watching.IsCompleted)
        {
            await ending.CancelAsync(job, watching, request, following);
            throw new OperationCanceledException("The Job was ended before it was done.", cancellation);
        }

        var end = await ending.RequireAnswerAsync(job, watching);
        if (end.Failure is { } failure)
        {
            try
            {
                await ending.DeleteAsync(job, failure);
            }
            finally
            {
                // Above all where the pod cannot be ended: a lost node leaves its session, and its locks.
                await ending.TerminateAsync(request);
            }

            throw JobEnding.Failed(job, failure, string.Join('\n', tail.TakeLast(5)));
        }

        return new RunnerResult(end.ExitCode!.Value, string.Join('\n', tail), run.Clock.GetElapsedTime(started));

        void Take(string line)
        {
            var masked = run.Secrets.Apply(line);
            tail.Enqueue(masked);
            if (tail.Count > TailLines)
            {
                tail.Dequeue();
            }

            onLine(masked);
        }
    }

    private async Task<V1Job> CreateAsync(RunnerRequest request, CancellationToken cancellation)
    {
        var identity = (await DatabaseInspector.ReadAsync(request.Environment, cancellation)).Identity;
        var job = new JobComposer(file.Value, options).Migration(JobOrder.Of(request), identity, checkedImage is null ? null : ImageIds.Pullable(checkedImage));
        var container = file.Value.Migrating(job);
        var where = $"{jobs.Value.Cluster.Namespace}/{job.Metadata.Name}";
        V1Job? made = null;
        await run.Journal.ActAsync($"create job {where}", new { Cluster = jobs.Value.Cluster.Description, container.Image, container.Command, container.Args, Checked = checkedImage }, async () =>
        {
            made = await new JobEnding(run, jobs.Value, options).CreateAsync(job, cancellation);
            return new { made.Metadata.Uid };
        });
        run.Log.Information("The Job {Job} migrates; follow it elsewhere with  {Command:l}", where, jobs.Value.Cluster.Kubectl.Line($"logs -f job/{job.Metadata.Name}"));
        return made!;
    }

    /// <summary>A Job is at work until it says that it has ended, or its container has: a sidecar that goes on migrates nothing.</summary>
    private async Task<bool> IsAtWorkAsync(V1Job job, CancellationToken cancellation)
    {
        var picture = new JobPicture(job.Metadata.Name, jobs.Value.Cluster.Kubectl, file.Value.Container, job, null);
        if (picture.HasEnded || job.Metadata.DeletionTimestamp is not null)
        {
            return false;
        }

        var pods = await jobs.Value.PodsAsync(job.Metadata.Name, cancellation);
        return (picture with { Pod = pods.Count > 0 ? pods[0] : null }).Terminated is null;
    }
}
