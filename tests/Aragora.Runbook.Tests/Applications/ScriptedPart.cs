using Aragora.Runbook.Applications;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>A part of an application that is in memory alone, and fails where a test wants it to.</summary>
internal sealed class ScriptedPart(string name, int replicas = 2) : IApplicationPart
{
    public int Replicas { get; private set; } = replicas;

    /// <summary>The note that lies on it.</summary>
    public StopNote? Note { get; set; }

    /// <summary>What was suspended with it.</summary>
    public IReadOnlyList<string> Suspended { get; init; } = [];

    /// <summary>Thrown where it is looked at.</summary>
    public Exception? OnLook { get; init; }

    /// <summary>Thrown where it is to be put back.</summary>
    public Exception? OnStart { get; init; }

    /// <summary>Thrown where it is to be left stopped.</summary>
    public Exception? OnLeave { get; init; }

    /// <summary>Thrown where its rollout is asked for.</summary>
    public Exception? OnRollout { get; init; }

    public string Name => name;

    public string StartingCommand(int replicas) => $"start {name} {replicas}";

    public Task<PartSeen> LookAsync(CancellationToken cancellation) => OnLook is not null ? throw OnLook : Task.FromResult(new PartSeen(name, Replicas, ["image:1"], [], Note, [], $"deploy {name} IMAGE") { Suspended = Suspended });

    public Task RequireStoppableAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task<int> StopAsync(PartSeen seen, string runId, DateTimeOffset at, CancellationToken cancellation)
    {
        Note = new StopNote(runId, at, Replicas);
        Replicas = 0;
        return Task.FromResult(Note.Replicas);
    }

    public Task<PartRemains> RemainsAsync(CancellationToken cancellation) => Task.FromResult(new PartRemains([], null));

    public Task<string?> StartAsync(string runId, CancellationToken cancellation)
    {
        if (OnStart is not null)
        {
            throw OnStart;
        }

        if (Note?.Run != runId)
        {
            return Task.FromResult<string?>(null);
        }

        (Replicas, Note) = (Note.Replicas, null);
        return Task.FromResult<string?>($"{Replicas} as before");
    }

    public Task LeaveAsync(string runId, string why, CancellationToken cancellation)
    {
        Note = OnLeave is not null ? throw OnLeave : (Note ?? throw new InvalidOperationException($"{name} is not stopped")) with { LeftBecause = why };
        return Task.CompletedTask;
    }

    public Task<PartRollout> RolloutAsync(CancellationToken cancellation) => OnRollout is null ? Task.FromResult(new PartRollout(IsDone: true, Replicas, Replicas, null, IsHopeless: false)) : throw OnRollout;
}
