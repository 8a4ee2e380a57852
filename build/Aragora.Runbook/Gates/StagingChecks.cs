using Aragora.Runbook.Environments;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Gates;

/// <summary>The suite and the health URL that this run would check staging with: evidence of others proves nothing to it.</summary>
/// <param name="SuiteHash">What the suite holds; null where there is none, which no evidence fits.</param>
/// <param name="HealthUrl">What is asked for health, as evidence shows it; null where none is named, which no evidence fits.</param>
public sealed record StagingChecks(string? SuiteHash, Uri? HealthUrl)
{
    /// <summary>The checks of this run.</summary>
    /// <param name="root">The root of the checkout.</param>
    /// <param name="smokeTest">Names the suite.</param>
    /// <param name="staging">Names the health URL.</param>
    public static StagingChecks Of(string root, SmokeTestOptions smokeTest, DatabaseEnvironment staging) =>
        new(Verification.SuiteHash.Of(root, smokeTest.Suite), staging.HealthUrl is { IsAbsoluteUri: true } url ? HealthProbe.Shown(url) : null);

    /// <summary>Why a green smoke test does not count; null where it does.</summary>
    internal string? ComplaintAboutSuite(SmokeTestFacts facts) =>
        SuiteHash is null ? "the suite of this run is not there"
        : facts.SuiteHash == SuiteHash ? null
        : $"it ran another suite than this run's, or an earlier state of it ({facts.Suite})";

    /// <summary>Why a green health check does not count; null where it does.</summary>
    internal string? ComplaintAboutHealth(HealthFacts facts) =>
        HealthUrl is null ? "this run has no health URL of staging"
        : facts.Url == HealthUrl ? null
        : $"it asked {facts.Url}, and this run's health URL is {HealthUrl}";
}
