using System.Globalization;
using Serilog;

namespace Aragora.Runbook.Reporting;

/// <summary>How far a step is, at one moment.</summary>
/// <param name="What">Verb and object, such as <c>dumping production</c>.</param>
/// <param name="Done">Items done.</param>
/// <param name="Total">Items there are; 0 where that is not known.</param>
/// <param name="Unit">What is counted, plural: <c>tables</c>.</param>
/// <param name="Bytes">Bytes written or read so far.</param>
/// <param name="Elapsed">Since the step began.</param>
/// <param name="Remaining">Estimate of what is left; null where there is no ground for one.</param>
public sealed record ProgressSnapshot(string What, long Done, long Total, string Unit, long Bytes, TimeSpan Elapsed, TimeSpan? Remaining = null)
{
    /// <summary>Bytes per second since the beginning; null in the first half second.</summary>
    public double? BytesPerSecond => Elapsed.TotalSeconds < 0.5 ? null : Bytes / Elapsed.TotalSeconds;

    /// <summary>One line without the beginning: <c>12 of 40 tables, 123 MB, 45.1 MB/s, about 2 min left</c>.</summary>
    public string Describe()
    {
        var parts = new List<string>
        {
            Total > 0 ? string.Create(CultureInfo.InvariantCulture, $"{Done} of {Total} {Unit}") : string.Create(CultureInfo.InvariantCulture, $"{Done} {Unit}"),
            DataSize.Text(Bytes),
        };
        if (BytesPerSecond is { } rate)
        {
            parts.Add(DataSize.Text(rate) + "/s");
        }

        if (Remaining is { } left)
        {
            parts.Add($"about {Rough(left)} left");
        }

        return string.Join(", ", parts);
    }

    /// <summary>A duration as people say it: <c>8 s</c>, <c>3 min</c>, <c>2.5 h</c>.</summary>
    public static string Rough(TimeSpan time) => time switch
    {
        { TotalSeconds: < 90 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.TotalSeconds):0} s"),
        { TotalMinutes: < 90 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min"),
        { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.#} days"),
    };
}

/// <summary>Shows how far a step is. Called from one thread at a time, about once a second.</summary>
public interface IProgressView
{
    /// <summary>Shows a moment, or leaves it out where there is nothing new to say.</summary>
    void Report(ProgressSnapshot moment);

    /// <summary>The step is over, whatever its end: what was shown only for the time being goes away.</summary>
    void Close();
}

/// <summary>Chooses the rendering for where we run.</summary>
public static class ProgressViews
{
    /// <summary>A live line on a terminal; a log line now and then where the output is redirected, as in CI.</summary>
    public static IProgressView For(ILogger log, TimeProvider clock) =>
        Console.IsOutputRedirected ? new ProgressLog(log, clock) : new ProgressLine(Console.Out, TerminalWidth);

    private static int TerminalWidth()
    {
        try
        {
            return Console.WindowWidth;
        }
        catch (IOException)
        {
            // A terminal that does not tell its size.
            return 0;
        }
    }
}

/// <summary>One line on a terminal that is written over and over: carriage return and blanks only, so that it also works with <c>TERM=dumb</c>.</summary>
/// <param name="output">The terminal.</param>
/// <param name="width">Its width in columns, asked each time, for windows change; 0 or less means unknown and is taken as 80.</param>
public sealed class ProgressLine(TextWriter output, Func<int> width) : IProgressView
{
    private int shown;

    /// <inheritdoc/>
    public void Report(ProgressSnapshot moment)
    {
        var columns = width() is > 0 and var known ? known : 80;
        var text = $"{moment.What}: {moment.Describe()}";

        // The last column stays free: some terminals wrap when it is filled, and the line would climb.
        var limit = Math.Max(1, columns - 1);
        text = text.Length <= limit ? text : text[..limit];
        output.Write("\r" + text.PadRight(Math.Min(shown, limit)));
        output.Flush();
        shown = text.Length;
    }

    /// <inheritdoc/>
    public void Close()
    {
        if (shown > 0)
        {
            output.Write("\r" + new string(' ', shown) + "\r");
            output.Flush();
            shown = 0;
        }
    }
}

/// <summary>A log line after 5 seconds and then every 15 seconds, and only if something moved: a step of three seconds logs nothing.</summary>
/// <param name="log">Receives the lines, at level Information.</param>
/// <param name="clock">Tells the seconds.</param>
public sealed class ProgressLog(ILogger log, TimeProvider clock) : IProgressView
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(15);
    private long? began;
    private long? lastAt;
    private ProgressSnapshot? last;

    /// <inheritdoc/>
    public void Report(ProgressSnapshot moment)
    {
        began ??= clock.GetTimestamp();
        var due = lastAt is { } at ? clock.GetElapsedTime(at) >= Between : clock.GetElapsedTime(began.Value) >= First;
        var isNews = last is null || (moment.What, moment.Done, moment.Bytes) != (last.What, last.Done, last.Bytes);
        if (due && isNews)
        {
            log.Information("{What}: {Progress}", moment.What, moment.Describe());
            (lastAt, last) = (clock.GetTimestamp(), moment);
        }
    }

    /// <inheritdoc/>
    public void Close() => (began, lastAt, last) = (null, null, null);
}
