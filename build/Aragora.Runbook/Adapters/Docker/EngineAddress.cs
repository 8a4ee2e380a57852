using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Aragora.Runbook.Adapters.Docker;

/// <summary>Where the Docker engine is, as Docker's own programs find it: <c>DOCKER_HOST</c>, else the context in use, else the usual socket.</summary>
/// <param name="Host">As it was written, such as <c>unix:///var/run/docker.sock</c> or <c>tcp://10.0.0.1:2375</c>.</param>
/// <param name="Origin">What says so: "DOCKER_HOST", "the context rootless", "the usual place".</param>
public sealed record EngineAddress(string Host, string Origin)
{
    /// <summary>Whether it is on this machine: ports that it publishes on loopback are ours.</summary>
    public bool IsLocal => Host.StartsWith("unix://", StringComparison.Ordinal) || Host.StartsWith("npipe://", StringComparison.Ordinal);

    /// <summary>The context that names it; null where none does.</summary>
    public string? Context { get; private init; }

    /// <summary>What Docker.DotNet takes; null where it cannot: ssh, and TLS with client certificates.</summary>
    public Uri? Uri { get; private init; } = Parse(Host);

    /// <summary>The address of this process's surroundings.</summary>
    public static EngineAddress Read() => Read(Environment.GetEnvironmentVariable, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    /// <summary>The same from given variables and a given home folder.</summary>
    internal static EngineAddress Read(Func<string, string?> variable, string home)
    {
        var isTls = variable("DOCKER_TLS_VERIFY") is { Length: > 0 };
        if (variable("DOCKER_HOST") is { Length: > 0 } host)
        {
            var named = new EngineAddress(host, "DOCKER_HOST");
            return isTls && !named.IsLocal ? named with { Uri = null } : named;
        }

        var settings = variable("DOCKER_CONFIG") is { Length: > 0 } folder ? folder : Path.Combine(home, ".docker");
        var context = variable("DOCKER_CONTEXT") is { Length: > 0 } chosen ? chosen : Text(Path.Combine(settings, "config.json"), "currentContext");
        if (context is { Length: > 0 } and not "default")
        {
            var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(context)));
            if (Text(Path.Combine(settings, "contexts", "meta", id, "meta.json"), "Endpoints", "docker", "Host") is { Length: > 0 } endpoint)
            {
                return new EngineAddress(endpoint, $"the context {context}") { Context = context };
            }
        }

        return new EngineAddress(OperatingSystem.IsWindows() ? "npipe://./pipe/docker_engine" : "unix:///var/run/docker.sock", "the usual place");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Host} ({Origin})";

    private static Uri? Parse(string host) =>
        new[] { "unix://", "npipe://", "tcp://", "http://" }.Any(scheme => host.StartsWith(scheme, StringComparison.Ordinal)) && System.Uri.TryCreate(host.Replace("npipe:////", "npipe://", StringComparison.Ordinal), UriKind.Absolute, out var uri) ? uri : null;

    private static string? Text(string file, params string[] path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            var at = json.RootElement;
            foreach (var name in path)
            {
                if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at))
                {
                    return null;
                }
            }

            return at.ValueKind == JsonValueKind.String ? at.GetString() : null;
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException or JsonException)
        {
            // No settings of Docker's are no context; Docker's own programs go to the usual socket then.
            return null;
        }
    }
}

/// <summary>Whether an engine answers.</summary>
/// <param name="Engine">The engine; null where none does.</param>
/// <param name="Address">Where it was looked for.</param>
/// <param name="Denied">Whether it is there, and this user may not ask it.</param>
/// <param name="Why">Why it does not answer; empty where it does.</param>
public sealed record EngineConnection(DockerEngine? Engine, EngineAddress Address, bool Denied, string Why);
