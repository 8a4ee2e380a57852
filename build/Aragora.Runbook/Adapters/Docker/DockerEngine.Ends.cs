using System.Globalization;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Aragora.Runbook.Adapters.Docker;

/// <summary>What becomes of a container: its log through to the end, and how it ended.</summary>
public sealed partial class DockerEngine
{
    private static readonly TimeSpan StreamPatience = TimeSpan.FromMinutes(2);

    /// <summary>The last lines that a container wrote.</summary>
    public async Task<string> LogTailAsync(string name, int lines, CancellationToken cancellation)
    {
        try
        {
            var parameters = new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = lines.ToString(CultureInfo.InvariantCulture) };
            using var stream = await client.Containers.GetContainerLogsAsync(name, tty: false, parameters, cancellation);
            var (output, error) = await stream.ReadOutputToEndAsync(cancellation);
            return (output + error).Trim();
        }
        catch (DockerContainerNotFoundException)
        {
            return "";
        }
    }

    /// <summary>How a container is, or how it ended; null where there is none of that name.</summary>
    public async Task<ContainerState?> StateAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var found = await client.Containers.InspectContainerAsync(name, cancellation);
            var state = found.State;
            var said = state.Health?.Log is { Count: > 0 } log ? log[^1].Output?.Trim() ?? "" : "";
            return new ContainerState(state.Status, state.Running || state.Paused || state.Restarting, (int)state.ExitCode, state.OOMKilled, state.Error ?? "")
            {
                Image = found.Config?.Image ?? "",
                ImageId = found.Image ?? "",
                MemoryLimitBytes = found.HostConfig?.Memory ?? 0,
                Health = state.Health?.Status is { Length: > 0 } health and not "none" ? health : null,
                HealthSaid = said,
            };
        }
        catch (DockerContainerNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Follows a container from its first line to its end, through streams that break off.</summary>
    /// <param name="name">The container, running or not.</param>
    /// <param name="onLine">Gets each line once, in the order of its stream.</param>
    /// <param name="patience">How long the engine may be away.</param>
    /// <param name="cancellation">Ends the following; the container goes on.</param>
    /// <returns>How it ended; null where it was removed by somebody else.</returns>
    /// <exception cref="EngineLostException">The engine was away for longer.</exception>
    public async Task<ContainerState?> FollowAsync(string name, Action<string> onLine, TimeSpan patience, CancellationToken cancellation)
    {
        var log = new ContainerLog(client, name, onLine);
        long? awaySince = null;
        ContainerState? state = null;
        while (true)
        {
            try
            {
                // The state first: what it wrote before it ended is in a log that is read after that.
                state = await StateAsync(name, cancellation);
                var isMore = await ReadAsync(log, cancellation);
                if (state is not { IsRunning: true } && !isMore)
                {
                    log.Close(isWhole: true);
                    return state;
                }

                awaySince = null;
                if (state is not { IsRunning: true })
                {
                    continue;
                }
            }
            catch (DockerContainerNotFoundException)
            {
                log.Close(isWhole: false);
                return state is { IsRunning: false } ? state : null;
            }
            catch (DockerApiException unreadable) when (unreadable.Message.Contains("does not support reading", StringComparison.Ordinal))
            {
                onLine("(what the container says cannot be read: its logging driver does not allow it)");
                await client.Containers.WaitContainerAsync(name, cancellation);
                return await StateAsync(name, cancellation);
            }
            catch (Exception broken) when (!cancellation.IsCancellationRequested && IsTrouble(broken))
            {
                awaySince ??= TimeProvider.System.GetTimestamp();
                if (TimeProvider.System.GetElapsedTime(awaySince.Value) > patience)
                {
                    throw new EngineLostException(Address, patience, broken);
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellation);
        }
    }

    /// <summary>A connection that was lost without a word never ends its stream: after a while it is opened anew, and the state is asked again.</summary>
    private static async Task<bool> ReadAsync(ContainerLog log, CancellationToken cancellation)
    {
        using var stream = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stream.CancelAfter(StreamPatience);
        try
        {
            return await log.ReadAsync(stream.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return true;
        }
    }
}

/// <summary>The engine does not answer any more; what runs there may go on.</summary>
public sealed class EngineLostException(EngineAddress address, TimeSpan patience, Exception inner)
    : Exception($"the Docker engine at {address} did not answer for {patience.TotalSeconds:0} s: {inner.GetBaseException().Message}", inner);

/// <summary>How a container is, or how it ended.</summary>
/// <param name="Status">The engine's word: created, running, exited, dead.</param>
/// <param name="IsRunning">Whether it has not ended.</param>
/// <param name="ExitCode">Its exit code, once it has ended.</param>
/// <param name="OutOfMemory">Whether the kernel killed one of its processes for want of memory.</param>
/// <param name="Error">Why it could not be started; empty where it could.</param>
public sealed record ContainerState(string Status, bool IsRunning, int ExitCode, bool OutOfMemory, string Error)
{
    /// <summary>The image, by the name that it was made with.</summary>
    public string Image { get; init; } = "";

    /// <summary>What that name stood for when it was made: the image's digest.</summary>
    public string ImageId { get; init; } = "";

    /// <summary>Its memory limit in bytes; 0 where it has none of its own.</summary>
    public long MemoryLimitBytes { get; init; }

    /// <summary>healthy, unhealthy or starting; null where nobody asks for its health.</summary>
    public string? Health { get; init; }

    /// <summary>What its last health check said.</summary>
    public string HealthSaid { get; init; } = "";
}
