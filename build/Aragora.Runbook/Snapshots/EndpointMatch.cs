using System.Net;
using System.Net.Sockets;
using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Snapshots;

/// <summary>Whether the database URL leads to the instance. A name of its own, a proxy or a tunnel leads there as well, so a difference is worth a warning and no refusal.</summary>
public static class EndpointMatch
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>What differs, for people; null where the URL names the endpoint, or a name of the same address.</summary>
    /// <param name="url">The database.</param>
    /// <param name="subject">The instance or cluster.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task<string?> DifferenceAsync(PostgresUrl url, SnapshotSubject subject, CancellationToken cancellation)
    {
        if (subject.Endpoints.Any(endpoint => Same(endpoint.Host, url.Host) && endpoint.Port == url.Port))
        {
            return null;
        }

        var there = string.Join(" and ", subject.Endpoints.Select(endpoint => $"{endpoint.Host}:{endpoint.Port}"));
        var differs = $"the database URL names {url.Endpoint}, and {subject.Identifier} is at {(there.Length > 0 ? there : "no endpoint yet")}";
        if (url.IsSocket)
        {
            return differs;
        }

        var named = await AddressesAsync(url.Host, cancellation);
        foreach (var endpoint in subject.Endpoints.Where(endpoint => endpoint.Port == url.Port))
        {
            if (named.Intersect(await AddressesAsync(endpoint.Host, cancellation)).Any())
            {
                return null;
            }
        }

        return differs;
    }

    private static bool Same(string left, string right) => left.TrimEnd('.').Equals(right.TrimEnd('.'), StringComparison.OrdinalIgnoreCase);

    private static async Task<IReadOnlyList<IPAddress>> AddressesAsync(string host, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return await Dns.GetHostAddressesAsync(host, patience.Token);
        }
        catch (Exception unknown) when (!cancellation.IsCancellationRequested && unknown is SocketException or OperationCanceledException or ArgumentException)
        {
            // A name that this machine cannot look up leads nowhere that could be compared.
            return [];
        }
    }
}
