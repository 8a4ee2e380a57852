using System.Security.Cryptography;
using System.Text.Json;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Servers;

/// <summary>What is remembered of a throwaway server in <c>server.json</c> of its folder. Without that file, the folder is an unfinished start.</summary>
internal sealed record ServerState
{
    /// <summary>The port on 127.0.0.1; 0 before the first start, and for a container (it is asked).</summary>
    public int Port { get; init; }

    /// <summary>Whether it listens on a socket in its folder instead; the port is in the socket's name.</summary>
    public bool OnSocket { get; init; }

    /// <summary>The superuser's password.</summary>
    public required string Password { get; init; }

    /// <summary>Major version of the data.</summary>
    public required int Major { get; init; }

    /// <summary>The locale that the cluster was made with.</summary>
    public string? Locale { get; init; }

    /// <summary>Name of the container that it runs in; null for a server of this machine's programs.</summary>
    public string? Container { get; init; }

    public static string PathIn(string folder) => Path.Combine(folder, "server.json");

    public static string NewPassword() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Null where there is none, or none that can be read (only an interrupted disk writes half of it).</summary>
    public static async Task<ServerState?> ReadAsync(string folder, CancellationToken cancellation)
    {
        try
        {
            return JsonSerializer.Deserialize<ServerState>(await File.ReadAllTextAsync(PathIn(folder), cancellation), RunbookJson.Line);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    public Task WriteAsync(string folder, CancellationToken cancellation) =>
        PrivateFile.WriteAsync(PathIn(folder), JsonSerializer.Serialize(this, RunbookJson.Line), cancellation);
}
