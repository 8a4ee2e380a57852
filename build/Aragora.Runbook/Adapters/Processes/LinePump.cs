using System.Runtime.ExceptionServices;
using System.Text;

namespace Aragora.Runbook.Adapters.Processes;

/// <summary>Reads a child's stream line by line, to its end whatever the listener does: a full pipe would stop the child.</summary>
/// <param name="isError">Whether the stream is its standard error.</param>
/// <param name="onLine">The listener.</param>
internal sealed class LinePump(bool isError, Action<string, bool>? onLine)
{
    private readonly StringBuilder text = new();
    private readonly Lock gate = new();
    private ExceptionDispatchInfo? complaint;
    private bool closed;

    /// <summary>Reads to the end. After the listener has thrown it gets no more lines.</summary>
    public async Task RunAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            Take(line);
        }
    }

    /// <summary>A line that comes later is dropped.</summary>
    public void Stop()
    {
        lock (gate)
        {
            closed = true;
        }
    }

    /// <summary>Stops, and gives what was read.</summary>
    /// <exception cref="Exception">What the listener threw.</exception>
    public string Close()
    {
        Stop();
        complaint?.Throw();
        return text.ToString();
    }

    private void Take(string line)
    {
        lock (gate)
        {
            if (closed)
            {
                return;
            }

            text.Append(line).Append('\n');
            if (complaint is null)
            {
                try
                {
                    onLine?.Invoke(line, isError);
                }
                catch (Exception thrown)
                {
                    complaint = ExceptionDispatchInfo.Capture(thrown);
                }
            }
        }
    }
}
