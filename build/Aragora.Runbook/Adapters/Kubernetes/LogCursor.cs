using System.Globalization;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>Where the reading of a container's log stands, so that a second stream goes on where the first one broke, with no line lost and none twice.</summary>
/// <remarks>
/// The API takes a time to start from (<c>sinceTime</c>) and rounds it down to a second; lines of stdout and stderr may lie a little out of order. So a stream starts a few seconds
/// before the newest line, and what was taken of those seconds is remembered: by time and text, and how often.
/// </remarks>
public sealed class LogCursor
{
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(5);
    private readonly Dictionary<(string Time, string Text), int> taken = [];
    private readonly Queue<(DateTimeOffset At, (string, string) Key)> order = new();
    private Dictionary<(string, string), int> expected = [];
    private DateTimeOffset? newest;
    private DateTimeOffset? start;

    /// <summary>From when on to read, whole seconds in UTC; null for the first line.</summary>
    public string? SinceTime => start?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A new stream begins, from <see cref="SinceTime"/> on.</summary>
    public void Restart()
    {
        start = newest is { } last ? Floor(last - Overlap) : null;
        expected = new Dictionary<(string, string), int>(taken);
    }

    /// <summary>Takes a whole line as the API gives it with <c>timestamps=true</c>.</summary>
    /// <param name="line">Time, a space, the container's own text.</param>
    /// <returns>The text; null where it was taken before.</returns>
    public string? Take(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var time = space < 0 ? line : line[..space];
        if (!DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
        {
            // Part of a very long line, or a runtime's own complaint.
            return line;
        }

        var text = space < 0 ? "" : line[(space + 1)..].TrimEnd('\r');
        var key = (time, text);
        if (at < start)
        {
            return null;
        }

        if (expected.TryGetValue(key, out var before) && before > 0)
        {
            expected[key] = before - 1;
            return null;
        }

        taken[key] = taken.GetValueOrDefault(key) + 1;
        order.Enqueue((at, key));
        newest = newest is { } last && last > at ? last : at;
        Forget(newest.Value - Remembered);
        return text;
    }

    private void Forget(DateTimeOffset before)
    {
        while (order.TryPeek(out var oldest) && oldest.At < before)
        {
            order.Dequeue();
            if (--taken[oldest.Key] == 0)
            {
                taken.Remove(oldest.Key);
            }
        }
    }

    private static DateTimeOffset Floor(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}
