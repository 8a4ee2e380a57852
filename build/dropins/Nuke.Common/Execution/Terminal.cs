namespace Nuke.Common.Execution;

/// <summary>A person's terminal, and whatever no other host recognises.</summary>
public class Terminal : Host
{
    public static bool IsRunningTerminal => true;
}

/// <summary>The terminal of JetBrains Rider.</summary>
public class Rider : Terminal
{
    internal static bool IsRunningRider =>
        EnvironmentInfo.HasVariable("IDEA_INITIAL_DIRECTORY", allowEmpty: false)
        || EnvironmentInfo.GetVariable("XPC_SERVICE_NAME")?.Contains("com.jetbrains.rider", StringComparison.OrdinalIgnoreCase) == true
        || EnvironmentInfo.GetVariable("TERMINAL_EMULATOR")?.Contains("JetBrains-JediTerm", StringComparison.OrdinalIgnoreCase) == true;
}

/// <summary>The terminal of Visual Studio Code.</summary>
public class VSCode : Terminal
{
    internal static bool IsRunningVSCode =>
        EnvironmentInfo.HasVariable("VSCODE_GIT_IPC_HANDLE", allowEmpty: false) || EnvironmentInfo.HasVariable("VSCODE_PID", allowEmpty: false);
}

/// <summary>Visual Studio.</summary>
public class VisualStudio : Terminal
{
    internal static bool IsRunningVisualStudio => EnvironmentInfo.HasVariable("VisualStudioVersion", allowEmpty: false);
}
