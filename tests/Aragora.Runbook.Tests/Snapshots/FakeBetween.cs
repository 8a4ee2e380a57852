using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>
/// Stands between a client and moto, and fakes what moto cannot: RDS's slowness and its errors. Each request is handed to the test, which lets it pass, changes the answer, or answers itself.
/// </summary>
internal sealed class FakeBetween : IAsyncDisposable
{
    private static readonly HttpClient Http = new();
    private readonly HttpListener listener = new();
    private readonly Func<FakeRequest, Task<FakeAnswer>> answer;
    private readonly Uri? moto;
    private readonly Task serving;

    public FakeBetween(Uri? moto, Func<FakeRequest, Task<FakeAnswer>> answer)
    {
        (this.moto, this.answer) = (moto, answer);
        Url = new Uri($"http://127.0.0.1:{LoopbackPort.Free()}/");
        listener.Prefixes.Add(Url.ToString());
        listener.Start();
        serving = ServeAsync();
    }

    public Uri Url { get; }

    /// <summary>Every action that was asked for, with its members, in order.</summary>
    public ConcurrentQueue<FakeRequest> Asked { get; } = new();

    /// <summary>An error as RDS words it.</summary>
    public static FakeAnswer Error(int status, string code, string message) => new(
        status,
        $"<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{WebUtility.HtmlEncode(message)}</Message></Error><RequestId>fake-request</RequestId></ErrorResponse>");

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await serving;
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception stopped) when (stopped is HttpListenerException or InvalidOperationException)
            {
                break;
            }

            open.Add(AnswerAsync(context));
        }

        await Task.WhenAll(open);
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            await AnswerToAsync(context);
        }
        catch (Exception gone) when (gone is HttpListenerException or IOException or InvalidOperationException or HttpRequestException or OperationCanceledException)
        {
            // The client has given up: it was killed, or had no patience.
            context.Response.Abort();
        }
    }

    private async Task AnswerToAsync(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream);
        var body = await reader.ReadToEndAsync();
        var members = body.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToDictionary(pair => WebUtility.UrlDecode(pair[0]), pair => WebUtility.UrlDecode(pair.ElementAtOrDefault(1) ?? ""), StringComparer.Ordinal);
        var request = new FakeRequest(members, () => PassAsync(context.Request, body));
        Asked.Enqueue(request);
        var given = await answer(request);
        if (given.Status == 0)
        {
            context.Response.Abort();
            return;
        }

        var bytes = Encoding.UTF8.GetBytes(given.Body);
        context.Response.StatusCode = given.Status;
        context.Response.ContentType = "text/xml";
        context.Response.ContentLength64 = bytes.Length;
        await context.Response.OutputStream.WriteAsync(bytes);
        context.Response.Close();
    }

    private async Task<FakeAnswer> PassAsync(HttpListenerRequest from, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, moto) { Content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded") };
        request.Headers.TryAddWithoutValidation("Authorization", from.Headers["Authorization"]);
        using var passed = await Http.SendAsync(request);
        return new FakeAnswer((int)passed.StatusCode, await passed.Content.ReadAsStringAsync());
    }
}

/// <summary>What was asked.</summary>
internal sealed record FakeRequest(IReadOnlyDictionary<string, string> Members, Func<Task<FakeAnswer>> PassAsync)
{
    public string Action => Members.GetValueOrDefault("Action", "");

    public string? this[string member] => Members.GetValueOrDefault(member);
}

/// <summary>What is answered; status 0 tears the connection.</summary>
internal sealed record FakeAnswer(int Status, string Body)
{
    public static FakeAnswer Torn { get; } = new(0, "");

    public FakeAnswer With(string text, string instead) => this with { Body = Body.Replace(text, instead, StringComparison.Ordinal) };
}
