using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Tooling;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Flow;

/// <summary>SmokeTest and HealthCheck: of production where it is migrated in this run, else of the environment that was asked for, else of production.</summary>
public sealed class VerificationFlow(RunContext run, RunbookOptions options, RunbookEnvironments environments, LoadedTree tree, ICommandRunner commands, IPythonTools python, RunVerdict verdict)
{
    private const string NotMoved = "not asked: nothing was moved";

    /// <summary>A rollback that only restores beside leaves production as it was, and as broken.</summary>
    private bool IsWithoutMove => options.NothingMoves && options.Scheduled.Contains("Rollback");

    /// <summary>The smoke tests of the environment in question.</summary>
    public async Task<StepFact> SmokeTestAsync(CancellationToken cancellation)
    {
        if (IsWithoutMove)
        {
            return new StepFact("tests", NotMoved);
        }

        var environment = await TargetAsync(cancellation);
        var facts = await SmokeTestAsync(environment, AfterFailure(environment), cancellation);
        return new StepFact("tests", $"{environment.DisplayName}: {facts.Passed} passed, {facts.Skipped} skipped{(facts.ReadOnly ? ", read-only" : "")}");
    }

    /// <summary>The health of the environment in question.</summary>
    public async Task<StepFact> HealthCheckAsync(CancellationToken cancellation)
    {
        if (IsWithoutMove)
        {
            return new StepFact("health", NotMoved);
        }

        var environment = await TargetAsync(cancellation);
        var facts = await HealthCheckAsync(environment, AfterFailure(environment), cancellation);
        return new StepFact("health", $"{environment.DisplayName}: {facts.Status} in {facts.Latency.TotalMilliseconds:0} ms{(facts.Version is null ? "" : $", version {facts.Version}")}");
    }

    /// <summary>The smoke tests of one environment.</summary>
    public async Task<SmokeTestFacts> SmokeTestAsync(DatabaseEnvironment environment, AfterFailure after, CancellationToken cancellation)
    {
        var facts = await new SmokeTestStep(run, commands, python).RunAsync(
            environment,
            options.SmokeTest with
            {
                AfterFailure = after,
                TreeHash = await tree.HashAsync(cancellation),
            },
            cancellation);
        verdict.Verified(environment.Name, "SmokeTest");
        return facts;
    }

    /// <summary>The health of one environment.</summary>
    public async Task<HealthFacts> HealthCheckAsync(DatabaseEnvironment environment, AfterFailure after, CancellationToken cancellation)
    {
        var facts = await new HealthCheckStep(run).RunAsync(environment, options.HealthCheck with { AfterFailure = after, TreeHash = await tree.HashAsync(cancellation) }, cancellation);
        verdict.Verified(environment.Name, "HealthCheck");
        return facts;
    }

    /// <summary>Whether smoke tests and health ran green since this database was moved last, in this run or an earlier one.</summary>
    public bool IsVerified(DatabaseFacts now) =>
        new[] { EvidenceKinds.SmokeTest, EvidenceKinds.HealthCheck }.All(kind => new EvidenceSearch(run.Evidence, run.Clock).Find(new EvidenceQuery(kind, now) { MayBeExpired = true }).Found is not null);

    /// <summary>Refuses to move what could not be verified afterwards.</summary>
    /// <exception cref="RefusedException">The environment has no health URL, or there is no suite.</exception>
    public async Task RequirePossibleAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var suite = Path.GetFullPath(options.SmokeTest.Suite, run.Root);
        if (environment.HealthUrl is null)
        {
            throw new RefusedException($"{environment.DisplayName} has no health URL, and so could not be verified afterwards.", "nothing was moved", $"repeat the command with --{environment.DisplayName}-health-url https://host/health");
        }

        if (!File.Exists(suite) && !Directory.Exists(suite))
        {
            throw new RefusedException($"There is no smoke test suite {suite}, and so {environment.DisplayName} could not be verified afterwards.", "nothing was moved", "repeat the command with --smoke-suite <path>");
        }

        await python.PytestAsync(cancellation);
    }

    private AfterFailure AfterFailure(DatabaseEnvironment environment) => !verdict.Owes(environment.Name) ? Verification.AfterFailure.Clean
        : options.Scheduled.Contains("Rollback") ? Verification.AfterFailure.RolledBack : Verification.AfterFailure.NeedsPerson;

    private Task<DatabaseEnvironment> TargetAsync(CancellationToken cancellation) =>
        environments.GetAsync(options.Scheduled.Contains("MigrateProduction") ? TargetEnvironment.Production : options.TargetEnvironment ?? TargetEnvironment.Production, cancellation);
}
