using System.Net.Sockets;
using System.Text;

namespace Aragora.LocalApi;

/// <summary>As much of HTTP/1.1 as a health check needs: GET and HEAD, one answer a connection.</summary>
/// <remarks>Not <c>HttpListener</c>: it cannot take "any free port", and answers 400 to a Host header it does not expect.</remarks>
internal sealed class HttpServer(TcpListener listener, Func<string, CancellationToken, Task<(int Status, string Body)?>> answer, string instance, ApiLog log)
{
    private const int LongestHead = 16 * 1024;

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(cancellation);
                _ = ServeAsync(client, cancellation);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException failed)
            {
                // The client went away before it was accepted; the listener is well.
                log.Write($"accept: {failed.Message}");
            }
        }
    }

    private async Task ServeAsync(TcpClient client, CancellationToken cancellation)
    {
        using var _ = client;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(15));
        try
        {
            var stream = client.GetStream();
            if (await ReadRequestLineAsync(stream, patience.Token) is not { } request)
            {
                return;
            }

            var (status, body) = request.Split(' ') switch
            {
                [("GET" or "HEAD"), var target, _] => await answer(target.Split('?')[0], patience.Token) ?? (404, """{"error":"nothing here; ask /health, /staging/health or /production/health"}"""),
                [_, _, _] => (405, """{"error":"only GET"}"""),
                _ => (400, """{"error":"not HTTP"}"""),
            };
            await stream.WriteAsync(Answer(status, body, withBody: !request.StartsWith("HEAD ", StringComparison.Ordinal)), patience.Token);
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException)
        {
            // The client went away, or never finished its request.
        }
        catch (Exception unexpected)
        {
            log.Write($"a request failed: {unexpected}");
        }
    }

    private static async Task<string?> ReadRequestLineAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var buffer = new byte[LongestHead];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellation);
            if (read == 0)
            {
                return null;
            }

            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
            {
                return Encoding.ASCII.GetString(buffer, 0, buffer.AsSpan(0, length).IndexOf("\r\n"u8));
            }
        }

        return "too long";
    }

    private byte[] Answer(int status, string body, bool withBody)
    {
        var reason = status switch { 200 => "OK", 404 => "Not Found", 405 => "Method Not Allowed", 503 => "Service Unavailable", _ => "Bad Request" };
        var head = $"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n"
            + $"Cache-Control: no-store\r\nX-Aragora-Instance: {instance}\r\nConnection: close\r\n\r\n";
        return Encoding.UTF8.GetBytes(withBody ? head + body : head);
    }
}
