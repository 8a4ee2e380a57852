using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Verification;

/// <summary>Asks a health endpoint once. Every try is a new connection: a name, a route or a certificate that was mended counts at once.</summary>
/// <remarks>The surroundings' proxy (<c>HTTPS_PROXY</c>, <c>NO_PROXY</c>) is used, but never for loopback. Cookies are not kept.</remarks>
public sealed class HealthProbe : IDisposable
{
    private const int MostBytes = 64 * 1024;
    private const int MostRedirects = 3;
    private readonly Uri url;
    private readonly HealthCheckOptions options;
    private readonly SecretMask secrets;
    private readonly TimeProvider clock;
    private readonly HttpClient client;
    private CertificateComplaint? certificate;

    /// <summary>Prepares to ask <paramref name="url"/>; a user and password in it are sent as basic authentication, and masked.</summary>
    public HealthProbe(Uri url, HealthCheckOptions options, SecretMask secrets, TimeProvider clock)
    {
        (this.url, this.options, this.secrets, this.clock) = (url, options, secrets, clock);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !url.IsLoopback,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectTimeout = options.RequestTimeout,
            AutomaticDecompression = DecompressionMethods.All,
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, chain, errors) =>
        {
            certificate = CertificateComplaint.Of(url.Host, shown, chain, errors);
            return certificate is null;
        };
        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("aragora-runbook", "1"));
        client.DefaultRequestHeaders.CacheControl = new CacheControlHeaderValue { NoCache = true };
        if (url.UserInfo.Length > 0)
        {
            var login = Uri.UnescapeDataString(url.UserInfo);
            secrets.Add(login.Contains(':', StringComparison.Ordinal) ? login[(login.IndexOf(':', StringComparison.Ordinal) + 1)..] : null);
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(login)));
        }
    }

    /// <summary>The URL for people: without user, password and query.</summary>
    public static Uri Shown(Uri url) => new(url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped));

    /// <summary>Asks once. Never throws for what the other side does.</summary>
    public async Task<HealthAnswer> AskAsync(CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        using var timeout = new CancellationTokenSource(options.RequestTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        certificate = null;
        try
        {
            return await AskAsync(url, MostRedirects, started, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new HealthAnswer(HealthOutcome.TimedOut, null, clock.GetElapsedTime(started), $"no answer within {Measures.Duration(options.RequestTimeout)}", "check the network path and the application's load");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return HealthFailures.Explain(url, failure, certificate, clock.GetElapsedTime(started));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async Task<HealthAnswer> AskAsync(Uri address, int redirects, long started, CancellationToken cancellation)
    {
        using var response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (response.StatusCode is >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest and not HttpStatusCode.NotModified)
        {
            var target = response.Headers.Location is { } location ? new Uri(address, location) : null;
            return target is not null && options.FollowSameHost && redirects > 0 && IsSameHost(address, target)
                ? await AskAsync(target, redirects - 1, started, cancellation)
                : Redirected(response, target, clock.GetElapsedTime(started));
        }

        var text = await ReadAsync(response.Content, cancellation);
        var body = HealthBody.Read(secrets.Apply(text), response.Content.Headers.ContentType?.MediaType);
        return Judge((int)response.StatusCode, body, clock.GetElapsedTime(started)) with { Revisions = body.Revisions };
    }

    private HealthAnswer Judge(int status, HealthBody body, TimeSpan latency) => status switch
    {
        401 or 403 or 407 => new HealthAnswer(HealthOutcome.Forbidden, status, latency, Said(body), "give the health endpoint a path that needs no login, or put user:password@ into the URL"),
        404 or 405 or 410 => new HealthAnswer(HealthOutcome.NotThere, status, latency, Said(body), "check the path of the health URL, and which version is deployed"),
        < 200 or > 299 => new HealthAnswer(HealthOutcome.Unhealthy, status, latency, Said(body), "read the application's log"),
        _ when body.SaysUnhealthy => new HealthAnswer(HealthOutcome.Unhealthy, status, latency, $"it says \"{body.Status}\": {body.Text}", "read the application's log"),
        _ when body.IsHtml && !options.AcceptHtml => new HealthAnswer(
            HealthOutcome.Unhealthy, status, latency, $"it answers with an HTML page, not with a health report: {body.Text}", "check the path: a login page or a single-page application answers everything with 200"),
        _ => new HealthAnswer(HealthOutcome.Healthy, status, latency, "", "", body.Version),
    };

    private static string Said(HealthBody body) => body.Text.Length > 0 ? body.Text : "(without a word)";

    private HealthAnswer Redirected(HttpResponseMessage response, Uri? target, TimeSpan latency)
    {
        var where = target is null ? "without saying where" : $"to {LogText.SingleLine(secrets.Apply(Shown(target).ToString()), 300)}";
        var fix = target is null ? "check the health URL" : "if that is the right address, make it the health URL";
        return new HealthAnswer(HealthOutcome.Redirected, (int)response.StatusCode, latency, $"it redirects {where}", fix);
    }

    /// <summary>A step up to https on the usual ports is the same host; a step down is not.</summary>
    private static bool IsSameHost(Uri from, Uri to) =>
        from.Host == to.Host && to.Scheme is "http" or "https" && (from.Authority == to.Authority ? from.Scheme == to.Scheme || to.Scheme == "https" : from.IsDefaultPort && to.IsDefaultPort && to.Scheme == "https");

    private static async Task<string> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[MostBytes];
        var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }
}
