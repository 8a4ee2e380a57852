using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Applications.Workloads;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Applications.Compose;

/// <summary>A service of Docker Compose: its containers are stopped and started as they are, so that their number stays.</summary>
/// <param name="run">Journals of this machine, log.</param>
/// <param name="commands">Starts Compose and docker.</param>
/// <param name="location">Which project.</param>
/// <param name="name">Which service.</param>
/// <param name="environment">Whose application it is.</param>
public sealed class ComposeServicePart(RunContext run, ICommandRunner commands, ComposeLocation location, ApplicationName name, DatabaseEnvironment environment) : IApplicationPart
{
    /// <summary>Longer than any stop's grace; an engine that hangs must not hold the run for ever.</summary>
    private static readonly TimeSpan CommandPatience = TimeSpan.FromMinutes(3);
    private ComposeTool? tool;
    private int wanted;

    /// <inheritdoc/>
    public string Name => name.ToString();

    private string Service => name.Name;

    /// <inheritdoc/>
    public string StartingCommand(int replicas) => Line("start", Service);

    /// <inheritdoc/>
    public async Task<PartSeen> LookAsync(CancellationToken cancellation)
    {
        try
        {
            var containers = await ContainersAsync(cancellation);
            if (containers.Count == 0)
            {
                throw new RefusedException($"There is no container of {Name}.", "it is named as a part of the application, and Compose has none of that service in this project", Line("ps", "--all"));
            }

            var running = containers.Where(container => container.IsRunning).ToList();
            var note = ComposeNotes.Find(Path.GetDirectoryName(run.Folder)!, environment, Name);
            return new PartSeen(
                Name,
                running.Count,
                [.. containers.Select(container => container.Image).Distinct(StringComparer.Ordinal)],
                [.. running.SelectMany(container => container.Addresses)],
                note,
                [],
                $"set the image of {Service} in the Compose file to IMAGE, then {Line("up", "--detach", Service)}");
        }
        catch (PartException failed)
        {
            throw new BadInputException($"{Name} cannot be asked for.", failed.Message, "docker info   tells whether the engine answers; name the project with --compose-file and --compose-project", failed);
        }
    }

    /// <inheritdoc/>
    public async Task RequireStoppableAsync(CancellationToken cancellation)
    {
        var seen = await LookAsync(cancellation);
        run.Log.Information("{Part}: {Count} running, {Images:l}; the note of it is this run's journal on this machine, since a container cannot bear one", Name, seen.Replicas, string.Join(", ", seen.Images));
    }

    /// <inheritdoc/>
    public async Task<int> StopAsync(PartSeen seen, string runId, DateTimeOffset at, CancellationToken cancellation)
    {
        await ComposeAsync(["stop", Service], cancellation);
        return wanted = seen.Note?.Replicas ?? seen.Replicas;
    }

    /// <inheritdoc/>
    public async Task<PartRemains> RemainsAsync(CancellationToken cancellation)
    {
        // The command that stops them returns when they are stopped.
        var again = (await ContainersAsync(cancellation)).Where(container => container.IsRunning).ToList();
        return new PartRemains([.. again.Select(container => container.Name)], again.Count == 0 ? null : $"container {again[0].Name} runs since {again[0].StartedAt}: somebody started it, and Compose does not say who");
    }

    /// <inheritdoc/>
    public async Task<string?> StartAsync(string runId, CancellationToken cancellation)
    {
        var note = ComposeNotes.Find(Path.GetDirectoryName(run.Folder)!, environment, Name);
        if (note?.Run != runId)
        {
            return null;
        }

        wanted = note.Replicas;
        var running = (await ContainersAsync(cancellation)).Count(container => container.IsRunning);
        if (running >= wanted)
        {
            return $"{running} running, as somebody started them meanwhile (before: {wanted})";
        }

        await ComposeAsync(["start", Service], cancellation);
        return $"{wanted} {(wanted == 1 ? "container" : "containers")} as before";
    }

    /// <summary>A container bears no note: the run's journal, which its caller has written, has to say it.</summary>
    /// <exception cref="PartException">It does not.</exception>
    public Task LeaveAsync(string runId, string why, CancellationToken cancellation) =>
        ComposeNotes.Find(Path.GetDirectoryName(run.Folder)!, environment, Name) is { LeftBecause: not null } note && note.Run == runId
            ? Task.CompletedTask
            : throw new PartException($"{Name}: the journal, its only note, does not say that it stays stopped", isTransient: false);

