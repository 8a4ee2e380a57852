using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Aragora.Runbook.Backups;

/// <summary>One file of a directory archive, read from its first byte to its last.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Hexadecimal.</param>
public sealed record ArchiveFile(long Bytes, string Sha256)
{
    private const int BufferBytes = 1 << 17;

    /// <summary>Hashes many files in parallel, as many at once as there are cores.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="names">Their names, relative to it.</param>
    /// <param name="onRead">Receives (bytes read since the last call, whether a file is done), from any thread.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task<IReadOnlyDictionary<string, ArchiveFile>> ReadAllAsync(string folder, IEnumerable<string> names, Action<long, bool>? onRead, CancellationToken cancellation)
    {
        var files = new ConcurrentDictionary<string, ArchiveFile>(StringComparer.Ordinal);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount), CancellationToken = cancellation };
        await Parallel.ForEachAsync(names, parallel, async (name, token) =>
        {
            files[name] = await ReadAsync(Path.Combine(folder, name), bytes => onRead?.Invoke(bytes, false), token);
            onRead?.Invoke(0, true);
        });
        return files;
    }

    private static async Task<ArchiveFile> ReadAsync(string path, Action<long> onBytes, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var buffer = new byte[BufferBytes];
        long bytes = 0;
        for (int read; (read = await file.ReadAsync(buffer, cancellation)) > 0; bytes += read)
        {
            hash.AppendData(buffer, 0, read);
            onBytes(read);
        }

        return new ArchiveFile(bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
