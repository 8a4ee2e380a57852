using Aragora.Runbook.Applications.Workloads;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>Fake: does what a GitOps controller does, in its name: puts the number of replicas back as soon as it is another.</summary>
internal sealed class FakeController : IAsyncDisposable
{
    private readonly CancellationTokenSource ending = new();
    private readonly Task work;

    public FakeController(ClusterBench bench, string deployment, int replicas, string name, Func<Task<bool>>? mayAct = null) => work = WorkAsync(bench, deployment, replicas, name, mayAct ?? (() => Task.FromResult(true)));

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await work;
        ending.Dispose();
    }

    private async Task WorkAsync(ClusterBench bench, string deployment, int replicas, string name, Func<Task<bool>> mayAct)
    {
        try
        {
            while (true)
            {
                try
                {
                    if (new WorkloadObject(await bench.GetAsync(ClusterBench.Resource("Deployment"), deployment)).Replicas != replicas && await mayAct())
                    {
                        await bench.ScaleAsync(deployment, replicas, name);
                    }
                }
                catch (Exception passing) when (passing is HttpRequestException or k8s.Autorest.HttpOperationException)
                {
                    // A busy API server: the next look comes.
                }

                await Task.Delay(50, ending.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
