using Serilog.Sinks.SystemConsole.Themes;

namespace Nuke.Common.Execution.Theming;

/// <summary>Colours by the console's own means; none where the output goes to a file.</summary>
public class SystemConsoleHostTheme(SystemConsoleThemeStyle successStyle, IReadOnlyDictionary<ConsoleThemeStyle, SystemConsoleThemeStyle> styles)
    : SystemConsoleTheme(styles), IHostTheme
{
    /// <summary>The sixteen colours.</summary>
    public static IHostTheme DefaultSystemColorTheme
    {
        get
        {
            var plain = new SystemConsoleThemeStyle();
            var gray = In(ConsoleColor.Gray);
            var value = In(ConsoleColor.Magenta);
            return new SystemConsoleHostTheme(
                In(ConsoleColor.Green),
                new Dictionary<ConsoleThemeStyle, SystemConsoleThemeStyle>
                {
                    [ConsoleThemeStyle.Text] = plain,
                    [ConsoleThemeStyle.SecondaryText] = gray,
                    [ConsoleThemeStyle.TertiaryText] = gray,
                    [ConsoleThemeStyle.Name] = In(ConsoleColor.Blue),
                    [ConsoleThemeStyle.Invalid] = In(ConsoleColor.DarkRed),
                    [ConsoleThemeStyle.Null] = value,
                    [ConsoleThemeStyle.String] = value,
                    [ConsoleThemeStyle.Number] = value,
                    [ConsoleThemeStyle.Boolean] = value,
                    [ConsoleThemeStyle.Scalar] = value,
                    [ConsoleThemeStyle.LevelVerbose] = gray,
                    [ConsoleThemeStyle.LevelDebug] = plain,
                    [ConsoleThemeStyle.LevelInformation] = In(ConsoleColor.Cyan),
                    [ConsoleThemeStyle.LevelWarning] = In(ConsoleColor.Yellow),
                    [ConsoleThemeStyle.LevelError] = In(ConsoleColor.Red),
                    [ConsoleThemeStyle.LevelFatal] = new() { Foreground = ConsoleColor.White, Background = ConsoleColor.Red },
                });
        }
    }

    public void WriteSuccess(string text = null) => Write(successStyle, text);

    public void WriteVerbose(string text = null) => Write(styles[ConsoleThemeStyle.LevelVerbose], text);

    public void WriteDebug(string text = null) => Write(styles[ConsoleThemeStyle.LevelDebug], text);

    public void WriteInformation(string text = null) => Write(styles[ConsoleThemeStyle.LevelInformation], text);

    public void WriteWarning(string text = null) => Write(styles[ConsoleThemeStyle.LevelWarning], text);

    public void WriteError(string text = null) => Write(styles[ConsoleThemeStyle.LevelError], text);

    string IHostTheme.FormatInformation(string text) => text;

    private static SystemConsoleThemeStyle In(ConsoleColor color) => new() { Foreground = color };

    private static void Write(SystemConsoleThemeStyle style, string text)
    {
        if (style.Foreground is { } foreground && !Console.IsOutputRedirected)
        {
            Console.ForegroundColor = foreground;
            Console.WriteLine(text);
            Console.ResetColor();
        }
        else
        {
            Console.WriteLine(text);
        }
    }
}
