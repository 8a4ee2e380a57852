using System.Net;
using System.Net.Sockets;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Outcomes;
using Serilog.Core;
using Xunit;

namespace Aragora.Runbook.Tests.Clusters;

/// <summary>The end of a port-forward, without a cluster.</summary>
public sealed class PortForwardEndTests
{
    [Fact]
    public async Task A_forward_that_ends_while_somebody_connects_ends_without_an_error()
    {
        for (var round = 0; round < 200; round++)
        {
            var forward = PortForward.Listen(() => throw new BadInputException("No cluster.", "this test has none", "nothing"), new PortForwardTarget(IsService: true, "none", 5432), "nowhere", Logger.None);
            var connecting = Enumerable.Range(0, 4).Select(_ => ConnectAsync(forward.Port)).ToList();

            await forward.DisposeAsync();

            await Task.WhenAll(connecting);
        }
    }

    private static async Task ConnectAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
        }
        catch (SocketException)
        {
            // The forward was faster.
        }
    }
}
