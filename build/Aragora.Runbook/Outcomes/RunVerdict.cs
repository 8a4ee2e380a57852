using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Outcomes;

/// <summary>What became of a run as a whole. The host's own exit code is not enough: it is 0 also when a verification was skipped.</summary>
public sealed class RunVerdict
{
    private readonly List<string> moved = [];
    private readonly HashSet<string> verified = new(StringComparer.Ordinal);

    /// <summary>The first failure; null where there was none.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The environment that was moved last; null where none was.</summary>
    public TargetEnvironment? LastMoved { get; private set; }

    /// <summary>What was moved and not verified afterwards; null where everything is in order.</summary>
    public string? Unverified => moved.Count == 0 || Missing.Count == 0 ? null : $"{string.Join(" and ", moved)}, and {string.Join(" and ", Missing)} did not run green afterwards";

    private IReadOnlyList<string> Missing => [.. new[] { "SmokeTest", "HealthCheck" }.Where(name => !verified.Contains(name))];

    /// <summary>Remembers a failure; the first one counts.</summary>
    public void Failed(Exception failure) => Failure ??= failure;

    /// <summary>A database was moved to another revision: from here on the run owes a green smoke test and health check of that environment.</summary>
    public void Moved(DatabaseEnvironment environment)
    {
        LastMoved = environment.Name;
        moved.Add($"{environment.DisplayName} was moved");
        verified.Clear();
    }

    /// <summary>A verification of the moved environment ran green.</summary>
    /// <param name="target"><c>SmokeTest</c> or <c>HealthCheck</c>.</param>
    public void Verified(string target) => verified.Add(target);

    /// <summary>The exit code of the process.</summary>
    /// <param name="hostCode">What the host came to: 0 where every target that ran was green.</param>
    public int ExitCode(int hostCode) => Failure switch
    {
        RunbookException failure => Unverified is null || moved.Count == 0 ? failure.ExitCode : ExitCodes.NeedsPerson,
        OperationCanceledException => moved.Count > 0 && Unverified is not null ? ExitCodes.NeedsPerson : ExitCodes.Cancelled,
        null when hostCode == 0 => Unverified is null ? ExitCodes.Green : ExitCodes.NeedsPerson,
        null => ExitCodes.BadInput,
        _ => moved.Count > 0 ? ExitCodes.NeedsPerson : ExitCodes.Unexpected,
    };
}
