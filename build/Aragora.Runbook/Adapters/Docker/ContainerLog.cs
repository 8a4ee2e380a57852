using System.Runtime.InteropServices;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Aragora.Runbook.Adapters.Docker;

/// <summary>A container's log, line by line, each line once: where a stream broke off, the log is read again from its beginning, past what was told already.</summary>
/// <remarks>By content, not by time: with time stamps the engine cuts a line of more than 16 kB into pieces, and puts one before each.</remarks>
internal sealed class ContainerLog
{
    private readonly DockerClient client;
    private readonly string name;
    private readonly LogAlignment alignment;
    private readonly LineReader output;
    private readonly LineReader error;
    private long bytes;

    public ContainerLog(DockerClient client, string name, Action<string> onLine)
    {
        (this.client, this.name) = (client, name);
        alignment = new LogAlignment(onLine);
        output = new LineReader(line => alignment.Take(isError: false, line));
        error = new LineReader(line => alignment.Take(isError: true, line));
    }

    /// <summary>Reads until the stream ends: at the container's end, or before, when something broke, which cannot be told from that by the stream alone.</summary>
    /// <returns>Whether it read something else than the reading before: a log that is at its end is read twice alike.</returns>
    public async Task<bool> ReadAsync(CancellationToken cancellation)
    {
        var before = (bytes, alignment.Told);
        var tty = (await client.Containers.InspectContainerAsync(name, cancellation)).Config?.Tty == true;
        using var stream = await client.Containers.GetContainerLogsAsync(name, tty, new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Follow = true }, cancellation);
        bytes = 0;
        output.Restart();
        error.Restart();
        alignment.Restart();
        var buffer = new byte[32 * 1024];
        while (await stream.ReadOutputAsync(buffer, 0, buffer.Length, cancellation) is { EOF: false } read)
        {
            bytes += read.Count;
            (read.Target == MultiplexedStream.TargetStream.StandardError ? error : output).Take(buffer.AsSpan(0, read.Count));
        }

        return before != (bytes, alignment.Told);
    }

    /// <summary>Tells what is left: a last line without an end of line.</summary>
    /// <param name="isWhole">Whether the log was read to its end. Where it was not, lines that seem to be told already are not told again.</param>
    public void Close(bool isWhole)
    {
        if (isWhole)
        {
            alignment.Settle();
        }

        if (alignment.IsAligned)
        {
            output.Close();
            error.Close();
        }
    }

    private sealed class LineReader(Action<ReadOnlySpan<byte>> onLine)
    {
        private readonly List<byte> line = [];

        public void Restart() => line.Clear();

        public void Take(ReadOnlySpan<byte> bytes)
        {
            for (var end = bytes.IndexOf((byte)'\n'); end >= 0; end = bytes.IndexOf((byte)'\n'))
            {
                line.AddRange(bytes[..end]);
                Tell();
                bytes = bytes[(end + 1)..];
            }

            line.AddRange(bytes);
        }

        public void Close()
        {
            if (line.Count > 0)
            {
                Tell();
            }
        }

        private void Tell()
        {
            onLine(CollectionsMarshal.AsSpan(line));
            line.Clear();
        }
    }
}
