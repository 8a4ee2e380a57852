using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Aragora.Runbook.Tests.Clusters;

/// <summary>A TCP proxy on 127.0.0.1 whose connections can be cut, and that can stay away for a while.</summary>
public sealed class CuttableProxy : IAsyncDisposable
{
    private readonly (string Host, int Port) target;
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<Guid, (Socket Near, Socket Far)> open = new();
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Task accepting;

    public CuttableProxy(string host, int port)
    {
        target = (host, port);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Whether new connections are closed at once.</summary>
    public bool IsAway { get; set; }

    /// <summary>How many connections were made.</summary>
    public int Accepted { get; private set; }

    /// <summary>Breaks every connection.</summary>
    public void Cut()
    {
        foreach (var (near, far) in open.Values)
        {
            near.Close(0);
            far.Close(0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await accepting;
        listener.Stop();
        Cut();
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await listener.AcceptSocketAsync(stopping.Token);
                Accepted++;
                if (IsAway)
                {
                    near.Close(0);
                }
                else
                {
                    _ = ServeAsync(near);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end of the proxy.
        }
    }

    private async Task ServeAsync(Socket near)
    {
        var id = Guid.NewGuid();
        var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await far.ConnectAsync(target.Host, target.Port, stopping.Token);
            open[id] = (near, far);
            await using var one = new NetworkStream(near);
            await using var other = new NetworkStream(far);
            await Task.WhenAny(one.CopyToAsync(other, stopping.Token), other.CopyToAsync(one, stopping.Token));
        }
        catch (Exception broken) when (broken is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Cut, which is what it is for.
        }
        finally
        {
            open.TryRemove(id, out _);
            near.Dispose();
            far.Dispose();
        }
    }
}
