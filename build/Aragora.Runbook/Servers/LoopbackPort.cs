using System.Net;
using System.Net.Sockets;

namespace Aragora.Runbook.Servers;

/// <summary>Ports on 127.0.0.1.</summary>
internal static class LoopbackPort
{
    /// <summary>The port if nobody has it, else one that was free a moment ago.</summary>
    public static int FreeOr(int wanted) => wanted > 0 && IsFree(wanted) ? wanted : Free();

    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
