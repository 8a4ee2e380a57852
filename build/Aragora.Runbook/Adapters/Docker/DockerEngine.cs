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
    int Port);

/// <summary>A Docker engine on this machine, through Docker.DotNet. Nothing of the domain.</summary>
public sealed class DockerEngine : IDisposable
{
    private readonly DockerClient client;

    private DockerEngine(DockerClient client, string version) => (this.client, Version) = (client, version);

    /// <summary>The engine's version.</summary>
    public string Version { get; }

    /// <summary>The engine that <c>DOCKER_HOST</c> names, else the usual one; null where none answers within 5 seconds, or where it is on another machine.</summary>
    public static async Task<DockerEngine?> TryConnectAsync(CancellationToken cancellation)
    {
        if (Address(Environment.GetEnvironmentVariable("DOCKER_HOST")) is not { } address)
        {
            return null;
        }

        using var configuration = new DockerClientConfiguration(address);
        var client = configuration.CreateClient();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            return new DockerEngine(client, (await client.System.GetVersionAsync(patience.Token)).Version);
        }
        catch (Exception absent) when (!cancellation.IsCancellationRequested && absent is HttpRequestException or OperationCanceledException or IOException or TimeoutException or DockerApiException or UnauthorizedAccessException)
        {
            client.Dispose();
            return null;
        }
    }

    /// <summary>Whether the image is here, so that nothing has to be fetched.</summary>
    public async Task<bool> HasImageAsync(string image, CancellationToken cancellation)
    {
        try
        {
            await client.Images.InspectImageAsync(image, cancellation);
            return true;
        }
        catch (DockerImageNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Fetches an image.</summary>
    /// <exception cref="FailedCleanException">The registry has none, or cannot be reached.</exception>
    public async Task PullAsync(string name, string tag, Action<string> onProgress, CancellationToken cancellation)
    {
        try
        {
            await client.Images.CreateImageAsync(
                new ImagesCreateParameters { FromImage = name, Tag = tag },
                authConfig: null,
                new Progress<JSONMessage>(message => onProgress($"{message.Status} {message.ProgressMessage}".Trim())),
                cancellation);
        }
        catch (DockerApiException failure)
        {
            throw new FailedCleanException($"The image {name}:{tag} could not be fetched.", failure.Message, $"docker pull {name}:{tag}   says more; then repeat the command", failure);
        }
    }

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
                ? int.Parse(bindings[0].HostPort, System.Globalization.CultureInfo.InvariantCulture)
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
    }

    /// <summary>The last lines that a container wrote.</summary>
    public async Task<string> LogTailAsync(string name, int lines, CancellationToken cancellation)
    {
        try
        {
            var parameters = new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = lines.ToString(System.Globalization.CultureInfo.InvariantCulture) };
            using var stream = await client.Containers.GetContainerLogsAsync(name, tty: false, parameters, cancellation);
            var (output, error) = await stream.ReadOutputToEndAsync(cancellation);
            return (output + error).Trim();
        }
        catch (DockerContainerNotFoundException)
        {
            return "";
        }
    }

    /// <summary>Every container with this label, running or not: name and the label's value.</summary>
    public async Task<IReadOnlyList<(string Name, string Value)>> ListAsync(string label, CancellationToken cancellation)
    {
        var filters = new Dictionary<string, IDictionary<string, bool>>(StringComparer.Ordinal) { ["label"] = new Dictionary<string, bool>(StringComparer.Ordinal) { [label] = true } };
        var found = await client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = filters }, cancellation);
        return [.. found.Select(container => (container.Names[0].TrimStart('/'), container.Labels[label]))];
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>Ports are published on the engine's loopback, so an engine elsewhere is of no use.</summary>
    internal static Uri? Address(string? dockerHost) => dockerHost switch
    {
        null or "" => new Uri(OperatingSystem.IsWindows() ? "npipe://./pipe/docker_engine" : "unix:///var/run/docker.sock"),
        _ when dockerHost.StartsWith("unix://", StringComparison.Ordinal) || dockerHost.StartsWith("npipe://", StringComparison.Ordinal) => new Uri(dockerHost),
        _ => null,
    };
}

/// <summary>What the engine says of a container.</summary>
/// <param name="IsRunning">Whether it runs.</param>
/// <param name="PublishedPort">The port on 127.0.0.1; 0 while it does not run.</param>
public sealed record ContainerFacts(bool IsRunning, int PublishedPort);
