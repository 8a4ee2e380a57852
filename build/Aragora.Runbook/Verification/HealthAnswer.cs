using System.Globalization;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Verification;

/// <summary>What one request for health came to.</summary>
public enum HealthOutcome
{
    /// <summary>The application says that it is well.</summary>
    Healthy,

    /// <summary>It answered, and is not.</summary>
    Unhealthy,

    /// <summary>There is no such endpoint (404, 405, 410).</summary>
    NotThere,

    /// <summary>It wants a login (401, 403, 407).</summary>
    Forbidden,

    /// <summary>It points elsewhere (3xx).</summary>
    Redirected,

    /// <summary>Its certificate is not good.</summary>
    Tls,

    /// <summary>The host's name is unknown.</summary>
    UnknownHost,

    /// <summary>Nothing listens.</summary>
    Refused,

    /// <summary>No answer within the request's timeout.</summary>
    TimedOut,

    /// <summary>The connection broke, or what came is not HTTP.</summary>
    Broken,
}

/// <summary>One answer, or the lack of it.</summary>
/// <param name="Outcome">What it came to.</param>
/// <param name="Status">The HTTP status; null without an answer.</param>
/// <param name="Latency">From the request to the end of the body, or to the failure.</param>
/// <param name="Complaint">What is wrong, one safe line; empty when healthy.</param>
/// <param name="Fix">What to do about it; empty when healthy.</param>
/// <param name="Version">The application's version where the body tells it.</param>
public sealed record HealthAnswer(HealthOutcome Outcome, int? Status, TimeSpan Latency, string Complaint, string Fix, string? Version = null)
{
    /// <summary>The schema revisions that the application says it works with, healthy or not; null where it does not say.</summary>
    public IReadOnlyList<string>? Revisions { get; init; }

    /// <summary>Whether waiting does not change it.</summary>
    public bool IsPermanent => Outcome is HealthOutcome.NotThere or HealthOutcome.Forbidden or HealthOutcome.Redirected or HealthOutcome.Tls or HealthOutcome.UnknownHost;

    /// <summary>Status, latency and complaint, for people.</summary>
    public override string ToString() =>
        string.Join(", ", new[] { Status is { } status ? string.Create(CultureInfo.InvariantCulture, $"HTTP {status}") : "", $"after {Measures.Duration(Latency)}" }.Where(part => part.Length > 0))
        + (Complaint.Length > 0 ? $": {Complaint}" : "");
}
