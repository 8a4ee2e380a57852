namespace Aragora.Runbook.Outcomes;

/// <summary>A failure that a person on call reads: what happened, why, and what to type next.</summary>
/// <param name="what">What happened, one sentence without a secret in it.</param>
/// <param name="why">The cause as far as it is known.</param>
/// <param name="next">The next command to type, or the next thing to do.</param>
/// <param name="inner">The technical cause, kept for the log file.</param>
public abstract class RunbookException(string what, string why, string next, Exception? inner = null)
    : Exception(Compose(what, why, next), inner)
{
    /// <summary>What happened.</summary>
    public string What { get; } = what;

    /// <summary>Why it happened.</summary>
    public string Why { get; } = why;

    /// <summary>What to do next.</summary>
    public string Next { get; } = next;

    /// <summary>The exit code that tells CI the kind of this failure; see <see cref="ExitCodes"/>.</summary>
    public abstract int ExitCode { get; }

    private static string Compose(string what, string why, string next) =>
        string.Join(Environment.NewLine, new[] { what, why.Length > 0 ? $"  why:  {why}" : "", next.Length > 0 ? $"  next: {next}" : "" }.Where(line => line.Length > 0));
}

/// <summary>The input is wrong; nothing was touched (exit code 2).</summary>
public sealed class BadInputException(string what, string why, string next, Exception? inner = null) : RunbookException(what, why, next, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => ExitCodes.BadInput;
}

/// <summary>A gate or a check refused to go on; nothing was changed (exit code 3).</summary>
public sealed class RefusedException(string what, string why, string next, Exception? inner = null) : RunbookException(what, why, next, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => ExitCodes.Refused;
}

/// <summary>A step failed and left everything as it was (exit code 4).</summary>
public sealed class FailedCleanException(string what, string why, string next, Exception? inner = null) : RunbookException(what, why, next, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => ExitCodes.FailedClean;
}

/// <summary>A step failed and somebody has to look before anything else runs (exit code 5).</summary>
public sealed class NeedsPersonException(string what, string why, string next, Exception? inner = null) : RunbookException(what, why, next, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => ExitCodes.NeedsPerson;
}
