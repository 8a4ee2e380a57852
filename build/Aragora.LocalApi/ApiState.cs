using System.Text.Json;

namespace Aragora.LocalApi;

/// <summary>Which process answers where.</summary>
internal sealed record ApiState(int Pid, int Port, string Instance)
{
    /// <summary>Whole or not at all: a reader never sees half of it.</summary>
    public static async Task WriteAsync(string path, ApiState state, CancellationToken cancellation)
    {
        var partial = $"{path}.{state.Pid}";
        await File.WriteAllTextAsync(partial, JsonSerializer.Serialize(state, ApiConfiguration.Json), cancellation);
        File.Move(partial, path, overwrite: true);
    }
}
