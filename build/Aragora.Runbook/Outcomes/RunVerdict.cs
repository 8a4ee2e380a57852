using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Outcomes;

/// <summary>What became of a run as a whole. The host's own exit code is not enough: it is 0 also when a verification was skipped.</summary>
public sealed class RunVerdict
{
    private readonly Dictionary<TargetEnvironment, HashSet<string>> owed = [];

    /// <summary>The first failure; null where there was none.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>What was moved and not verified afterwards; null where everything is in order.</summary>
    public string? Unverified => owed.Values.All(targets => targets.Count == 0)
        ? null
        : string.Join("; ", owed.Where(debt => debt.Value.Count > 0).Select(debt => $"{debt.Key.ToString().ToLowerInvariant()} was changed, and {string.Join(" and ", debt.Value)} did not run green afterwards"));

    /// <summary>Remembers a failure; the first one counts.</summary>
    public void Failed(Exception failure) => Failure ??= failure;

    /// <summary>A database was moved to another revision, or was found moved and never verified: from here on the run owes a green smoke test and health check of it.</summary>
    public void Moved(TargetEnvironment environment) => owed[environment] = new HashSet<string>(["SmokeTest", "HealthCheck"], StringComparer.Ordinal);

    /// <summary>A verification ran green.</summary>
    /// <param name="environment">Whose.</param>
    /// <param name="target"><c>SmokeTest</c> or <c>HealthCheck</c>.</param>
    public void Verified(TargetEnvironment environment, string target)
    {
        if (owed.TryGetValue(environment, out var targets))
        {
            targets.Remove(target);
        }
    }

    /// <summary>Whether this environment was moved and is not verified yet.</summary>
    public bool Owes(TargetEnvironment environment) => owed.TryGetValue(environment, out var targets) && targets.Count > 0;

    /// <summary>The exit code of the process.</summary>
    /// <param name="hostCode">What the host came to: 0 where every target that ran was green.</param>
    public int ExitCode(int hostCode)
    {
        if (Unverified is not null)
        {
            return ExitCodes.NeedsPerson;
        }

        return Failure switch
        {
            RunbookException failure => failure.ExitCode,
            OperationCanceledException => ExitCodes.Cancelled,
            null when hostCode == 0 => ExitCodes.Green,
            _ => ExitCodes.Unexpected,
        };
    }
}
