using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Aragora.Runbook.Tests.Verification;

/// <summary>A real HTTP server on loopback that answers each request with what the test says, over TLS if it has a certificate.</summary>
internal sealed class SmallHttpServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<int, string?> answer;
    private readonly X509Certificate2? certificate;
    private readonly bool answersUnasked;
    private readonly Task serving;
    private int requests;

    /// <summary>The answer to the n-th request (from 1) as raw HTTP; null hangs until the client gives up.</summary>
    public SmallHttpServer(Func<int, string?> answer, X509Certificate2? certificate = null, bool answersUnasked = false)
    {
        (this.answer, this.certificate, this.answersUnasked) = (answer, certificate, answersUnasked);
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public Uri Url => new($"{(certificate is null ? "http" : "https")}://127.0.0.1:{Port}/health");

    public List<string> Heads { get; } = [];

    public static SmallHttpServer Always(int status, string body, string type = "application/json", string headers = "") => new(_ => Response(status, body, type, headers));

    public static string Response(int status, string body, string type = "application/json", string headers = "") =>
        $"HTTP/1.1 {status} X\r\nContent-Type: {type}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}Connection: close\r\n\r\n{body}";

    public static X509Certificate2 Certificate(string name = "127.0.0.1", int fromDays = -1, int toDays = 1)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(fromDays), now.AddDays(toDays));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await serving;
        listener.Stop();
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                open.Add(AnswerAsync(await listener.AcceptTcpClientAsync(stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                Stream stream = client.GetStream();
                if (certificate is not null)
                {
                    var tls = new SslStream(stream);
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop.Token);
                    stream = tls;
                }

                var head = new StringBuilder();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                while (!answersUnasked && await reader.ReadLineAsync(stop.Token) is { Length: > 0 } line)
                {
                    head.Append(line).Append('\n');
                }

                if (head.Length == 0 && !answersUnasked)
                {
                    return;
                }

                lock (Heads)
                {
                    Heads.Add(head.ToString());
                }

                if (answer(Interlocked.Increment(ref requests)) is not { } response)
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, stop.Token);
                    return;
                }

                await stream.WriteAsync(Encoding.UTF8.GetBytes(response), stop.Token);
                await stream.FlushAsync(stop.Token);
            }
            catch (Exception gone) when (gone is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException or SocketException)
            {
                // The client does not like the certificate, or gave up: what the test wants.
            }
        }
    }
}
