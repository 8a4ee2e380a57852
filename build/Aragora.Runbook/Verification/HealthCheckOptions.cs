namespace Aragora.Runbook.Verification;

/// <summary>How long and how patiently the application is asked for its health.</summary>
public sealed record HealthCheckOptions
{
    /// <summary>How long it is asked altogether. Default: 60 seconds.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Between two requests, give or take a fifth. Default: 1 second.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long one request may take, body and all. Default: 5 seconds.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often in a row an answer that waiting does not change (404, 401, 403, a redirect, a certificate, an unknown host) is believed at last. Default: 5.
    /// More than one: an ingress that is being switched answers 404 for a moment.
    /// </summary>
    public int PermanentTries { get; init; } = 5;

    /// <summary>Whether a redirect to the same host is followed (also from http to https). Default: no: the endpoint named is the one that counts.</summary>
    public bool FollowSameHost { get; init; }

    /// <summary>Whether an HTML page with status 200 counts as healthy. Default: no: it is a login page or a single-page application more often than a health report.</summary>
    public bool AcceptHtml { get; init; }

    /// <summary>What a failure means. Default: nothing was changed before.</summary>
    public AfterFailure AfterFailure { get; init; } = AfterFailure.Clean;

    /// <summary>The hash of the migrations tree, for the evidence.</summary>
    public string? TreeHash { get; init; }
}
