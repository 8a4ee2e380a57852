using Nuke.Common.Execution;
using Nuke.Common.Execution.Theming;

namespace Nuke.Common;

public partial class Host
{
    private static IHostTheme CurrentTheme => Instance?.Theme ?? Logging.DefaultTheme;

    internal static void Success(string text = null) => CurrentTheme.WriteSuccess(text);

    internal static void Debug(string text) => CurrentTheme.WriteDebug(text);

    internal static void Debug() => CurrentTheme.WriteDebug();

    internal static void Information(string text = null) => CurrentTheme.WriteInformation(text);

    internal static void Warning(string text = null) => CurrentTheme.WriteWarning(text);

    internal static void Error(string text = null) => CurrentTheme.WriteError(text);
}
