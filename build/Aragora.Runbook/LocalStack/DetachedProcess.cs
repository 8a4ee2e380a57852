using System.Diagnostics;

namespace Aragora.Runbook.LocalStack;

/// <summary>Starts a program that outlives us: it shares none of our streams (a CI step waits until they are closed), and none of our secrets.</summary>
internal static class DetachedProcess
{
    private static readonly string[] Inherited = ["PATH", "HOME", "TMPDIR", "TMP", "TEMP", "LANG", "SystemRoot", "USERPROFILE", "APPDATA", "LOCALAPPDATA"];

    /// <summary>Starts it. The caller reads its error output while it waits for it, and then lets go of it.</summary>
    public static Process Start(string program, IReadOnlyList<string> arguments, string workingDirectory)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = workingDirectory,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var name in start.Environment.Keys.Where(name => !Inherited.Contains(name, StringComparer.OrdinalIgnoreCase) && !name.StartsWith("DOTNET_ROOT", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["DOTNET_NOLOGO"] = "1";
        return Process.Start(start)!;
    }

    /// <summary>The <c>dotnet</c> that runs us, wherever it was installed: two folders above the runtime.</summary>
    public static string DotNet()
    {
        var runtime = Path.TrimEndingDirectorySeparator(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory());
        var host = Path.GetFullPath(Path.Combine(runtime, "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
        return File.Exists(host) ? host : "dotnet";
    }
}
