using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Aragora.Runbook.Adapters.Docker;

/// <summary>A container's log, line by line, each line once: where a stream broke off, the log is read again from its beginning, past what was told already.</summary>
/// <remarks>By count, not by time: with time stamps the engine cuts a line of more than 16 kB into pieces, and puts one before each.</remarks>
internal sealed class ContainerLog(DockerClient client, string name, Action<string> onLine)
{
    private readonly LineReader output = new(onLine);
    private readonly LineReader error = new(onLine);

    /// <summary>Reads until the engine closes the stream: at the container's end, or before, when something broke.</summary>
    public async Task ReadAsync(CancellationToken cancellation)
    {
        output.Restart();
        error.Restart();
        var tty = (await client.Containers.InspectContainerAsync(name, cancellation)).Config?.Tty == true;
        using var stream = await client.Containers.GetContainerLogsAsync(name, tty, new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Follow = true }, cancellation);
        var buffer = new byte[32 * 1024];
        while (await stream.ReadOutputAsync(buffer, 0, buffer.Length, cancellation) is { EOF: false } read)
        {
            (read.Target == MultiplexedStream.TargetStream.StandardError ? error : output).Take(buffer.AsSpan(0, read.Count));
        }
    }

    /// <summary>Tells a last line without an end of line.</summary>
    public void Close()
    {
        output.Close();
        error.Close();
    }

    private sealed class LineReader(Action<string> onLine)
    {
        private readonly List<byte> line = [];
        private long told;
        private long seen;

        public void Restart()
        {
            line.Clear();
            seen = 0;
        }

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
            seen++;
            if (seen > told)
            {
                told = seen;
                onLine(Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(line)).TrimEnd('\r'));
            }

            line.Clear();
        }
    }
}
