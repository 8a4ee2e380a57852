using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using k8s.Models;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>What surrounds the life of a migration's Job: that it is there exactly if we say so. Nothing here is cancelled with the run.</summary>
internal sealed class JobEnding(RunContext run, JobClient jobs, KubernetesRunnerOptions options)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LostAnswer = TimeSpan.FromSeconds(60);

    /// <summary>Makes the Job; where the answer is lost, looks whether it was made: its name is this run's alone.</summary>
    /// <exception cref="KubernetesApiException">It was not made.</exception>
    /// <exception cref="NeedsPersonException">It is not known whether it was made.</exception>
    public async Task<V1Job> CreateAsync(V1Job job, CancellationToken cancellation)
    {
        try
        {
            // Once it is asked for, the answer is waited for: a Job that nobody knows of would migrate unguarded.
            cancellation.ThrowIfCancellationRequested();
            return await jobs.CreateAsync(job, dryRun: false, CancellationToken.None);
        }
        catch (KubernetesApiException lost) when (lost.Kind is ApiFailureKind.Unreachable or ApiFailureKind.Other or ApiFailureKind.Conflict)
        {
            if (await FindLaterAsync(job, lost) is { } found)
            {
                return found;
            }

            throw;
        }
    }

    /// <summary>The Job of an earlier run.</summary>
    /// <exception cref="FailedCleanException">It ended in the moment between.</exception>
    public async Task<V1Job> FindFollowedAsync(RunningMigration running, CancellationToken cancellation)
    {
        var name = running.Name.Split('/')[^1];
        return await jobs.FindAsync(name, cancellation)
            ?? throw new FailedCleanException($"The Job {name} was there a moment ago, and is gone.", $"run {running.RunId} started it; somebody deleted it", "./build.sh Status   then repeat the command");
    }

    /// <summary>The end, or that it cannot be known now.</summary>
    /// <exception cref="NeedsPersonException">The API cannot be asked any more, and the Job goes on.</exception>
    public async Task<JobEnd> RequireAnswerAsync(V1Job job, Task<JobEnd> watching)
    {
        try
        {
            return await watching;
        }
        catch (Exception lost) when (lost is not (OperationCanceledException or NeedsPersonException))
        {
            // Whatever it was: nobody saw the Job end.
            var told = lost as RunbookException;
            throw new NeedsPersonException(
                $"{told?.What ?? lost.Message} The Job {job.Metadata.Name} goes on, and nobody here sees it.",
                told?.Why ?? "",
                $"{jobs.Cluster.Kubectl.Line($"logs -f job/{job.Metadata.Name}")}   follows it; repeat the command once the API answers: it finds the Job and follows it instead of starting another{(told is null ? "" : $" ({told.Next})")}",
                lost);
        }
    }

    /// <summary>Ends a Job that will come to nothing, so that it does not begin after all; one that has ended stays for people to read.</summary>
    /// <exception cref="NeedsPersonException">It could not be ended.</exception>
    public async Task DeleteAsync(V1Job job, JobFailure failure)
    {
        if (failure.Kind is JobFailureKind.Crash or JobFailureKind.OutOfMemory or JobFailureKind.Deadline)
        {
            return;
        }

        var patience = failure.Kind == JobFailureKind.NodeLost ? TimeSpan.FromSeconds(10) : options.EndPatience;
        await EndAsync(job, patience);
    }

    /// <summary>Cancels the statement, so that Alembic rolls back; then deletes the Job, and waits until its pod is gone.</summary>
    /// <exception cref="NeedsPersonException">It could not be ended.</exception>
    public async Task CancelAsync(V1Job job, Task<JobEnd> watching, RunnerRequest request, CancellationTokenSource following)
    {
        run.Log.Warning("Cancelling the migration's statement, so that Alembic rolls back; then the Job {Job} is deleted", job.Metadata.Name);
        try
        {
            await TryOnServerAsync(request, (sessions, patience) => sessions.CancelAsync(request.ApplicationName, patience));
            await Task.WhenAny(watching, Task.Delay(options.RollbackPatience, run.Clock, CancellationToken.None));
            if (!watching.IsCompletedSuccessfully || watching.Result.ExitCode is null)
            {
                await EndAsync(job, options.EndPatience);
            }
        }
        finally
        {
            await Task.WhenAny(watching, Task.Delay(TimeSpan.FromSeconds(5), run.Clock, CancellationToken.None));
            await following.CancelAsync();
            await watching.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            await TerminateAsync(request);
        }
    }

    /// <summary>Ends what is left of the migration's sessions: a server notices a lost client only when the statement is over.</summary>
    public Task TerminateAsync(RunnerRequest request) => TryOnServerAsync(request, (sessions, patience) => sessions.TerminateAsync(request.ApplicationName, patience));

    /// <summary>The failure to throw; whether the database is unchanged is read by the caller.</summary>
    public static RunbookException Failed(V1Job job, JobFailure failure, string tail)
    {
        var why = tail.Length > 0 ? $"{failure.Why}; its last lines: {string.Join(" / ", tail.Split('\n'))}" : failure.Why;
        return failure.Kind == JobFailureKind.NodeLost ? new NeedsPersonException(failure.What, why, failure.Next) : new FailedCleanException(failure.What, why, failure.Next);
    }

    private Task EndAsync(V1Job job, TimeSpan limit) => run.Journal.ActAsync($"delete job {jobs.Cluster.Namespace}/{job.Metadata.Name}", new { job.Metadata.Uid }, async () =>
    {
        using var patience = new CancellationTokenSource(limit, run.Clock);
        Exception? trouble = null;
        while (!patience.IsCancellationRequested)
        {
            try
            {
                await jobs.DeleteAsync(job.Metadata.Name, job.Metadata.Uid, patience.Token);
                if (await jobs.FindAsync(job.Metadata.Name, patience.Token) is not { } still || still.Metadata.Uid != job.Metadata.Uid)
                {
                    // Somebody may have deleted it in a way that leaves the pod to end later.
                    if ((await jobs.PodsAsync(job.Metadata.Name, patience.Token)).Count == 0)
                    {
                        return new { Gone = true };
                    }
                }

                await Task.Delay(Poll, run.Clock, patience.Token);
            }
            catch (KubernetesApiException away)
            {
                trouble = away;
                await Task.Delay(Poll, run.Clock, CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                // The patience is over; what is left is said below.
            }
        }

        throw new NeedsPersonException(
            $"The Job {job.Metadata.Name} could not be ended: it, or its pod, may still be at work.",
            trouble is KubernetesApiException api ? $"{api.What} {api.Why}" : $"after {limit.TotalSeconds:0} s its pod is still there",
            $"{jobs.Cluster.Kubectl.Line($"delete job {job.Metadata.Name}")}   and wait until  {jobs.Cluster.Kubectl.Line($"get pods -l job-name={job.Metadata.Name}")}   shows none; then ./build.sh Status",
            trouble);
    });

    private async Task<V1Job?> FindLaterAsync(V1Job job, KubernetesApiException lost)
    {
        using var patience = new CancellationTokenSource(LostAnswer, run.Clock);
        while (true)
        {
            try
            {
                var found = await jobs.FindAsync(job.Metadata.Name, patience.Token);
                return found?.Metadata.Annotations?.TryGetValue(JobMarks.Run, out var id) == true && id == run.RunId ? found : null;
            }
            catch (Exception away) when (away is KubernetesApiException or OperationCanceledException)
            {
                if (patience.IsCancellationRequested)
                {
                    throw new NeedsPersonException(
                        $"It is not known whether the Job {job.Metadata.Name} was made: the API's answer was lost.",
                        lost.Why,
                        $"{jobs.Cluster.Kubectl.Line($"get job {job.Metadata.Name}")}   tells; repeat the command once the API answers: it follows the Job if there is one",
                        lost);
                }

                await Task.Delay(Poll, run.Clock, CancellationToken.None);
            }
        }
    }

    /// <summary>Asks the database's server, for a while. A courtesy: nothing that goes wrong here may keep the Job from being ended, so every exception is logged and goes no further.</summary>
    private async Task TryOnServerAsync(RunnerRequest request, Func<MigrationSessions, CancellationToken, Task<int>> act)
    {
        using var patience = new CancellationTokenSource(options.ServerPatience, run.Clock);
        try
        {
            await act(new MigrationSessions(request.Environment), patience.Token);
        }
        catch (Exception unreachable)
        {
            // What is left on the server is told when the state is read.
            run.Log.Warning(unreachable, "The migration's sessions could not be asked to end");
        }
    }
}
