using System.Globalization;
using Nuke.Common.CI;
using Nuke.Common.Execution.Theming;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Sinks.SystemConsole.Themes;

namespace Nuke.Common.Execution;

/// <summary>Sets Serilog's <see cref="Log.Logger"/> up: console, CI service, list of warnings and errors, and files.</summary>
public static partial class Logging
{
    private const string TargetProperty = "ExecutingTarget";
    private const int TargetNameLength = 20;
    private const int KeptLogFiles = 5;

    /// <summary>What the console shows at least.</summary>
    public static readonly LoggingLevelSwitch LevelSwitch = new();

    internal static string ErrorsAndWarningsOutputTemplate => "[{Level:u3}] {ExecutingTarget}: {Message:l}{NewLine}";
    internal static string StandardOutputTemplate => "[{Level:u3}] {Message:l}{NewLine}{Exception}";
    internal static string TimestampOutputTemplate => "{Timestamp:HH:mm:ss} " + StandardOutputTemplate;

    internal static IHostTheme DefaultTheme { get; } =
        Environment.GetEnvironmentVariable("TERM")?.StartsWith("xterm", StringComparison.OrdinalIgnoreCase) == true
            ? AnsiConsoleHostTheme.Default256AnsiColorTheme
            : SystemConsoleHostTheme.DefaultSystemColorTheme;

    /// <summary>As <see cref="LevelSwitch"/>, in NUKE's words.</summary>
    public static LogLevel Level
    {
        get => LevelSwitch.MinimumLevel switch
        {
            LogEventLevel.Verbose => LogLevel.Trace,
            LogEventLevel.Debug => LogLevel.Normal,
            LogEventLevel.Warning => LogLevel.Warning,
            LogEventLevel.Error => LogLevel.Error,
            var level => throw new InvalidOperationException($"No verbosity corresponds to {level}"),
        };
        set => LevelSwitch.MinimumLevel = value switch
        {
            LogLevel.Trace => LogEventLevel.Verbose,
            LogLevel.Normal => LogEventLevel.Debug,
            LogLevel.Warning => LogEventLevel.Warning,
            LogLevel.Error => LogEventLevel.Error,
            _ => throw new ArgumentOutOfRangeException(nameof(value), value, message: null),
        };
    }

    /// <summary>The logger of the build; without one, the console alone.</summary>
    public static void Configure(INukeBuild build = null)
    {
        if (build is not null)
            DeleteOldLogFiles(build);

        Log.Logger = new LoggerConfiguration()
            .ConfigureEnricher()
            .ConfigureHost(build)
            .ConfigureConsole(build)
            .ConfigureInMemory(build)
            .ConfigureFiles(build)
            .ConfigureLevel()
            .ConfigureFilter(build)
            .CreateLogger();
    }

    /// <summary>Events carry the name of the running target.</summary>
    public static LoggerConfiguration ConfigureEnricher(this LoggerConfiguration configuration) => configuration.Enrich.With<ExecutingTargetLogEventEnricher>();

    /// <summary>Everything; each sink has its own level.</summary>
    public static LoggerConfiguration ConfigureLevel(this LoggerConfiguration configuration) => configuration.MinimumLevel.Verbose();

    /// <summary>Commands to the CI service are printed as they are.</summary>
    public static LoggerConfiguration ConfigureFilter(this LoggerConfiguration configuration, INukeBuild build) =>
        build is null ? configuration : configuration.Filter.ByExcluding(x => build.Host.FilterMessage(x.MessageTemplate.Text));

    /// <summary>The console.</summary>
    public static LoggerConfiguration ConfigureConsole(this LoggerConfiguration configuration, INukeBuild build) =>
        configuration.WriteTo.Console(
            outputTemplate: build?.IsOutputEnabled(DefaultOutput.Timestamps) == true ? build.Host.OutputTemplate : StandardOutputTemplate,
            formatProvider: CultureInfo.InvariantCulture,
            theme: (ConsoleTheme)(build?.Host.Theme ?? DefaultTheme),
            applyThemeToRedirectedOutput: true,
            levelSwitch: LevelSwitch);

    /// <summary>Warnings and errors to the CI service.</summary>
    public static LoggerConfiguration ConfigureHost(this LoggerConfiguration configuration, INukeBuild build) =>
        build is null ? configuration : configuration.WriteTo.Sink(new Host.LogEventSink(build.Host), LogEventLevel.Warning);

    /// <summary>Warnings and errors for the end.</summary>
    public static LoggerConfiguration ConfigureInMemory(this LoggerConfiguration configuration, INukeBuild build) =>
        build is null ? configuration : configuration.WriteTo.Sink(InMemorySink.Instance, LogEventLevel.Warning);

    /// <summary><c>build.log</c> and <c>build.TIME.log</c> in the temporary directory; not on CI.</summary>
    public static LoggerConfiguration ConfigureFiles(this LoggerConfiguration configuration, INukeBuild build)
    {
        if (build is null || build.Host is IBuildServer)
            return configuration;

        var time = TimeProvider.System.GetLocalNow().ToString("yyyy-MM-dd_HH-mm-ss", CultureInfo.InvariantCulture);
        return configuration
            .WriteTo.Sink(new LogFileSink(
                build.TemporaryDirectory / "build.log",
                $"{{Timestamp:HH:mm:ss.fff}} | {{Level:u1}} | {{ExecutingTarget,-{TargetNameLength}}} | {{Message:l}}{{NewLine}}{{Exception}}"))
            .WriteTo.Sink(new LogFileSink(
                build.TemporaryDirectory / $"build.{time}.log",
                $"{{Level:u1}} | {{ExecutingTarget,-{TargetNameLength}}} | {{Message:l}}{{NewLine}}{{Exception}}"));
    }

    /// <summary>Until disposed, events carry this target.</summary>
    public static IDisposable SetTarget(string name) => ExecutingTargetLogEventEnricher.SetTarget(name);

    // Another build may have them open, or be deleting them too.
    private static void DeleteOldLogFiles(INukeBuild build)
    {
        try
        {
            foreach (var file in Directory.GetFiles(build.TemporaryDirectory, "build.*.log").OrderDescending(StringComparer.Ordinal).Skip(KeptLogFiles))
                File.Delete(file);

            var current = build.TemporaryDirectory / "build.log";
            if (File.Exists(current))
                File.WriteAllBytes(current, []);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The build goes on without.
        }
    }
}
