using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>One container of a service: started by Compose, and from there on followed, inspected, stopped and removed through the engine itself.</summary>
/// <param name="run">Log, journal, secrets.</param>
/// <param name="commands">Runs Compose.</param>
/// <param name="engine">The engine.</param>
/// <param name="options">How long what may take.</param>
/// <param name="name">The container's name.</param>
internal sealed class OneOffContainer(RunContext run, ICommandRunner commands, DockerEngine engine, ComposeOptions options, string name)
{
    private const int ToldOfADependency = 5;

    /// <summary>Starts it, with what it depends on. What Compose says meanwhile is logged.</summary>
    /// <exception cref="RunbookException">It cannot be started; nothing is left of it.</exception>
    public async Task StartAsync(ComposeProject project, DatabaseEnvironment environment, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        if (arguments.Any(argument => run.Secrets.Apply(argument) != argument))
        {
            throw new RefusedException($"{project.Service.Described} would get a secret on a command line.", "a word of its command or of its PGOPTIONS is one of the secrets that this run knows", "give it by the service's environment; nothing was moved");
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.StartPatience);
        var command = new Command { Program = project.Tool.Program, Arguments = arguments, WorkingDirectory = project.Root, Environment = ComposeReader.Surroundings(environment) };
        CommandResult result;
        try
        {
            result = await commands.RunAsync(command, (line, isError) => Tell(line, isError), patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            if (await HasRunAsync())
            {
                throw Started();
            }

            await RemoveAsync();
            throw new RefusedException($"The service {project.Service.Name} did not start within {options.StartPatience.TotalMinutes:0.#} min.", "an image took too long, or something that it depends on did not become healthy", "docker compose ps   shows who is waiting; nothing was moved");
        }

        if (!result.Succeeded)
        {
            throw await ExplainAsync(project, run.Secrets.Apply(result.Error), cancellation);
        }
    }

    /// <summary>Follows it from its first line to its end.</summary>
    /// <returns>How it ended; null where somebody else removed it.</returns>
    public Task<ContainerState?> FollowAsync(Action<string> onLine, CancellationToken cancellation) =>
        engine.FollowAsync(name, line => onLine(run.Secrets.Apply(line)), options.EnginePatience, cancellation);

    /// <summary>Asks it to end, and kills it after a grace. Not cancelled with the run.</summary>
    /// <returns>Whether it is certain that it runs no more.</returns>
    public Task<bool> StopAsync() => TryAsync("stopped", patience => engine.StopAsync(name, options.StopGrace, patience));

    /// <summary>Removes it, running or not. Not cancelled with the run.</summary>
    /// <returns>Whether it is certain that it is gone.</returns>
    public Task<bool> RemoveAsync() => TryAsync("removed", patience => engine.RemoveAsync(name, patience));

    private async Task<bool> TryAsync(string what, Func<CancellationToken, Task> act)
    {
        using var patience = new CancellationTokenSource(options.CleanUpPatience, TimeProvider.System);
        try
        {
            await act(patience.Token);
            return true;
        }
        catch (Exception away) when (away is OperationCanceledException || DockerEngine.IsTrouble(away))
        {
            run.Log.Warning(away, "The container {Container} could not be {What:l}; the next run looks for it", name, what);
            return false;
        }
    }

    private void Tell(string line, bool isError)
    {
        // Its output is the container's name.
        if (isError && line.Trim().Length > 0)
        {
            run.Log.Information("compose: {Line:l}", run.Secrets.Apply(line.TrimEnd()));
        }
    }

    private async Task<RunbookException> ExplainAsync(ComposeProject project, string error, CancellationToken cancellation)
    {
        if (error.Contains("is already in use by container", StringComparison.Ordinal))
        {
            return new RefusedException($"A container {name} is there already.", "another run started it a moment ago", "repeat the command: it is followed if it still runs, and cleared away if it does not");
        }

        if (await HasRunAsync())
        {
            return Started();
        }

        var state = await engine.StateAsync(name, cancellation);
        if (state is not null)
        {
            await RemoveAsync();
        }

        if (state is { Error.Length: > 0 } && ContainerEnds.Explain(state, name, project.Service, "") is { } notStarted)
        {
            return notStarted;
        }

        var dependency = ComposeFailure.Dependency(error) is { } named ? await DescribeAsync(named, cancellation) : null;
        return ComposeFailure.OfStart(error, project.Service, dependency);
    }

    /// <summary>Whether its process was started, whatever Compose said afterwards. Not cancelled with the run.</summary>
    private async Task<bool> HasRunAsync()
    {
        using var patience = new CancellationTokenSource(options.CleanUpPatience, TimeProvider.System);
        return await engine.StateAsync(name, patience.Token) is { IsRunning: true } or { Status: "exited", Error.Length: 0 };
    }

    private NeedsPersonException Started() => new($"The container {name} was started, and Compose then said that it failed.", "the migration may have begun; it is ended, and the database is asked where it stands", "./build.sh Status");

    private async Task<string> DescribeAsync(string dependency, CancellationToken cancellation)
    {
        if (await engine.StateAsync(dependency, cancellation) is not { } state)
        {
            return $"{dependency} did not come up, and is gone";
        }

        var end = state.IsRunning ? state.Health ?? "no health check" : $"{state.Status} with exit code {state.ExitCode}{(state.OutOfMemory ? ", out of memory" : "")}";
        var said = state.HealthSaid.Length > 0 ? $"; its health check says: {state.HealthSaid}" : "";
        var tail = string.Join(" / ", (await engine.LogTailAsync(dependency, ToldOfADependency, cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return run.Secrets.Apply($"{dependency} ({state.Image}) is {end}{said}{(tail.Length > 0 ? $"; its log ends: {tail}" : "")}");
    }
}
