using System.Collections.Concurrent;
using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>A migration that runs in a container: followed to its end, or ended with the run.</summary>
/// <param name="run">Log and clock.</param>
/// <param name="container">The container.</param>
/// <param name="name">Its name.</param>
/// <param name="service">The service.</param>
/// <param name="sessions">Its sessions on the database's server.</param>
/// <param name="applicationName">Their name.</param>
/// <param name="options">How long what may take.</param>
internal sealed class MigrationContainer(RunContext run, OneOffContainer container, string name, ComposeService service, MigrationSessions sessions, string applicationName, ComposeOptions options)
{
    private const int TailLines = 40;
    private readonly ConcurrentQueue<string> tail = new();

    /// <summary>Follows it to its end, and removes it.</summary>
    /// <param name="onLine">Gets each line, masked.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="FailedCleanException">It did not end by itself, or could not be started.</exception>
    /// <exception cref="NeedsPersonException">It may still be at work.</exception>
    public async Task<RunnerResult> FollowAsync(Action<string> onLine, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        using var ending = new CancellationTokenSource();
        var following = container.FollowAsync(line => Take(line, onLine), ending.Token);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellation.Register(asked.SetResult))
        {
            await Task.WhenAny(following, asked.Task);
        }

        if (!following.IsCompleted)
        {
            await EndAsync(following, ending);
            throw new OperationCanceledException("Alembic was ended before it was done.", cancellation);
        }

        var end = await EndOfAsync(following);
        await container.RemoveAsync();
        if (ContainerEnds.Explain(end, name, service, tail.LastOrDefault() ?? "") is { } told)
        {
            throw told;
        }

        return new RunnerResult(end.ExitCode, string.Join('\n', tail), run.Clock.GetElapsedTime(started));
    }

    /// <summary>Ends it: on the server, so that Alembic rolls back; then by the engine; then what is left on the server. Not cancelled with the run.</summary>
    /// <param name="following">Ends with the container.</param>
    /// <param name="ending">Ends the following, where the engine does not.</param>
    /// <exception cref="NeedsPersonException">It could not be stopped, and may go on.</exception>
    public async Task EndAsync(Task following, CancellationTokenSource ending)
    {
        run.Log.Warning("Cancelling the migration's statement, so that Alembic rolls back");
        await TryOnServerAsync(patience => sessions.CancelAsync(applicationName, patience));
        await Task.WhenAny(following, Task.Delay(options.RollbackPatience, run.Clock, CancellationToken.None));
        if (!following.IsCompleted)
        {
            run.Log.Warning("Alembic did not end by itself: stopping the container {Container}", name);
        }

        var stopped = await container.StopAsync();

        // Its last lines are worth a moment: they tell whether it rolled back.
        await Task.WhenAny(following, Task.Delay(options.StopGrace, run.Clock, CancellationToken.None));
        await ending.CancelAsync();
        try
        {
            await following;
        }
        catch (Exception over)
        {
            // Whatever became of the following, what is left is cleared away below.
            run.Log.Debug(over, "The container {Container} is not followed any more", name);
        }

        await TryOnServerAsync(patience => sessions.TerminateAsync(applicationName, patience));
        if (!await container.RemoveAsync() && !stopped)
        {
            throw new NeedsPersonException($"The container {name} could not be stopped.", "the Docker engine does not answer; the migration may go on in it", $"docker rm -f {name}   once it answers; then ./build.sh Status");
        }
    }

    private async Task<ContainerState> EndOfAsync(Task<ContainerState?> following)
    {
        try
        {
            return await following ?? throw new FailedCleanException($"The container {name} is gone, and nobody knows how it ended.", "somebody removed it, or another run followed it to its end", "repeat the command, which goes on from where the database stands");
        }
        catch (EngineLostException lost)
        {
            throw new NeedsPersonException("The Docker engine was lost while the migration ran.", lost.Message, $"once it answers, repeat the command: it follows {name} if that still runs", lost);
        }
    }

    private void Take(string line, Action<string> onLine)
    {
        tail.Enqueue(line);
        while (tail.Count > TailLines && tail.TryDequeue(out _))
        {
        }

        onLine(line);
    }

    /// <summary>A courtesy to the server: nothing that goes wrong here may keep the container from being stopped, so every exception is logged and goes no further.</summary>
    private async Task TryOnServerAsync(Func<CancellationToken, Task<int>> act)
    {
        using var patience = new CancellationTokenSource(options.ServerPatience, run.Clock);
        try
        {
            await act(patience.Token);
        }
        catch (Exception unreachable)
        {
            // What is left on the server is told when the state is read.
            run.Log.Warning(unreachable, "The migration's sessions could not be asked to end");
        }
    }
}
