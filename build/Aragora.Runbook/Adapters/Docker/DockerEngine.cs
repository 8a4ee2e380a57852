using System.Net.Sockets;
using Aragora.Runbook.Outcomes;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Aragora.Runbook.Adapters.Docker;

/// <summary>A Docker engine, through Docker.DotNet. Nothing of the domain.</summary>
public sealed partial class DockerEngine : IDisposable
{
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);
    private readonly DockerClient client;

    private DockerEngine(DockerClient client, EngineAddress address, string version) => (this.client, Address, Version) = (client, address, version);

    /// <summary>Where it is.</summary>
    public EngineAddress Address { get; }

    /// <summary>The engine's version.</summary>
    public string Version { get; }

    /// <summary>The engine of this machine; null where none answers within 5 seconds, or where Docker's programs are set to one on another machine: ports are published on the engine's loopback.</summary>
    public static async Task<DockerEngine?> TryConnectAsync(CancellationToken cancellation)
    {
        var address = EngineAddress.Read();
        return address.IsLocal ? (await ConnectAsync(address, cancellation)).Engine : null;
    }

    /// <summary>Asks the engine at an address for its version, for 5 seconds.</summary>
    public static async Task<EngineConnection> ConnectAsync(EngineAddress address, CancellationToken cancellation)
    {
        if (address.Uri is null)
        {
            return new EngineConnection(null, address, Denied: false, "it can be asked over a socket or plain tcp only, not over ssh or TLS");
        }

        using var configuration = new DockerClientConfiguration(address.Uri);
        var client = configuration.CreateClient();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(AnswerPatience);
        try
        {
            return new EngineConnection(new DockerEngine(client, address, (await client.System.GetVersionAsync(patience.Token)).Version), address, Denied: false, "");
        }
        catch (Exception absent) when (!cancellation.IsCancellationRequested && (IsTrouble(absent) || absent is OperationCanceledException or UnauthorizedAccessException))
        {
            client.Dispose();
            var cause = absent.GetBaseException();
            var why = absent is OperationCanceledException or TimeoutException ? $"no answer within {AnswerPatience.TotalSeconds:0} s" : cause.Message;
            return new EngineConnection(null, address, cause is UnauthorizedAccessException or SocketException { SocketErrorCode: SocketError.AccessDenied }, why);
        }
    }

    /// <summary>Whether an exception says that the engine could not be asked, or refused; anything else is a defect.</summary>
    public static bool IsTrouble(Exception failure) => failure is HttpRequestException or IOException or TimeoutException or SocketException or DockerApiException;

    /// <summary>Whether the image is here, so that nothing has to be fetched.</summary>
    public async Task<bool> HasImageAsync(string image, CancellationToken cancellation) => await FindImageAsync(image, cancellation) is not null;

    /// <summary>What an image runs by itself; null where it is not here.</summary>
    public async Task<ImageFacts?> FindImageAsync(string image, CancellationToken cancellation)
    {
        try
        {
            var found = await client.Images.InspectImageAsync(image, cancellation);
            return new ImageFacts(found.ID, [.. found.Config?.Entrypoint ?? []], [.. found.Config?.Cmd ?? []]);
        }
        catch (DockerImageNotFoundException)
        {
            return null;
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

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();
}

/// <summary>An image that is here.</summary>
/// <param name="Id">Its digest.</param>
/// <param name="Entrypoint">The program that it starts; empty where it has none.</param>
/// <param name="Command">That program's arguments, or the program where there is no entry point.</param>
public sealed record ImageFacts(string Id, IReadOnlyList<string> Entrypoint, IReadOnlyList<string> Command);
