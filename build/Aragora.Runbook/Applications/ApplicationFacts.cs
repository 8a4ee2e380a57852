namespace Aragora.Runbook.Applications;

/// <summary>An application that was stopped and started around a restore, as evidence.</summary>
/// <param name="Parts">What was stopped.</param>
/// <param name="StoppedAt">When the first part was asked to stop, UTC.</param>
/// <param name="StopTook">Until its last instance and its last session were gone.</param>
/// <param name="StartTook">From when it was told to start until every instance was ready.</param>
/// <param name="Unavailable">From <see cref="StoppedAt"/> until every instance was ready: the application's users saw this.</param>
/// <param name="Failure">Why it is not all back; null where it is.</param>
public sealed record ApplicationFacts(IReadOnlyList<StoppedPart> Parts, DateTimeOffset StoppedAt, TimeSpan StopTook, TimeSpan StartTook, TimeSpan Unavailable, string? Failure);

/// <summary>A part that was stopped.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Images">The images that it runs.</param>
/// <param name="Replicas">How many instances it had.</param>
/// <param name="PutBack">What was done to start it; null where nothing was.</param>
public sealed record StoppedPart(string Name, IReadOnlyList<string> Images, int Replicas, string? PutBack)
{
    /// <summary>Why an earlier run had left it stopped on purpose; null where it ran when this one stopped it.</summary>
    public string? LeftBecause { get; init; }
}
