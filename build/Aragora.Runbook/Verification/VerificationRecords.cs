namespace Aragora.Runbook.Verification;

/// <summary>A smoke test run, as evidence, green or red.</summary>
/// <param name="Suite">The suite's path.</param>
/// <param name="Passed">Tests passed; never 0 in a green record.</param>
/// <param name="Skipped">Tests skipped.</param>
/// <param name="ReadOnly">Whether only tests marked <c>production_safe</c> ran, in sessions that are read-only by default.</param>
/// <param name="ResultsFile">The JUnit XML.</param>
/// <param name="SuiteHash">What the suite holds; see <see cref="Verification.SuiteHash"/>. Null in records of earlier builds.</param>
public sealed record SmokeTestFacts(string Suite, int Passed, int Skipped, bool ReadOnly, string ResultsFile, string? SuiteHash = null);

/// <summary>A health check, as evidence, green or red.</summary>
/// <param name="Url">What was asked.</param>
/// <param name="Status">The HTTP status; 0 in a red record where nothing answered.</param>
/// <param name="Latency">From request to the end of the body, of the answer that counted.</param>
/// <param name="Attempts">How often it was asked.</param>
/// <param name="Version">The application's version where the body tells it.</param>
public sealed record HealthFacts(Uri Url, int Status, TimeSpan Latency, int Attempts, string? Version);
