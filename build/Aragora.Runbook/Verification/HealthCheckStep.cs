using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Verification;

/// <summary>Asks the application until it says that it is healthy, or the deadline has passed.</summary>
/// <remarks>
/// An answer that waiting does not change (no such path, a login, a redirect, a certificate, an unknown host) ends it early, after
/// <see cref="HealthCheckOptions.PermanentTries"/> of the same kind in a row. Refused connections, timeouts and 5xx are what a starting application looks like: they are waited for.
/// </remarks>
public sealed class HealthCheckStep(RunContext run)
{
    /// <summary>Asks, and writes evidence: green, or red where it is not healthy.</summary>
    /// <exception cref="RefusedException">The environment has no health URL.</exception>
    /// <exception cref="BadInputException">The health URL is not one of http or https, or the database cannot be reached (the evidence names it).</exception>
    /// <exception cref="FailedCleanException">It is not healthy, and <see cref="HealthCheckOptions.AfterFailure"/> says that nothing was changed before.</exception>
    /// <exception cref="NeedsPersonException">It is not healthy after a change.</exception>
    public async Task<HealthFacts> RunAsync(DatabaseEnvironment environment, HealthCheckOptions options, CancellationToken cancellation)
    {
        var url = UrlOf(environment);
        var shown = HealthProbe.Shown(url);
        var started = run.Clock.GetTimestamp();
        run.Log.Information("Health of {Environment}: asking {Url} for at most {Deadline}", environment.DisplayName, shown, Measures.Duration(options.Deadline));

        using var probe = new HealthProbe(url, options, run.Secrets, run.Clock);
        var (answer, attempts) = await PollAsync(probe, environment, options, started, cancellation);
        if (answer.Outcome != HealthOutcome.Healthy)
        {
            var failure = options.AfterFailure.Failure(
                $"{environment.DisplayName} is not healthy: {shown}",
                $"{answer} (asked {Measures.Count(attempts, "time")} in {Measures.Duration(run.Clock.GetElapsedTime(started))}{(answer.IsPermanent ? "; waiting does not change this" : "")})",
                Next(environment, options, answer));
            var unwell = new HealthFacts(shown, answer.Status ?? 0, answer.Latency, attempts, answer.Version);
            await run.RecordFailureAsync(EvidenceKinds.HealthCheck, environment, await run.TryReadAsync(environment, cancellation), unwell, run.Clock.GetElapsedTime(started), options.TreeHash, failure);
            throw failure;
        }

        var seen = await DatabaseInspector.ReadAsync(environment, cancellation);
        var facts = new HealthFacts(shown, answer.Status!.Value, answer.Latency, attempts, answer.Version);
        await run.RecordAsync(EvidenceKinds.HealthCheck, environment, seen, facts, run.Clock.GetElapsedTime(started), options.TreeHash, cancellation);
        run.Log.Information("Health of {Environment}: HTTP {Status} in {Latency}, version {Version}", environment.DisplayName, facts.Status, Measures.Duration(facts.Latency), facts.Version ?? "not told");
        return facts;
    }

    private async Task<(HealthAnswer Answer, int Attempts)> PollAsync(HealthProbe probe, DatabaseEnvironment environment, HealthCheckOptions options, long started, CancellationToken cancellation)
    {
        HealthAnswer? last = null;
        var alike = 0;
        for (var attempt = 1; ; attempt++)
        {
            var answer = await probe.AskAsync(cancellation);
            if (answer.Outcome == HealthOutcome.Healthy)
            {
                return (answer, attempt);
            }

            if (answer.Outcome != last?.Outcome || answer.Complaint != last.Complaint)
            {
                run.Log.Information("Health of {Environment}: {Answer:l}", environment.DisplayName, answer.ToString());
            }

            alike = answer.Outcome == last?.Outcome ? alike + 1 : 1;
            last = answer;
            var pause = options.Interval * (0.8 + (0.4 * Random.Shared.NextDouble()));
            if ((answer.IsPermanent && alike >= options.PermanentTries) || run.Clock.GetElapsedTime(started) + pause >= options.Deadline)
            {
                return (answer, attempt);
            }

            await Task.Delay(pause, run.Clock, cancellation);
        }
    }

    private static Uri UrlOf(DatabaseEnvironment environment)
    {
        var url = environment.HealthUrl ?? throw new RefusedException(
            $"{environment.DisplayName} has no health URL.",
            "a migration that nobody asked the application about is not verified",
            $"give --{environment.DisplayName}-health-url https://host/health");
        return url.IsAbsoluteUri && url.Scheme is "http" or "https" ? url : throw new BadInputException(
            $"The health URL of {environment.DisplayName} is not one of http or https.",
            $"it is of the kind \"{(url.IsAbsoluteUri ? url.Scheme : "relative")}\"",
            $"give --{environment.DisplayName}-health-url https://host/health");
    }

    private static string Next(DatabaseEnvironment environment, HealthCheckOptions options, HealthAnswer answer)
    {
        var again = $"./build.sh HealthCheck --target-environment {environment.DisplayName}";
        return options.AfterFailure switch
        {
            AfterFailure.NeedsPerson => $"{answer.Fix}; then {again}, or ./build.sh Rollback --target-environment {environment.DisplayName} --strategy Downgrade --revision -1",
            AfterFailure.RolledBack => $"{answer.Fix}; then {again}; ./build.sh Status tells where the database stands, ./build.sh Contacts whom to call",
            _ => $"{answer.Fix}; then {again}",
        };
    }
}
