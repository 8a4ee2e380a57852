using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using k8s;
using k8s.Models;
using Serilog;
using Serilog.Events;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>A port on 127.0.0.1 whose connections come out at a pod in the cluster, as with <c>kubectl port-forward</c>.</summary>
/// <remarks>
/// It listens at once and asks the cluster for nothing before somebody connects. Each connection gets a tunnel of its own, to a pod that is ready at that moment: where one dies,
/// its connections break, and the next ones go to another.
/// </remarks>
public sealed class PortForward : IDatabaseRoute, IAsyncDisposable
{
    private static readonly TimeSpan OpenPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);
    private readonly Lazy<KubernetesCluster> cluster;
    private readonly PortForwardTarget target;
    private readonly ILogger log;
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<int, Task> serving = new();
    private readonly Task accepting;
    private int count;

    private PortForward(Func<KubernetesCluster> cluster, PortForwardTarget target, string place, ILogger log)
    {
        (this.cluster, this.target, this.log) = (new Lazy<KubernetesCluster>(cluster), target, log);
        Endpoint = $"{target} ({place})";
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>The local port.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <inheritdoc/>
    public string Endpoint { get; }

    /// <inheritdoc/>
    public RunbookException? Failure { get; private set; }

    /// <summary>Listens.</summary>
    /// <param name="cluster">The cluster, with the target's namespace; asked for with the first connection.</param>
    /// <param name="target">Where to.</param>
    /// <param name="place">Namespace and context, for messages and records.</param>
    /// <param name="log">Where failures are told.</param>
    public static PortForward Listen(Func<KubernetesCluster> cluster, PortForwardTarget target, string place, ILogger log) => new(cluster, target, place, log);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await accepting;
        listener.Stop();
        await Task.WhenAny(Task.WhenAll(serving.Values), Task.Delay(EndPatience, TimeProvider.System, CancellationToken.None));
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var near = await listener.AcceptSocketAsync(stopping.Token);
                near.NoDelay = true;
                var id = Interlocked.Increment(ref count);
                var task = ServeAsync(near);
                serving[id] = task;
                _ = task.ContinueWith(_ => serving.TryRemove(id, out var _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException gone)
            {
                // Whoever connected went away before it was accepted; or there are no descriptors left, which takes a moment.
                log.Debug(gone, "A connection to {Endpoint:l} could not be accepted", Endpoint);
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    /// <summary>Whatever goes wrong with one connection is told and remembered, and is the end of that connection alone.</summary>
    private async Task ServeAsync(Socket near)
    {
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            patience.CancelAfter(OpenPatience);
            var (pod, port) = await ChooseAsync(patience.Token);
            await using var tunnel = await PodTunnel.OpenAsync(cluster.Value, pod, port, patience.Token);
            Failure = null;
            await using var stream = new NetworkStream(near, ownsSocket: false);
            await tunnel.CarryAsync(stream, stopping.Token);
            if (tunnel.Error.Length > 0)
            {
                throw new BadInputException($"The port-forward to pod {pod} failed.", tunnel.Error.Trim(), $"{cluster.Value.Kubectl.Line($"port-forward pod/{pod} {port}")}   shows the same; does PostgreSQL listen there?");
            }
        }
        catch (RunbookException failure)
        {
            // Said once: whoever connects through it says it as well, but a child such as pg_dump cannot.
            log.Write(Failure?.Message == failure.Message ? LogEventLevel.Debug : LogEventLevel.Warning, "A connection through {Endpoint:l} failed: {What:l} {Why:l}", Endpoint, failure.What, failure.Why);
            Failure = failure;
        }
        catch (Exception broken) when (broken is IOException or SocketException or System.Net.WebSockets.WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            log.Debug(broken, "A connection through {Endpoint:l} broke", Endpoint);
        }
        finally
        {
            near.Close();
        }
    }

    /// <summary>The pod, and the port of its container.</summary>
    private async Task<(string Pod, int Port)> ChooseAsync(CancellationToken cancellation)
    {
        if (!target.IsService)
        {
            return (target.Name, target.Port);
        }

        var service = await cluster.Value.CallAsync(new ApiAct("get", "services", target.Name), (client, ended) => client.CoreV1.ReadNamespacedServiceAsync(target.Name, cluster.Value.Namespace, cancellationToken: ended), cancellation);
        var port = service.Spec.Ports?.FirstOrDefault(one => one.Port == target.Port)
            ?? throw new BadInputException($"The service {target.Name} has no port {target.Port}.", $"it has {string.Join(", ", service.Spec.Ports?.Select(one => one.Port) ?? [])}", "correct the port-forward's port");
        if (service.Spec.Selector is not { Count: > 0 } selector)
        {
            throw new BadInputException($"The service {target.Name} selects no pods.", "it has no selector: it leads out of the cluster, or to endpoints that somebody keeps", "forward to a pod that reaches the database: docs/kubernetes.md has one that relays");
        }

        var pods = await cluster.Value.CallAsync(
            new ApiAct("list", "pods"),
            (client, ended) => client.CoreV1.ListNamespacedPodAsync(cluster.Value.Namespace, labelSelector: string.Join(',', selector.Select(label => $"{label.Key}={label.Value}")), cancellationToken: ended),
            cancellation);
        var ready = pods.Items.FirstOrDefault(pod => pod.Metadata.DeletionTimestamp is null && pod.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true)
            ?? throw new BadInputException($"No pod of the service {target.Name} is ready.", $"it has {pods.Items.Count}", $"{cluster.Value.Kubectl.Line("get pods")}   shows why");
        return (ready.Metadata.Name, PortOf(ready, port));
    }

    private static int PortOf(V1Pod pod, V1ServicePort port)
    {
        var wanted = port.TargetPort?.Value;
        if (string.IsNullOrEmpty(wanted))
        {
            return port.Port;
        }

        return int.TryParse(wanted, out var number)
            ? number
            : pod.Spec.Containers.SelectMany(container => container.Ports ?? []).FirstOrDefault(one => one.Name == wanted)?.ContainerPort
                ?? throw new BadInputException($"The pod {pod.Metadata.Name} has no port of the name {wanted}.", "its service leads there", "correct the service, or forward to the pod's own port");
    }
}
