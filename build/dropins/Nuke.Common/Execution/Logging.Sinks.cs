using System.Globalization;
using System.Text;
using Nuke.Common.Utilities;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;

namespace Nuke.Common.Execution;

public static partial class Logging
{
    /// <summary>The warnings and errors so far.</summary>
    public class InMemorySink : ILogEventSink, IDisposable
    {
        private readonly List<LogEvent> _logEvents = [];

        private InMemorySink()
        {
        }

        /// <summary>The one of this process.</summary>
        public static InMemorySink Instance { get; } = new();

        /// <summary>What was logged, in order.</summary>
        public IReadOnlyCollection<LogEvent> LogEvents
        {
            get
            {
                lock (_logEvents)
                    return [.. _logEvents];
            }
        }

        /// <inheritdoc />
        public void Emit(LogEvent logEvent)
        {
            logEvent.AddOrUpdateProperty(ExecutingTargetLogEventEnricher.Current);
            lock (_logEvents)
                _logEvents.Add(logEvent);
        }

        /// <inheritdoc />
        public void Dispose()
        {
            lock (_logEvents)
                _logEvents.Clear();
            GC.SuppressFinalize(this);
        }
    }

    internal sealed class ExecutingTargetLogEventEnricher : ILogEventEnricher
    {
        public static LogEventProperty Current { get; private set; } = Named(string.Empty);

        public static IDisposable SetTarget(string name)
        {
            var previous = Current;
            return DelegateDisposable.CreateBracket(() => Current = Named(name), () => Current = previous);
        }

        public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory) => logEvent.AddOrUpdateProperty(Current);

        private static LogEventProperty Named(string name) =>
            new(TargetProperty, new ScalarValue(name[..Math.Min(name.Length, TargetNameLength)]));
    }

    // Appends and flushes line by line; opened at the first one. A log that cannot be written must not stop a build.
    private sealed class LogFileSink(string path, string template) : ILogEventSink, IDisposable
    {
        private readonly Lock _lock = new();
        private readonly MessageTemplateTextFormatter _formatter = new(template, CultureInfo.InvariantCulture);
        private StreamWriter _writer;
        private bool _isBroken;

        public void Emit(LogEvent logEvent)
        {
            lock (_lock)
            {
                if (_isBroken)
                    return;

                try
                {
                    _writer ??= new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete), new UTF8Encoding(false));
                    _formatter.Format(logEvent, _writer);
                    _writer.Flush();
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    _isBroken = true;
                }
            }
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _isBroken = true;
                _writer?.Dispose();
            }
        }
    }
}
