using System.Net;
using System.Net.Sockets;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Verification;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Verification;

public sealed class HealthProbeTests
{
    private static readonly HealthCheckOptions Options = new() { RequestTimeout = TimeSpan.FromSeconds(20) };

    [Theory]
    [InlineData("""{"status":"ok","version":"1.4.2"}""", "application/json", "1.4.2")]
    [InlineData("""{"Status":"Healthy","build":77}""", "application/json", "77")]
    [InlineData("""{"status":"UP","commit":"abc"}""", "application/vnd.health+json", "abc")]
    [InlineData("""{"status":"pass"}""", "application/json", null)]
    [InlineData("""{"status":200}""", "application/json", null)]
    [InlineData("""{"healthy":true}""", "application/json", null)]
    [InlineData("""{"database":"reachable"}""", "application/json", null)]
    [InlineData("""["ok"]""", "application/json", null)]
    [InlineData("OK", "text/plain", null)]
    [InlineData("", "text/plain", null)]
    public async Task Two_hundred_with_a_good_word_is_healthy(string body, string type, string? version)
    {
        await using var server = SmallHttpServer.Always(200, body, type);

        var answer = await AskAsync(server.Url);

        answer.Outcome.ShouldBe(HealthOutcome.Healthy, answer.ToString());
        answer.Version.ShouldBe(version);
    }

    [Theory]
    [InlineData("""{"status":"degraded","detail":"queue is full"}""", "it says \"degraded\": {\"status\":\"degraded\",\"detail\":\"queue is full\"}")]
    [InlineData("""{"status":"not ok"}""", "it says \"not ok\"")]
    [InlineData("""{"status":503}""", "it says \"503\"")]
    [InlineData("""{"healthy":false}""", "it says \"false\"")]
    public async Task Two_hundred_with_another_word_is_not_healthy(string body, string complaint)
    {
        await using var server = SmallHttpServer.Always(200, body);

        var answer = await AskAsync(server.Url);

        answer.Outcome.ShouldBe(HealthOutcome.Unhealthy);
        answer.Complaint.ShouldStartWith(complaint);
        answer.IsPermanent.ShouldBeFalse();
    }

    [Fact]
    public async Task An_HTML_page_is_no_health_report_unless_that_is_said()
    {
        await using var server = SmallHttpServer.Always(200, "<!DOCTYPE html><html><head><style>a{}</style><script>x()</script></head><body><h1>Please log in</h1></body></html>", "text/html");

        var answer = await AskAsync(server.Url);

        answer.Outcome.ShouldBe(HealthOutcome.Unhealthy);
        answer.Complaint.ShouldBe("it answers with an HTML page, not with a health report: Please log in");
        (await AskAsync(server.Url, Options with { AcceptHtml = true })).Outcome.ShouldBe(HealthOutcome.Healthy);
    }

    [Fact]
    public async Task The_complaint_of_the_body_is_told_masked_short_and_harmless()
    {
        var secrets = new SecretMask();
        secrets.Add("hunter2");
        await using var server = SmallHttpServer.Always(503, "\u001b[31mpassword hunter2 refused\n::error::x\u0000 " + new string('x', 1000), "text/plain");

        using var probe = new HealthProbe(server.Url, Options, secrets, TimeProvider.System);
        var answer = await probe.AskAsync(CancellationToken.None);

        answer.Status.ShouldBe(503);
        answer.Complaint.ShouldStartWith(@"password *** refused \::error::x xxx");
        answer.Complaint.Length.ShouldBe(500);
        answer.ToString().ShouldStartWith("HTTP 503, after ");
    }

