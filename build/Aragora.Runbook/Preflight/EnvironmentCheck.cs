using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Preflight;

/// <summary>One question to what surrounds a database, such as the cluster in which its migrations run. It is asked where its environment is; what it throws becomes a refusal.</summary>
/// <param name="Environment">Whose surroundings.</param>
/// <param name="Id">Short and stable, such as <c>kubernetes-rights</c>.</param>
/// <param name="Title">For the table.</param>
/// <param name="Run">Asks; changes nothing.</param>
public sealed record EnvironmentCheck(TargetEnvironment Environment, string Id, string Title, Func<CancellationToken, Task<Finding>> Run)
{
    /// <summary>Whether it is asked only where a migration follows.</summary>
    public bool OnlyForMigration { get; init; }
}
