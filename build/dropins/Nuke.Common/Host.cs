using System.Globalization;
using Nuke.Common.Execution;
using Nuke.Common.Execution.Theming;
using Nuke.Common.Utilities;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Sinks.SystemConsole.Themes;

namespace Nuke.Common;

/// <summary>Where the build runs, and how it writes there.</summary>
[System.ComponentModel.TypeConverter(typeof(HostTypeConverter))]
public partial class Host
{
    private static readonly string[] s_logo =
    [
        @"  _  _         _          ",
        @" | \| | _  _  | |__ ___   ",
        @" | .` || || | | / // -_)  ",
        @" |_|\_| \_,_| |_\_\\___|  drop-in",
    ];

    /// <summary>The latest one made is the instance.</summary>
    protected Host() => Instance = this;

    internal virtual IHostTheme Theme => Logging.DefaultTheme;

    internal virtual string OutputTemplate => Logging.TimestampOutputTemplate;

    /// <summary>Prints the logo.</summary>
    protected internal void WriteLogo()
    {
        Debug();
        Array.ForEach(s_logo, Debug);
        Debug();
    }

    /// <summary>Opens a section (for CI services one that folds); disposing closes it.</summary>
    protected internal virtual IDisposable WriteBlock(string text)
    {
        Debug();
        Debug("╬" + new string('═', text.Length + 5));
        foreach (var line in text.Split(Environment.NewLine))
            Debug($"║ {Theme.FormatInformation(line)}");
        Debug("╬" + new string('═', Math.Max(text.Length - 4, 2)));
        Debug();
        return DelegateDisposable.CreateBracket();
    }

    /// <summary>Tells the CI service about a warning.</summary>
    protected internal virtual void ReportWarning(string text, string details = null)
    {
    }

    /// <summary>Tells the CI service about an error.</summary>
    protected internal virtual void ReportError(string text, string details = null)
    {
    }

    /// <summary>Whether the message is a command to the CI service, which is then printed as it is.</summary>
    protected internal virtual bool FilterMessage(string message) => false;

    /// <summary>Repeats the warnings and errors. From here on only they reach the console, and nothing the log files.</summary>
    protected internal virtual void WriteErrorsAndWarnings()
    {
        var logEvents = Logging.InMemorySink.Instance.LogEvents;
        if (logEvents.Count == 0)
            return;

        using (WriteBlock("Errors & Warnings"))
        {
            Log.Logger = new LoggerConfiguration()
                .WriteTo.Console(
                    outputTemplate: Logging.ErrorsAndWarningsOutputTemplate,
                    formatProvider: CultureInfo.InvariantCulture,
                    theme: (ConsoleTheme)Theme,
                    applyThemeToRedirectedOutput: true)
                .CreateLogger();
            foreach (var logEvent in logEvents.Where(x => x.MessageTemplate.Text.Length > 0))
                Log.Write(logEvent);
        }
    }

    /// <summary>Prints the table of targets.</summary>
    protected internal virtual void WriteTargetOutcome(INukeBuild build) => TargetSummary.Write(build);

    /// <summary>Prints the last line.</summary>
    protected internal virtual void WriteBuildOutcome(INukeBuild build)
    {
        var time = TimeProvider.System.GetLocalNow().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        Debug();
        if (build.IsSucceeding)
            Success($"Build succeeded on {time}.");
        else
            Error($"Build failed on {time}.");
    }

    internal sealed class LogEventSink(Host host) : ILogEventSink
    {
        public void Emit(LogEvent logEvent)
        {
            var text = logEvent.RenderMessage(CultureInfo.InvariantCulture);
            if (logEvent.Level == LogEventLevel.Warning)
                host.ReportWarning(text, logEvent.Exception?.ToString());
            else if (logEvent.Level >= LogEventLevel.Error)
                host.ReportError(text, logEvent.Exception?.ToString());
        }
    }
}
