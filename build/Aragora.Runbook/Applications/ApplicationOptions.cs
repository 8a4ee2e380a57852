namespace Aragora.Runbook.Applications;

/// <summary>How the application is stopped before a restored copy takes the database's place, and started afterwards.</summary>
public sealed record ApplicationOptions
{
    /// <summary>How long its pods and sessions may take to go, and again how long it may take to come back. Default: 5 minutes.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Between two looks at what is waited for. Default: 500 milliseconds.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long an API server that does not answer is asked again, to stop something or to put it back. Default: 1 minute.</summary>
    public TimeSpan AnswerPatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether Argo CD and Flux are suspended where they would undo it. Default: no, they are named and the restore is refused.</summary>
    public bool SuspendGitOps { get; init; }

    /// <summary>What was said of where it runs, as it is typed, for lines that name a target of this build. Default: nothing.</summary>
    public string Switches { get; init; } = "";

    /// <summary>The revisions that the running application works with; counts over what its health endpoint says. Default: null, that one is asked.</summary>
    public IReadOnlyList<string>? Revisions { get; init; }
}
