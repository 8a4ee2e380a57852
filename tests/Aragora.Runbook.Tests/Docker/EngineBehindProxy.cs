using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Aragora.Runbook.Tests.Docker;

/// <summary>The real engine behind a TCP port, over connections that can be broken.</summary>
public sealed class EngineBehindProxy : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> open = [];
    private readonly string socket;

    public EngineBehindProxy(string socket)
    {
        this.socket = socket;
        listener.Start();
        _ = AcceptAsync();
    }

    public string Address => $"tcp://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>Whether every new connection is broken at once.</summary>
    public bool IsAway { get; set; }

    /// <summary>Breaks every connection that is open.</summary>
    public void Break()
    {
        while (open.TryTake(out var connection))
        {
            connection.Dispose();
        }
    }

    /// <summary>Breaks every connection, and takes no more.</summary>
    public void Dispose()
    {
        listener.Dispose();
        Break();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await listener.AcceptSocketAsync());
            }
        }
        catch (Exception closed) when (closed is SocketException or InvalidOperationException)
        {
            // The end of a proxy.
        }
    }

    private async Task ServeAsync(Socket near)
    {
        var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        open.Add(near);
        open.Add(far);
        if (IsAway)
        {
            near.Dispose();
            far.Dispose();
            return;
        }

        try
        {
            await far.ConnectAsync(new UnixDomainSocketEndPoint(socket));
            using var nearStream = new NetworkStream(near, ownsSocket: true);
            using var farStream = new NetworkStream(far, ownsSocket: true);
            await Task.WhenAny(nearStream.CopyToAsync(farStream), farStream.CopyToAsync(nearStream));
        }
        catch (Exception broken) when (broken is IOException or SocketException or ObjectDisposedException)
        {
            // Broken on purpose.
        }
    }
}
