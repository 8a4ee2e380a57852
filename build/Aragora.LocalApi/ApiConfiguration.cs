using System.Text.Json;

namespace Aragora.LocalApi;

/// <summary>What the service is told, in a file that only its owner may read: connection strings do not belong on a command line.</summary>
internal sealed record ApiConfiguration
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web);

    /// <summary>The port wanted on 127.0.0.1; 0 for any. Another one is taken if this one is in use.</summary>
    public int Port { get; init; }

    /// <summary>Where process id and port are written once requests are answered.</summary>
    public required string StateFile { get; init; }

    /// <summary>The service's own log.</summary>
    public required string LogFile { get; init; }

    /// <summary>Reported by /health.</summary>
    public required string Version { get; init; }

    /// <summary>A random name of this very instance, sent with each answer: a stranger on a remembered port does not know it.</summary>
    public required string Instance { get; init; }

    /// <summary>Npgsql connection strings by environment: <c>staging</c>, <c>production</c>.</summary>
    public required IReadOnlyDictionary<string, string> Databases { get; init; }
}
