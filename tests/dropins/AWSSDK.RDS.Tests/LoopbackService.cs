using System.Net;
using System.Net.Sockets;
using System.Text;
using Amazon.Runtime;

namespace Amazon.RDS.Tests;

/// <summary>A service on loopback that remembers the form it was sent, and gives the answer it was told to give.</summary>
internal sealed class LoopbackService : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly string url;

    public LoopbackService()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        url = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        free.Stop();
        listener.Prefixes.Add(url);
        listener.Start();
    }

    public string Authorization { get; private set; }

    /// <summary>The form that a call sends: its members, decoded and sorted, with &amp; between them.</summary>
    public async Task<(string Form, TResponse Response)> CallAsync<TResponse>(Func<IAmazonRDS, Task<TResponse>> call, string answer, int status = 200)
    {
        using var client = new AmazonRDSClient(new BasicAWSCredentials("key", "secret"), new AmazonRDSConfig { ServiceURL = url, AuthenticationRegion = "eu-central-1", MaxErrorRetry = 0 });
        var calling = call(client);
        var context = await listener.GetContextAsync();
        Authorization = context.Request.Headers["Authorization"];
        using var reader = new StreamReader(context.Request.InputStream);
        var form = string.Join('&', (await reader.ReadToEndAsync()).Split('&').Select(WebUtility.UrlDecode).Order(StringComparer.Ordinal));
        var bytes = Encoding.UTF8.GetBytes(answer);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/xml";
        await context.Response.OutputStream.WriteAsync(bytes);
        context.Response.Close();
        return (form, await calling);
    }

    public void Dispose() => ((IDisposable)listener).Dispose();
}
