using System.Buffers;
using System.Net;
using System.Text;
using k8s;
using k8s.Autorest;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>The log of one container, from its first line on.</summary>
/// <remarks>The SDK's own method has no <c>sinceTime</c>: the API takes it, and its description leaves it out.</remarks>
public sealed class PodLog(KubernetesCluster cluster, string pod, string container, TimeProvider clock)
{
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private readonly LogCursor cursor = new();

    /// <summary>How long a stream may take to end by itself once the container has. Default: 2 seconds.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Streams lines as they come; a stream that breaks is taken up again where it broke.</summary>
    /// <param name="onLine">Takes each line once, in the log's order.</param>
    /// <param name="onTrouble">Told when a stream broke.</param>
    /// <param name="ended">Cancelled when the container has ended: what is left is read, then this returns.</param>
    /// <param name="cancellation">Ends it at once.</param>
    /// <exception cref="KubernetesApiException">The last lines cannot be read.</exception>
    public async Task FollowAsync(Action<string> onLine, Action<KubernetesApiException> onTrouble, CancellationToken ended, CancellationToken cancellation)
    {
        var pause = TimeSpan.FromMilliseconds(200);
        while (!ended.IsCancellationRequested)
        {
            using var stream = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await using var draining = ended.Register(() => stream.CancelAfter(Drain));
            try
            {
                var lines = await ReadAsync(follow: true, onLine, stream.Token);
                pause = lines > 0 ? TimeSpan.FromMilliseconds(200) : Longer(pause);
            }
            catch (KubernetesApiException broken)
            {
                onTrouble(broken);
                pause = Longer(pause);
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                // The stream did not end with its container; what is left is read below.
                break;
            }

            await WaitAsync(pause, ended, cancellation);
        }

        await ReadAsync(follow: false, onLine, cancellation);
    }

    /// <summary>Every line that is there and was not taken before.</summary>
    /// <exception cref="KubernetesApiException">It cannot be read.</exception>
    public Task ReadAsync(Action<string> onLine, CancellationToken cancellation) => ReadAsync(follow: false, onLine, cancellation);

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;

    private async Task WaitAsync(TimeSpan pause, CancellationToken ended, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ended, cancellation);
        await Task.Delay(pause, clock, either.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        cancellation.ThrowIfCancellationRequested();
    }

    private async Task<int> ReadAsync(bool follow, Action<string> onLine, CancellationToken cancellation)
    {
        var taken = 0;
        await cluster.CallAsync(
            new ApiAct("get", "pods/log", pod),
            async (client, ended) =>
            {
                cursor.Restart();
                using var response = await OpenAsync(client, follow, ended);
                await using var stream = await response.Content.ReadAsStreamAsync(ended);
                await foreach (var line in LinesAsync(stream, keepsRest: !follow, ended))
                {
                    if (cursor.Take(line) is { } text)
                    {
                        taken++;
                        onLine(text);
                    }
                }

                return taken;
            },
            cancellation);
        return taken;
    }

    private async Task<HttpResponseMessage> OpenAsync(k8s.Kubernetes client, bool follow, CancellationToken cancellation)
    {
        var query = $"container={Uri.EscapeDataString(container)}&timestamps=true{(follow ? "&follow=true" : "")}{(cursor.SinceTime is { } since ? $"&sinceTime={Uri.EscapeDataString(since)}" : "")}";
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(client.BaseUri, $"api/v1/namespaces/{cluster.Namespace}/pods/{pod}/log?{query}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Answer);
        if (client.Credentials is not null)
        {
            await client.Credentials.ProcessHttpRequestAsync(request, patience.Token);
        }

        var response = await client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var said = await response.Content.ReadAsStringAsync(patience.Token);
            throw new HttpOperationException(said) { Response = new HttpResponseMessageWrapper(response, said) };
        }
    }

    /// <summary>Whole lines; what stands behind the last line break is a line only where nothing follows.</summary>
    private static async IAsyncEnumerable<string> LinesAsync(Stream stream, bool keepsRest, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var buffer = new byte[16 * 1024];
        var rest = new ArrayBufferWriter<byte>();
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellation)) > 0)
        {
            var from = 0;
            int end;
            while ((end = Array.IndexOf(buffer, (byte)'\n', from, read - from)) >= 0)
            {
                rest.Write(buffer.AsSpan(from, end - from));
                yield return Encoding.UTF8.GetString(rest.WrittenSpan);
                rest.ResetWrittenCount();
                from = end + 1;
            }

            rest.Write(buffer.AsSpan(from, read - from));
        }

        if (keepsRest && rest.WrittenCount > 0)
        {
            yield return Encoding.UTF8.GetString(rest.WrittenSpan);
        }
    }
}
