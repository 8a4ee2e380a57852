using System.Globalization;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>What people would read, line by line.</summary>
internal static class LogLines
{
    public static ILogger To(List<string> lines) => new LoggerConfiguration().MinimumLevel.Information().WriteTo.Sink(new ListSink(lines)).CreateLogger();

    private sealed class ListSink(List<string> lines) : ILogEventSink
    {
        public void Emit(LogEvent logEvent)
        {
            lock (lines)
            {
                lines.Add(logEvent.RenderMessage(CultureInfo.InvariantCulture));
            }
        }
    }
}