    /// <inheritdoc/>
    public async Task<PartRollout> RolloutAsync(CancellationToken cancellation)
    {
        var containers = await ContainersAsync(cancellation);
        var ready = containers.Count(container => container is { IsRunning: true, Health: null or "healthy" });
        var trouble = containers.FirstOrDefault(container => container is not { IsRunning: true, Health: null or "healthy" });
        return new PartRollout(ready >= wanted, ready, wanted, trouble is null ? null : $"container {trouble.Name} is {trouble.State}{(trouble.Health is null ? "" : $", {trouble.Health}")}", IsHopeless: false);
    }

    /// <summary>For people. From the checkout, as this build calls it: with --project-directory the project could get another name.</summary>
    private string Line(params string[] arguments) =>
        $"cd {Command.Quoted(location.Root)} && {string.Join(' ', (tool is null ? ["docker", "compose"] : tool.Prefix.Prepend(tool.Program)).Concat([.. location.Arguments, .. arguments]).Select(Command.Quoted))}";

    /// <summary>Those of the service itself, not of <c>docker compose run</c>: older versions list these as well.</summary>
    private async Task<IReadOnlyList<ServiceContainer>> ContainersAsync(CancellationToken cancellation)
    {
        var ids = (await ComposeAsync(["ps", "--all", "--quiet", Service], cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (ids.Length == 0)
        {
            return [];
        }

        var text = await RunAsync("docker", ["inspect", "--type", "container", .. ids], cancellation);
        try
        {
            return [.. JsonNode.Parse(text).Each().Where(container => container.Text("Config", "Labels", "com.docker.compose.oneoff") is not "True").Select(ServiceContainer.Read)];
        }
        catch (JsonException unreadable)
        {
            throw new PartException($"docker inspect answered what is no JSON: {unreadable.Message}", isTransient: false, unreadable);
        }
    }

    private async Task<string> ComposeAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        try
        {
            tool ??= await ComposeTool.FindAsync(commands, cancellation);
        }
        catch (BadInputException none)
        {
            throw new PartException($"{none.What} {none.Why}", isTransient: false, none);
        }

        return await RunAsync(tool.Program, [.. tool.Prefix, .. location.Arguments, .. arguments], cancellation);
    }

    private async Task<string> RunAsync(string called, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var command = new Command { Program = called, Arguments = arguments, WorkingDirectory = location.Root, Environment = ComposeReader.Surroundings(environment) };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(CommandPatience);
        try
        {
            var result = await commands.RunAsync(command, cancellation: patience.Token);
            return result.Succeeded ? result.Output : throw new PartException($"{command}: {run.Secrets.Apply(result.Tail(5))}", isTransient: false);
        }
        catch (FailedCleanException absent)
        {
            throw new PartException($"{absent.What} {absent.Why}", isTransient: false, absent);
        }
        catch (OperationCanceledException hung) when (!cancellation.IsCancellationRequested)
        {
            throw new PartException($"{command}: no answer within {CommandPatience.TotalMinutes:0} min", isTransient: true, hung);
        }
    }

    private sealed record ServiceContainer(string Name, string Image, bool IsRunning, string State, string? Health, string StartedAt, IReadOnlyList<string> Addresses)
    {
        public static ServiceContainer Read(JsonObject json) => new(
            (json.Text("Name") ?? "").TrimStart('/'),
            json.Text("Config", "Image") ?? "",
            json.IsTrue("State", "Running"),
            json.Text("State", "Status") is "exited" ? string.Create(CultureInfo.InvariantCulture, $"exited with {json.Number("State", "ExitCode")}") : json.Text("State", "Status") ?? "unknown",
            json.Text("State", "Health", "Status"),
            json.Text("State", "StartedAt") ?? "",
            [.. (json.At("NetworkSettings", "Networks") as JsonObject ?? []).Select(network => network.Value.Text("IPAddress")).Where(address => !string.IsNullOrEmpty(address)).OfType<string>()]);
    }
}
