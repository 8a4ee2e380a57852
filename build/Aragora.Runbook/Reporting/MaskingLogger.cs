using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;
using Serilog.Parsing;

namespace Aragora.Runbook.Reporting;

/// <summary>The logger of a run: what people read goes to the host's logger, everything goes to <c>log.ndjson</c>; both without secrets.</summary>
/// <remarks>
/// People get no stack trace of a <see cref="RunbookException"/>: its message is written for them. The file has it whole.
/// What people read can give no orders to the CI host; see <see cref="LogText"/>.
/// </remarks>
public static class MaskingLogger
{
    /// <summary>The file's name in the run's folder: one JSON object a line, in Serilog's compact format.</summary>
    public const string FileName = "log.ndjson";

    /// <summary>Makes the logger. Dispose it at the end of the run; <paramref name="inner"/> stays its owner's.</summary>
    /// <param name="inner">The host's logger; it decides by its own level what it shows.</param>
    /// <param name="secrets">What is masked, also what is added later.</param>
    /// <param name="runFolder">The run's folder, made if it is not there; null for a run that leaves none.</param>
    /// <param name="showsDebug">Whether people see debug lines too; the file always has them.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public static Logger Create(ILogger inner, SecretMask secrets, string? runFolder, bool showsDebug = false)
    {
        var file = new LoggerConfiguration().MinimumLevel.Verbose();
        if (runFolder is not null)
        {
            PrivateFolder.Create(runFolder);
            file.WriteTo.File(new CompactJsonFormatter(), Path.Combine(runFolder, FileName), fileSizeLimitBytes: null);
        }

        return new LoggerConfiguration().MinimumLevel.Verbose().Enrich.FromLogContext()
            .WriteTo.Sink(new MaskingSink(inner, file.CreateLogger(), secrets, showsDebug))
            .CreateLogger();
    }

    private sealed class MaskingSink(ILogger people, Logger file, SecretMask secrets, bool showsDebug) : ILogEventSink, IDisposable
    {
        private static readonly MessageTemplateParser Parser = new();

        public void Emit(LogEvent logEvent)
        {
            file.Write(Rewrite(logEvent, secrets.Apply, logEvent.Exception is null ? null : new MaskedException(secrets.Apply(logEvent.Exception.ToString()))));

            if ((showsDebug || logEvent.Level >= LogEventLevel.Information) && people.IsEnabled(logEvent.Level))
            {
                people.Write(ForPeople(logEvent));
            }
        }

        public void Dispose() => file.Dispose();

        private LogEvent ForPeople(LogEvent logEvent)
        {
            var failure = logEvent.Exception;
            var shown = failure is null or RunbookException ? null : new MaskedException(Clean(failure.ToString()));
            var clean = Rewrite(logEvent, Clean, shown);
            var rendered = clean.RenderMessage();
            var added = failure is RunbookException told && !rendered.Contains(Clean(told.What), StringComparison.Ordinal) ? "\n" + Clean(told.Message) : "";

            // Pieces that are harmless one by one may meet in an order, or in a secret.
            var whole = Clean(rendered + added);
            return whole == rendered ? clean : Literal(clean, whole);
        }

        private string Clean(string text) => LogText.Safe(secrets.Apply(LogText.Safe(secrets.Apply(text))));

        private static LogEvent Literal(LogEvent logEvent, string message) => new(
            logEvent.Timestamp,
            logEvent.Level,
            logEvent.Exception,
            new MessageTemplate([new PropertyToken("Message", "{Message:l}", "l")]),
            [new LogEventProperty("Message", new ScalarValue(message))]);

        private static LogEvent Rewrite(LogEvent logEvent, Func<string, string> clean, Exception? exception)
        {
            var template = clean(logEvent.MessageTemplate.Text);
            return new LogEvent(
                logEvent.Timestamp,
                logEvent.Level,
                exception,
                template == logEvent.MessageTemplate.Text ? logEvent.MessageTemplate : Parser.Parse(template),
                logEvent.Properties.Select(property => new LogEventProperty(property.Key, Rewrite(property.Value, clean))),
                logEvent.TraceId ?? default,
                logEvent.SpanId ?? default);
        }

        private static LogEventPropertyValue Rewrite(LogEventPropertyValue value, Func<string, string> clean) => value switch
        {
            ScalarValue scalar => Rewrite(scalar, clean),
            SequenceValue sequence => new SequenceValue(sequence.Elements.Select(element => Rewrite(element, clean))),
            StructureValue structure => new StructureValue(structure.Properties.Select(property => new LogEventProperty(property.Name, Rewrite(property.Value, clean))), structure.TypeTag),
            DictionaryValue dictionary => new DictionaryValue(dictionary.Elements.Select(pair => KeyValuePair.Create(Rewrite(pair.Key, clean), Rewrite(pair.Value, clean)))),
            _ => new ScalarValue(clean(value.ToString())),
        };

        /// <summary>Numbers, moments and the like stay what they are; of anything else the text counts.</summary>
        private static ScalarValue Rewrite(ScalarValue scalar, Func<string, string> clean)
        {
            if (scalar.Value is null or bool or char or DateTime or DateTimeOffset or TimeSpan or Guid or DateOnly or TimeOnly or Enum || (scalar.Value.GetType().IsPrimitive || scalar.Value is decimal))
            {
                return scalar;
            }

            var text = scalar.Value.ToString() ?? "";
            var cleaned = clean(text);
            return cleaned == text ? scalar : new ScalarValue(cleaned);
        }
    }

    /// <summary>Sinks print an exception by its <c>ToString</c>: this one says the masked text, and has nothing else to say.</summary>
    private sealed class MaskedException(string text) : Exception(text)
    {
        public override string ToString() => Message;
    }
}
