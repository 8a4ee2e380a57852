namespace Aragora.Runbook.Applications;

/// <summary>A part of the application that is stopped and started as a whole: a Deployment, a StatefulSet, a service of Docker Compose.</summary>
public interface IApplicationPart
{
    /// <summary>Its name, as it was given, such as <c>deployment/api</c>.</summary>
    string Name { get; }

    /// <summary>The line that starts it by hand, without this build; and gives back to whoever was suspended with it what it had.</summary>
    string StartingCommand(int replicas);

    /// <summary>The part as it is. Changes nothing.</summary>
    /// <exception cref="Outcomes.RefusedException">There is none of that name, or it may not be read.</exception>
    /// <exception cref="Outcomes.BadInputException">Who runs it cannot be reached.</exception>
    Task<PartSeen> LookAsync(CancellationToken cancellation);

    /// <summary>Everything that can be known before it is stopped: rights, and who would start it again. Changes nothing.</summary>
    /// <exception cref="Outcomes.RefusedException">It could not be stopped, or would not stay so.</exception>
    Task RequireStoppableAsync(CancellationToken cancellation);

    /// <summary>Asks it to stop, with a note of what was there where somebody else can find it. Does not wait.</summary>
    /// <param name="seen">The part as it was looked at.</param>
    /// <param name="runId">The run that stops it.</param>
    /// <param name="at">When.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>How many instances are put back later.</returns>
    Task<int> StopAsync(PartSeen seen, string runId, DateTimeOffset at, CancellationToken cancellation);

    /// <summary>What is left of it while it stops.</summary>
    Task<PartRemains> RemainsAsync(CancellationToken cancellation);

    /// <summary>Puts back what the note says, and takes the note away. Does not wait.</summary>
    /// <param name="runId">The run whose note it has to be.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>What was done, for people; null where there was no note of that run.</returns>
    Task<string?> StartAsync(string runId, CancellationToken cancellation);

    /// <summary>Notes that it stays stopped on purpose, so that no later run starts it unasked.</summary>
    /// <param name="runId">The run that stopped it.</param>
    /// <param name="why">Why it stays so, for people.</param>
    /// <param name="cancellation">Cancels.</param>
    Task LeaveAsync(string runId, string why, CancellationToken cancellation);

    /// <summary>How far its start is.</summary>
    Task<PartRollout> RolloutAsync(CancellationToken cancellation);
}

/// <summary>A part as it was looked at.</summary>
/// <param name="Name">The part.</param>
/// <param name="Replicas">How many instances there are to be.</param>
/// <param name="Images">The images that it runs.</param>
/// <param name="Addresses">The IP addresses of its instances.</param>
/// <param name="Note">What a run that stopped it noted; null where none did.</param>
/// <param name="Holders">What would start it again, with what is set there: for the journal.</param>
/// <param name="Deploying">The line that gives it another image; <c>IMAGE</c> stands for that.</param>
public sealed record PartSeen(string Name, int Replicas, IReadOnlyList<string> Images, IReadOnlyList<string> Addresses, StopNote? Note, IReadOnlyList<string> Holders, string Deploying)
{
    /// <summary>What a run has suspended so that it stays stopped; others may depend on it as well.</summary>
    public IReadOnlyList<string> Suspended { get; init; } = [];

    /// <summary>Why it was left stopped on purpose; null where it was not, or where somebody has started it since.</summary>
    public string? LeftBecause => Replicas == 0 ? Note?.LeftBecause : null;
}

/// <summary>A note on something that a run stopped.</summary>
/// <param name="Run">The run.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Replicas">How many instances there were.</param>
/// <param name="LeftBecause">Why it was left stopped on purpose; null where the run that stopped it was to start it again.</param>
public sealed record StopNote(string Run, DateTimeOffset At, int Replicas, string? LeftBecause = null);

/// <summary>What is left of a part that is to be gone.</summary>
/// <param name="Instances">Its instances, by name.</param>
/// <param name="UndoneBy">Who started it again meanwhile, for people; null where nobody did.</param>
public sealed record PartRemains(IReadOnlyList<string> Instances, string? UndoneBy);

/// <summary>How far a part's start is.</summary>
/// <param name="IsDone">Whether every instance is ready.</param>
/// <param name="Ready">How many are.</param>
/// <param name="Wanted">How many there are to be.</param>
/// <param name="Trouble">Why the others are not; null where nothing is known.</param>
/// <param name="IsHopeless">Whether waiting does not change it.</param>
public sealed record PartRollout(bool IsDone, int Ready, int Wanted, string? Trouble, bool IsHopeless);
