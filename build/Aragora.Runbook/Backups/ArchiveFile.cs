using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Backups;

/// <summary>One file of a directory archive, read from its first byte to its last: size, SHA-256, and whether its content is whole by itself.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Hexadecimal.</param>
/// <param name="Damage">What is wrong with the content whatever the hash says, such as a checksum of gzip's; null where nothing is.</param>
public sealed partial record ArchiveFile(long Bytes, string Sha256, string? Damage)
{
    private const int BufferBytes = 1 << 17;
    private const int GzipLeastBytes = 18;
    private static readonly byte[] EndOfRows = "\\.\n\n\n"u8.ToArray();

    /// <summary>Hashes many files in parallel, as many at once as there are cores.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="names">Their names, relative to it.</param>
    /// <param name="looksInside">Whether the content is read as well (gzip's checksum, the end of a table's rows).</param>
    /// <param name="onRead">Receives (bytes read since the last call, whether a file is done), from any thread.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task<IReadOnlyDictionary<string, ArchiveFile>> ReadAllAsync(string folder, IEnumerable<string> names, bool looksInside, Action<long, bool>? onRead, CancellationToken cancellation)
    {
        var files = new System.Collections.Concurrent.ConcurrentDictionary<string, ArchiveFile>(StringComparer.Ordinal);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount), CancellationToken = cancellation };
        await Parallel.ForEachAsync(names, parallel, async (name, token) =>
        {
            files[name] = await ReadAsync(Path.Combine(folder, name), looksInside, bytes => onRead?.Invoke(bytes, false), token);
            onRead?.Invoke(0, true);
        });
        return files;
    }

    /// <summary>Reads one file.</summary>
    public static async Task<ArchiveFile> ReadAsync(string path, bool looksInside, Action<long> onBytes, CancellationToken cancellation)
    {
        using var hash = SHA256.Create();
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using (file)
        {
            string? damage = null;
            long told = 0;
            var hashed = new CryptoStream(file, hash, CryptoStreamMode.Read, leaveOpen: true);
            await using (hashed)
            {
                if (looksInside && path.EndsWith(".gz", StringComparison.Ordinal))
                {
                    damage = await UnpackAsync(path, hashed, file.Length, Tell, cancellation);
                }
                else if (looksInside && IsTable(path))
                {
                    damage = EndComplaint(await DrainAsync(hashed, Tell, cancellation));
                }

                // To the last byte, also where the content ended, or broke, before.
                await DrainAsync(hashed, Tell, cancellation);
            }

            return new ArchiveFile(file.Length, Convert.ToHexStringLower(hash.Hash!), damage);

            void Tell()
            {
                onBytes(file.Position - told);
                told = file.Position;
            }
        }
    }

    private static async Task<string?> UnpackAsync(string path, Stream packed, long packedBytes, Action tell, CancellationToken cancellation)
    {
        if (packedBytes < GzipLeastBytes)
        {
            // pg_restore takes such a file for an empty table, and ends with exit code 0.
            return "it is too short to be a gzip file";
        }

        try
        {
            await using var unpacking = new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true);
            var drained = await DrainAsync(unpacking, tell, cancellation);
            if ((uint)drained.Bytes != await LengthInTrailerAsync(path, packedBytes, cancellation))
            {
                return "it ends too early: its content is shorter than gzip's trailer says";
            }

            return IsTable(path) ? EndComplaint(drained) : null;
        }
        catch (InvalidDataException broken)
        {
            return $"it does not unpack: {broken.Message}";
        }
    }

    private static async Task<uint> LengthInTrailerAsync(string path, long packedBytes, CancellationToken cancellation)
    {
        using var handle = File.OpenHandle(path);
        var trailer = new byte[sizeof(uint)];
        await RandomAccess.ReadAsync(handle, trailer, packedBytes - sizeof(uint), cancellation);
        return BinaryPrimitives.ReadUInt32LittleEndian(trailer);
    }

    private static string? EndComplaint((long Bytes, byte[] End) drained) =>
        drained.End.AsSpan().SequenceEqual(EndOfRows) ? null : "it ends too early: the mark behind a table's last row is missing";

    /// <summary>Reads to the end; gives the length and the last bytes.</summary>
    private static async Task<(long Bytes, byte[] End)> DrainAsync(Stream stream, Action tell, CancellationToken cancellation)
    {
        var buffer = new byte[BufferBytes];
        var end = Array.Empty<byte>();
        long bytes = 0;
        for (int read; (read = await stream.ReadAsync(buffer, cancellation)) > 0;)
        {
            bytes += read;
            tell();
            end = read >= EndOfRows.Length ? buffer[(read - EndOfRows.Length)..read] : [.. end.Concat(buffer[..read]).TakeLast(EndOfRows.Length)];
        }

        return (bytes, end);
    }

    private static bool IsTable(string path) => TableFile().IsMatch(Path.GetFileName(path));

    /// <summary>pg_dump names a table's file by the number of its entry; large objects begin with <c>blob_</c>.</summary>
    [GeneratedRegex(@"^\d+\.dat(\.gz)?$")]
    private static partial Regex TableFile();
}
