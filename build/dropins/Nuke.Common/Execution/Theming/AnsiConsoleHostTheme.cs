using Serilog.Sinks.SystemConsole.Themes;

namespace Nuke.Common.Execution.Theming;

/// <summary>Colours by ANSI sequences, for terminals and for CI services that show them.</summary>
public class AnsiConsoleHostTheme(string successCode, IReadOnlyDictionary<ConsoleThemeStyle, string> styles) : AnsiConsoleTheme(styles), IHostTheme
{
    private const string Accent = "\u001b[38;5;45;1m";
    private const string Faint = "\u001b[38;5;247m";
    private const string StyleReset = "\u001b[0m";

    /// <summary>For terminals with 256 colours.</summary>
    public static IHostTheme Default256AnsiColorTheme => new AnsiConsoleHostTheme(
        "\u001b[32;1m",
        Styles("\u001b[39m", Faint, "\u001b[39;1m", Accent, "\u001b[90;1m", "\u001b[39;1m", "\u001b[38;5;214;1m", "\u001b[38;5;196;1m", "\u001b[38;5;231;1m\u001b[48;5;196m"));

    public void WriteSuccess(string text = null) => Write(successCode, text);

    public void WriteVerbose(string text = null) => Write(styles[ConsoleThemeStyle.LevelVerbose], text);

    public void WriteDebug(string text = null) => Write(styles[ConsoleThemeStyle.LevelDebug], text);

    public void WriteInformation(string text = null) => Write(styles[ConsoleThemeStyle.LevelInformation], text);

    public void WriteWarning(string text = null) => Write(styles[ConsoleThemeStyle.LevelWarning], text);

    public void WriteError(string text = null) => Write(styles[ConsoleThemeStyle.LevelError], text);

    string IHostTheme.FormatInformation(string text) => Format(styles[ConsoleThemeStyle.LevelInformation], text);

    internal static Dictionary<ConsoleThemeStyle, string> Styles(
        string text, string secondary, string name, string value, string verbose, string debug, string warning, string error, string fatal) => new()
        {
            [ConsoleThemeStyle.Text] = text,
            [ConsoleThemeStyle.SecondaryText] = secondary,
            [ConsoleThemeStyle.TertiaryText] = secondary,
            [ConsoleThemeStyle.Name] = name,
            [ConsoleThemeStyle.Invalid] = value,
            [ConsoleThemeStyle.Null] = value,
            [ConsoleThemeStyle.Number] = value,
            [ConsoleThemeStyle.String] = value,
            [ConsoleThemeStyle.Boolean] = value,
            [ConsoleThemeStyle.Scalar] = value,
            [ConsoleThemeStyle.LevelVerbose] = verbose,
            [ConsoleThemeStyle.LevelDebug] = debug,
            [ConsoleThemeStyle.LevelInformation] = value,
            [ConsoleThemeStyle.LevelWarning] = warning,
            [ConsoleThemeStyle.LevelError] = error,
            [ConsoleThemeStyle.LevelFatal] = fatal,
        };

    private static void Write(string code, string text) => Console.WriteLine(Format(code, text));

    private static string Format(string code, string text) => string.IsNullOrWhiteSpace(text) ? string.Empty : code + text + StyleReset;
}