    [Theory]
    [InlineData(404, HealthOutcome.NotThere, true)]
    [InlineData(401, HealthOutcome.Forbidden, true)]
    [InlineData(403, HealthOutcome.Forbidden, true)]
    [InlineData(500, HealthOutcome.Unhealthy, false)]
    [InlineData(429, HealthOutcome.Unhealthy, false)]
    public async Task Each_status_means_what_it_means(int status, HealthOutcome outcome, bool permanent)
    {
        await using var server = SmallHttpServer.Always(status, "");

        var answer = await AskAsync(server.Url);

        answer.Outcome.ShouldBe(outcome);
        answer.IsPermanent.ShouldBe(permanent);
        answer.Complaint.ShouldBe("(without a word)");
        answer.Fix.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_redirect_is_told_with_where_it_points_and_not_followed()
    {
        await using var server = new SmallHttpServer(_ => SmallHttpServer.Response(302, "", headers: "Location: https://login.example.com/start?token=s3cret\r\n"));

        var answer = await AskAsync(server.Url);

        answer.Outcome.ShouldBe(HealthOutcome.Redirected);
        answer.Complaint.ShouldBe("it redirects to https://login.example.com/start");
        server.Heads.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_redirect_to_the_same_host_is_followed_if_that_is_said_but_not_for_ever()
    {
        await using var good = new SmallHttpServer(request => request == 1 ? SmallHttpServer.Response(307, "", headers: "Location: /healthz\r\n") : SmallHttpServer.Response(200, "ok", "text/plain"));
        await using var loop = new SmallHttpServer(_ => SmallHttpServer.Response(307, "", headers: "Location: /health\r\n"));
        await using var elsewhere = new SmallHttpServer(_ => SmallHttpServer.Response(307, "", headers: "Location: http://localhost:1/health\r\n"));
        var follow = Options with { FollowSameHost = true };

        (await AskAsync(good.Url, follow)).Outcome.ShouldBe(HealthOutcome.Healthy);
        good.Heads[1].ShouldStartWith("GET /healthz ");
        (await AskAsync(loop.Url, follow)).Outcome.ShouldBe(HealthOutcome.Redirected);
        loop.Heads.Count.ShouldBe(4);
        (await AskAsync(loop.Url)).Outcome.ShouldBe(HealthOutcome.Redirected);
        loop.Heads.Count.ShouldBe(5);
        (await AskAsync(elsewhere.Url, follow)).Complaint.ShouldBe("it redirects to http://localhost:1/health");
    }

    [Theory]
    [InlineData("unknown authority", "127.0.0.1", -1, 1, "issued by an unknown authority (CN=127.0.0.1)", "SSL_CERT_FILE")]
    [InlineData("expired", "127.0.0.1", -9, -2, "expired or not yet valid", "renew")]
    [InlineData("another name", "api.example.com", -1, 1, "the certificate is for api.example.com, not for \"127.0.0.1\"", "name")]
    public async Task Each_fault_of_a_certificate_is_told_with_its_fix(string fault, string name, int from, int to, string complaint, string fix)
    {
        using var certificate = SmallHttpServer.Certificate(name, from, to);
        await using var server = new SmallHttpServer(_ => SmallHttpServer.Response(200, "ok"), certificate);

        var answer = await AskAsync(server.Url);

        answer.Outcome.ShouldBe(HealthOutcome.Tls, fault);
        answer.Complaint.ShouldContain(complaint);
        answer.Fix.ShouldContain(fix);
        answer.IsPermanent.ShouldBeTrue();
        server.Heads.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_speaks_no_TLS_is_told()
    {
        await using var server = new SmallHttpServer(_ => SmallHttpServer.Response(400, "speak HTTP"), answersUnasked: true);

        var answer = await AskAsync(new Uri($"https://127.0.0.1:{server.Port}/health"));

        answer.Outcome.ShouldBe(HealthOutcome.Tls);
        answer.Complaint.ShouldStartWith("TLS failed: ");
    }

    [Fact]
    public async Task An_unknown_host_is_told()
    {
        var answer = await AskAsync(new Uri("http://no-such-host.invalid/health"));

        Assert.SkipWhen(answer.Outcome is HealthOutcome.Unhealthy or HealthOutcome.Forbidden or HealthOutcome.Broken, "a proxy of the surroundings answers for unknown hosts");
        answer.Outcome.ShouldBe(HealthOutcome.UnknownHost);
        answer.Complaint.ShouldBe("the host \"no-such-host.invalid\" is unknown");
    }

    [Fact]
    public async Task A_closed_port_is_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var answer = await AskAsync(new Uri($"http://127.0.0.1:{port}/health"));

        answer.Outcome.ShouldBe(HealthOutcome.Refused);
        answer.Complaint.ShouldBe($"nothing listens on 127.0.0.1:{port}");
    }

    [Fact]
    public async Task Silence_is_told_as_a_timeout()
    {
        await using var server = new SmallHttpServer(_ => null);

        var answer = await AskAsync(server.Url, Options with { RequestTimeout = TimeSpan.FromMilliseconds(200) });

        answer.Outcome.ShouldBe(HealthOutcome.TimedOut);
        answer.Complaint.ShouldBe("no answer within 200 ms");
    }

    [Theory]
    [InlineData("")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort")]
    public async Task What_is_not_HTTP_is_told(string response)
    {
        await using var server = new SmallHttpServer(_ => response);

        (await AskAsync(server.Url)).Outcome.ShouldBe(HealthOutcome.Broken);
    }

    [Fact]
    public async Task A_login_in_the_URL_is_sent_and_never_shown()
    {
        var secrets = new SecretMask();
        await using var server = SmallHttpServer.Always(401, "no hunter2pw");
        var url = new UriBuilder(server.Url) { UserName = "ops", Password = "hunter2pw", Query = "key=1" }.Uri;

        using var probe = new HealthProbe(url, Options, secrets, TimeProvider.System);
        var answer = await probe.AskAsync(CancellationToken.None);

        server.Heads[0].ShouldContain("Authorization: Basic b3BzOmh1bnRlcjJwdw==");
        server.Heads[0].ShouldStartWith("GET /health?key=1 ");
        answer.Complaint.ShouldBe("no ***");
        HealthProbe.Shown(url).ShouldBe(server.Url);
    }

    private static async Task<HealthAnswer> AskAsync(Uri url, HealthCheckOptions? options = null)
    {
        using var probe = new HealthProbe(url, options ?? Options, new SecretMask(), TimeProvider.System);
        return await probe.AskAsync(CancellationToken.None);
    }
}
