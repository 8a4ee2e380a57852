using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Verification;

/// <summary>Why there was no answer, told apart.</summary>
internal static class HealthFailures
{
    /// <summary>The answer that a failed request amounts to.</summary>
    public static HealthAnswer Explain(Uri url, Exception failure, CertificateComplaint? certificate, TimeSpan latency)
    {
        var (outcome, complaint, fix) = failure switch
        {
            _ when certificate is not null => (HealthOutcome.Tls, certificate.What, certificate.Fix),
            _ when Find<AuthenticationException>(failure) is { } tls => (HealthOutcome.Tls, $"TLS failed: {tls.Message}", "check that the endpoint speaks TLS on this port, and which versions"),
            HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError } proxy => (HealthOutcome.Broken, $"the proxy does not let it through: {proxy.Message}", $"check HTTPS_PROXY, or put {url.Host} into NO_PROXY"),
            _ when Find<SocketException>(failure) is { } socket => Network(url, socket),
            _ => (HealthOutcome.Broken, $"the connection broke: {(failure.InnerException ?? failure).Message}", "check that the address is that of the application, and http or https"),
        };
        return new HealthAnswer(outcome, null, latency, LogText.SingleLine(complaint, 500), fix);
    }

    private static (HealthOutcome Outcome, string Complaint, string Fix) Network(Uri url, SocketException socket) => socket.SocketErrorCode switch
    {
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => (HealthOutcome.UnknownHost, $"the host \"{url.Host}\" is unknown", "check the host in the health URL, or the name servers"),
        SocketError.ConnectionRefused => (HealthOutcome.Refused, $"nothing listens on {url.Authority}", "start the application, or check its port"),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => (HealthOutcome.Broken, "there is no route to it", "check the network, the VPN, the security group"),
        SocketError.TimedOut => (HealthOutcome.TimedOut, "it did not answer in time", "check the network path and the application's load"),
        _ => (HealthOutcome.Broken, $"the connection broke: {socket.Message}", "check the application's log"),
    };

    private static T? Find<T>(Exception? failure)
        where T : Exception
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is T found)
            {
                return found;
            }
        }

        return null;
    }
}

/// <summary>What is wrong with a certificate, and the fix.</summary>
/// <param name="What">What is wrong.</param>
/// <param name="Fix">What to do.</param>
internal sealed record CertificateComplaint(string What, string Fix)
{
    /// <summary>The complaint; null for a good certificate.</summary>
    public static CertificateComplaint? Of(string host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return null;
        }

        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return new CertificateComplaint("TLS: the server shows no certificate", "check the server's TLS configuration");
        }

        using var shown = new X509Certificate2(certificate);
        var status = (chain?.ChainStatus ?? []).Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            var (from, until) = (Measures.Moment(new DateTimeOffset(shown.NotBefore)), Measures.Moment(new DateTimeOffset(shown.NotAfter)));
            return new CertificateComplaint($"TLS: the certificate is expired or not yet valid ({from} to {until})", "renew the certificate, or check this machine's clock");
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return new CertificateComplaint($"TLS: the certificate is for {Names(shown)}, not for \"{host}\"", "ask under the name that the certificate is for, or get one for this name");
        }

        if (status.HasFlag(X509ChainStatusFlags.Revoked))
        {
            return new CertificateComplaint("TLS: the certificate was revoked", "get a new certificate");
        }

        return status.HasFlag(X509ChainStatusFlags.UntrustedRoot) || status.HasFlag(X509ChainStatusFlags.PartialChain)
            ? new CertificateComplaint(
                $"TLS: the certificate was issued by an unknown authority ({LogText.SingleLine(shown.Issuer, 100)})",
                "install the authority's certificate on this machine, or name its file in SSL_CERT_FILE; a server must also send its intermediate certificates")
            : new CertificateComplaint($"TLS: the certificate is not accepted ({status})", "check the certificate");
    }

    private static string Names(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString())))
            .ToList();
        return LogText.SingleLine(names.Count > 0 ? string.Join(", ", names) : certificate.Subject, 200);
    }
}
