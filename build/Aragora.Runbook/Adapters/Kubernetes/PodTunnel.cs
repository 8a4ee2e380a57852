using System.Net;
using System.Net.WebSockets;
using System.Text;
using k8s;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>One connection to a port of a pod, through the API server: Kubernetes' port-forward over a WebSocket.</summary>
/// <remarks>
/// Subprotocol <c>v4.channel.k8s.io</c>: the first byte of a message names its channel, 0 for data and 1 for errors; the first message of each channel holds the port
/// (kubernetes/kubelet, pkg/cri/streaming/portforward/websocket.go). The SDK's own demultiplexer buffers without bound and reads without cancellation.
/// </remarks>
internal sealed class PodTunnel : IAsyncDisposable
{
    private const string Protocol = "v4.channel.k8s.io";
    private const byte Data = 0;
    private const int PortBytes = 2;
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);
    private readonly WebSocket socket;

    private PodTunnel(WebSocket socket) => this.socket = socket;

    /// <summary>What the far end said of its own failure, such as that nothing listens on the port; empty where it said nothing.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Opens it.</summary>
    /// <exception cref="KubernetesApiException">The API refuses, or there is no such pod.</exception>
    public static Task<PodTunnel> OpenAsync(KubernetesCluster cluster, string pod, int port, CancellationToken cancellation) =>
        cluster.CallAsync(
            // A WebSocket begins with a GET, and RBAC sees that; newer servers want create as well.
            new ApiAct("get", "pods/portforward", pod),
            async (client, ended) =>
            {
                client.CreateWebSocketBuilder = () => new TellingBuilder();
                return new PodTunnel(await client.WebSocketNamespacedPodPortForwardAsync(pod, cluster.Namespace, [port], Protocol, cancellationToken: ended));
            },
            cancellation);

    /// <summary>Carries bytes both ways, until one end closes.</summary>
    /// <param name="near">The local end.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task CarryAsync(Stream near, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] ways = [OutAsync(near, over.Token), InAsync(near, over.Token)];
        try
        {
            await await Task.WhenAny(ways);
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(ways).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(ClosePatience);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", patience.Token);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or IOException)
        {
            // It is closed either way.
        }

        socket.Dispose();
    }

    private async Task OutAsync(Stream near, CancellationToken cancellation)
    {
        var buffer = new byte[1 + (64 * 1024)];
        buffer[0] = Data;
        int read;
        while ((read = await near.ReadAsync(buffer.AsMemory(1), cancellation)) > 0)
        {
            await socket.SendAsync(buffer.AsMemory(0, read + 1), WebSocketMessageType.Binary, endOfMessage: true, cancellation);
        }
    }

    private async Task InAsync(Stream near, CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        var skipped = new int[2];
        while (true)
        {
            byte? channel = null;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                var bytes = buffer.AsMemory(0, part.Count);
                if (channel is null && part.Count > 0)
                {
                    channel = buffer[0];
                    bytes = bytes[1..];
                }

                if (channel is not (0 or 1))
                {
                    continue;
                }

                var skip = Math.Min(PortBytes - skipped[channel.Value], bytes.Length);
                skipped[channel.Value] += skip;
                bytes = bytes[skip..];
                if (channel == Data)
                {
                    await near.WriteAsync(bytes, cancellation);
                }
                else if (bytes.Length > 0)
                {
                    Error += Encoding.UTF8.GetString(bytes.Span);
                }
            }
            while (!part.EndOfMessage);

            if (Error.Length > 0)
            {
                return;
            }
        }
    }

    /// <summary>Tells a refusal by its status: the SDK looks for one where .NET does not put it any more.</summary>
    private sealed class TellingBuilder : WebSocketBuilder
    {
        public override async Task<WebSocket> BuildAndConnectAsync(Uri uri, CancellationToken cancellationToken)
        {
            Options.CollectHttpResponseDetails = true;
            try
            {
                return await base.BuildAndConnectAsync(uri, cancellationToken);
            }
            catch (WebSocketException refused) when ((int)WebSocket.HttpStatusCode >= 300)
            {
                throw new StreamRefusedException(WebSocket.HttpStatusCode, refused);
            }
        }
    }
}
