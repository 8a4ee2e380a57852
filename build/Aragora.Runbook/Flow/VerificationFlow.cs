using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Tooling;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Flow;

/// <summary>SmokeTest and HealthCheck: of the environment that this run has moved, else of the one that was asked for, else of production.</summary>
public sealed class VerificationFlow(RunContext run, RunbookOptions options, RunbookEnvironments environments, LoadedTree tree, ICommandRunner commands, IPythonTools python, RunVerdict verdict)
{
    /// <summary>The smoke tests of the environment in question.</summary>
    public async Task<StepFact> SmokeTestAsync(CancellationToken cancellation)
    {
        var environment = await TargetAsync(cancellation);
        var facts = await SmokeTestAsync(environment, AfterFailure(), cancellation);
        verdict.Verified("SmokeTest");
        return new StepFact("tests", $"{environment.DisplayName}: {facts.Passed} passed, {facts.Skipped} skipped{(facts.ReadOnly ? ", read-only" : "")}");
    }

    /// <summary>The health of the environment in question.</summary>
    public async Task<StepFact> HealthCheckAsync(CancellationToken cancellation)
    {
        var environment = await TargetAsync(cancellation);
        var facts = await HealthCheckAsync(environment, AfterFailure(), cancellation);
        verdict.Verified("HealthCheck");
        return new StepFact("health", $"{environment.DisplayName}: {facts.Status} in {facts.Latency.TotalMilliseconds:0} ms{(facts.Version is null ? "" : $", version {facts.Version}")}");
    }

    /// <summary>The smoke tests of one environment.</summary>
    public async Task<SmokeTestFacts> SmokeTestAsync(DatabaseEnvironment environment, AfterFailure after, CancellationToken cancellation)
    {
        var now = await DatabaseInspector.ReadAsync(environment, cancellation);
        return await new SmokeTestStep(run, commands, python).RunAsync(
            environment,
            options.SmokeTest with
            {
                AfterFailure = after,
                TreeHash = await tree.HashAsync(cancellation),
                ExpectedRevision = now.Revisions is [var revision] ? revision : now.Revisions.Count == 0 ? "base" : null,
            },
            cancellation);
    }

    /// <summary>The health of one environment.</summary>
    public async Task<HealthFacts> HealthCheckAsync(DatabaseEnvironment environment, AfterFailure after, CancellationToken cancellation) =>
        await new HealthCheckStep(run).RunAsync(environment, options.HealthCheck with { AfterFailure = after, TreeHash = await tree.HashAsync(cancellation) }, cancellation);

    private AfterFailure AfterFailure() => verdict.Unverified is null ? Verification.AfterFailure.Clean : Verification.AfterFailure.NeedsPerson;

    private Task<DatabaseEnvironment> TargetAsync(CancellationToken cancellation) =>
        environments.GetAsync(verdict.LastMoved ?? options.TargetEnvironment ?? TargetEnvironment.Production, cancellation);
}
