using System.Globalization;
using System.Net;
using Aragora.Runbook.Outcomes;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Aragora.Runbook.Adapters.Docker;

/// <summary>A container to run.</summary>
/// <param name="Name">Its name; unique on the engine.</param>
/// <param name="Image">The image, which must be here already.</param>
/// <param name="Arguments">The command's arguments.</param>
/// <param name="Environment">Variables. Whoever may ask the engine can read them, and may become root on its machine anyway.</param>
/// <param name="Labels">Labels, to find it again.</param>
/// <param name="Port">The TCP port that is published on 127.0.0.1, on a free port of the engine's choice.</param>
public sealed record ContainerRequest(
    string Name,
    string Image,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyDictionary<string, string> Labels,
    int Port)
{
    /// <summary>A program in place of the image's own; null keeps that.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }
}

/// <summary>Containers: made, found, stopped, removed.</summary>
public sealed partial class DockerEngine
{
    /// <summary>Creates and starts a container.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="FailedCleanException">The engine refuses; nothing is left of it.</exception>
    public async Task<string> RunAsync(ContainerRequest request, CancellationToken cancellation)
    {
        var port = $"{request.Port}/tcp";
        var parameters = new CreateContainerParameters
        {
            Name = request.Name,
            Image = request.Image,
            Cmd = [.. request.Arguments],
            Entrypoint = request.Entrypoint is null ? null : [.. request.Entrypoint],
            Env = [.. request.Environment.Select(variable => $"{variable.Key}={variable.Value}")],
            Labels = new Dictionary<string, string>(request.Labels, StringComparer.Ordinal),
            ExposedPorts = new Dictionary<string, EmptyStruct>(StringComparer.Ordinal) { [port] = default },
            HostConfig = new HostConfig
            {
                Init = false,
                PortBindings = new Dictionary<string, IList<PortBinding>>(StringComparer.Ordinal) { [port] = [new PortBinding { HostIP = "127.0.0.1", HostPort = "" }] },
            },
        };
        string? id = null;
        try
        {
            id = (await client.Containers.CreateContainerAsync(parameters, cancellation)).ID;
            await client.Containers.StartContainerAsync(id, new ContainerStartParameters(), cancellation);
            return id;
        }
        catch (Exception failure)
        {
            if (id is not null)
            {
                await RemoveAsync(id, CancellationToken.None);
            }

            if (failure is DockerApiException refused)
            {
                throw new FailedCleanException($"The container {request.Name} of {request.Image} could not be started.", refused.Message, "docker info   tells whether the engine is well", refused);
            }

            throw;
        }
    }

    /// <summary>What the engine says of a container; null where there is none of that name.</summary>
    public async Task<ContainerFacts?> FindAsync(string name, int port, CancellationToken cancellation)
    {
        try
        {
            var found = await client.Containers.InspectContainerAsync(name, cancellation);
            var published = found.NetworkSettings?.Ports?.TryGetValue($"{port}/tcp", out var bindings) == true && bindings is { Count: > 0 }
                ? int.Parse(bindings[0].HostPort, CultureInfo.InvariantCulture)
                : 0;
            return new ContainerFacts(found.State.Running, published);
        }
        catch (DockerContainerNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Starts a container that was stopped; its published port may be another afterwards.</summary>
    public Task StartAsync(string name, CancellationToken cancellation) => client.Containers.StartContainerAsync(name, new ContainerStartParameters(), cancellation);

    /// <summary>Stops a container; killed after <paramref name="grace"/>. Nothing to do where there is none.</summary>
    public async Task StopAsync(string name, TimeSpan grace, CancellationToken cancellation)
    {
        try
        {
            await client.Containers.StopContainerAsync(name, new ContainerStopParameters { WaitBeforeKillSeconds = (uint)grace.TotalSeconds }, cancellation);
        }
        catch (DockerContainerNotFoundException)
        {
            // Gone is stopped.
        }
    }

    /// <summary>Removes a container with its anonymous volumes, running or not. Nothing to do where there is none.</summary>
    public async Task RemoveAsync(string name, CancellationToken cancellation)
    {
        try
        {
            await client.Containers.RemoveContainerAsync(name, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, cancellation);
        }
        catch (DockerContainerNotFoundException)
        {
            // Somebody was quicker.
        }
        catch (DockerApiException twice) when (twice.StatusCode == HttpStatusCode.Conflict && twice.Message.Contains("already in progress", StringComparison.Ordinal))
        {
            // Somebody is at it: another run that clears up as well. The engine does not say when it is done.
        }
    }

    /// <summary>Every container with this label, running or not: name and the label's value.</summary>
    public async Task<IReadOnlyList<(string Name, string Value)>> ListAsync(string label, CancellationToken cancellation) =>
        [.. (await FindAllAsync([label], cancellation)).Select(container => (container.Name, container.Labels[label]))];

    /// <summary>Every container that has all of these labels, running or not, the newest first.</summary>
    /// <param name="labels">Names of labels, or <c>name=value</c>.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<IReadOnlyList<ContainerSeen>> FindAllAsync(IReadOnlyList<string> labels, CancellationToken cancellation)
    {
        var filters = new Dictionary<string, IDictionary<string, bool>>(StringComparer.Ordinal) { ["label"] = labels.ToDictionary(label => label, _ => true, StringComparer.Ordinal) };
        var found = await client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = filters }, cancellation);
        return [.. found.OrderByDescending(container => container.Created).Select(container => new ContainerSeen(container.Names[0].TrimStart('/'), container.State, new Dictionary<string, string>(container.Labels, StringComparer.Ordinal), new DateTimeOffset(container.Created.ToUniversalTime())))];
    }
}

/// <summary>What the engine says of a container.</summary>
/// <param name="IsRunning">Whether it runs.</param>
/// <param name="PublishedPort">The port on 127.0.0.1; 0 while it does not run.</param>
public sealed record ContainerFacts(bool IsRunning, int PublishedPort);

/// <summary>A container in a list.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">The engine's word: created, running, exited, dead, removing.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Created">When it was made, UTC.</param>
public sealed record ContainerSeen(string Name, string State, IReadOnlyDictionary<string, string> Labels, DateTimeOffset Created);
