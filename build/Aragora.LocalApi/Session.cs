using System.Runtime.InteropServices;

namespace Aragora.LocalApi;

/// <summary>The terminal session that we were started in.</summary>
internal static partial class Session
{
    /// <summary>Leaves it: signals to the build's process group do not reach us any more.</summary>
    public static void Leave()
    {
        if (!OperatingSystem.IsWindows())
        {
            // -1 means that we lead a group already, as under setsid(1): then there is nothing to leave.
            _ = SetSid();
        }
    }

    [DllImport("libc", EntryPoint = "setsid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetSid();
}
