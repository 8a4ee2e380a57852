using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Journal;
using k8s.Models;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>A short Job that only looks, and is removed whatever it saw.</summary>
internal sealed class CheckJob(RunContext run, JobClient jobs, KubernetesRunnerOptions options)
{
    private static readonly TimeSpan ApiPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan GonePatience = TimeSpan.FromSeconds(15);

    /// <summary>Runs it to its end.</summary>
    /// <param name="job">The Job.</param>
    /// <param name="container">The container that counts.</param>
    /// <param name="onLine">Takes its lines.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="KubernetesApiException">The API refuses it, or cannot be reached.</exception>
    public async Task<JobEnd> RunAsync(V1Job job, string container, Action<string> onLine, CancellationToken cancellation)
    {
        V1Job? made = null;
        try
        {
            var impatient = options with { ApiPatience = ApiPatience };
            await run.Journal.ActAsync($"create job {jobs.Cluster.Namespace}/{job.Metadata.Name}", new { Cluster = jobs.Cluster.Description, Purpose = "look into the image", job.Spec.Template.Spec.Containers[0].Image }, async () =>
            {
                // Once it is asked for, the answer is waited for, so that it can be removed.
                cancellation.ThrowIfCancellationRequested();
                made = await jobs.CreateAsync(job, dryRun: false, CancellationToken.None);
                return new { made.Metadata.Uid };
            });
            return await new JobFollower(jobs, impatient, run.Log, run.Clock) { NeedsLog = true }.FollowAsync(made!, container, image: null, onLine, cancellation);
        }
        finally
        {
            if (made is not null)
            {
                await RemoveAsync(made);
            }
        }
    }

    /// <summary>Not cancelled with the run. Gone, and not only on the way: a quota may have room for one pod alone.</summary>
    private async Task RemoveAsync(V1Job made)
    {
        try
        {
            await run.Journal.ActAsync($"delete job {jobs.Cluster.Namespace}/{made.Metadata.Name}", new { made.Metadata.Uid }, async () =>
            {
                using var patience = new CancellationTokenSource(GonePatience, run.Clock);
                await jobs.DeleteAsync(made.Metadata.Name, made.Metadata.Uid, patience.Token);
                while (await jobs.FindAsync(made.Metadata.Name, patience.Token) is { } still && still.Metadata.Uid == made.Metadata.Uid)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(250), run.Clock, patience.Token);
                }

                return new { Gone = true };
            });
        }
        catch (Exception stays) when (stays is KubernetesApiException or OperationCanceledException)
        {
            // It has a deadline and a ttl of minutes: what it saw counts all the same.
            run.Log.Warning("The Job {Job} could not be removed ({Why:l}); it goes by itself within minutes", made.Metadata.Name, (stays as KubernetesApiException)?.Why ?? "it takes its time");
        }
    }
}
