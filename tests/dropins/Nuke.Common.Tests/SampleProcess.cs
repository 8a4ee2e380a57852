using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using Nuke.Common.IO;

namespace Nuke.Common.Tests;

/// <summary>The sample build in a tree of its own, run as a process.</summary>
public sealed partial class SampleProcess : IDisposable
{
    // Another folder: the same sample built against the package, to compare.
    private static readonly string s_output = Environment.GetEnvironmentVariable("SAMPLE_BUILD_OUTPUT") ?? typeof(SampleProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(x => x.Key == "SampleBuild").Value;

    public SampleProcess()
    {
        (Root / ".nuke").CreateDirectory();
        (Root / "build" / "bin").CreateDirectory();
        foreach (var file in Directory.GetFiles(s_output))
            File.Copy(file, Root / "build" / "bin" / Path.GetFileName(file));
    }

    public AbsolutePath Root { get; } = (AbsolutePath)Path.GetTempPath() / $"nuke sample {Guid.NewGuid():n}";

    public void Dispose() => Root.DeleteDirectory();

    /// <summary>With nothing of this process's environment but what .NET needs.</summary>
    public (int ExitCode, string Output) Run(string[] arguments, params (string Name, string Value)[] variables)
    {
        using var process = Start(arguments, variables);
        return Finish(process, string.Empty);
    }

    /// <summary>Sends the signal when the output contains the text.</summary>
    public (int ExitCode, string Output) Interrupt(string[] arguments, string when)
    {
        using var process = Start(arguments, []);
        var seen = string.Empty;
        while (!seen.Contains(when, StringComparison.Ordinal) && process.StandardOutput.ReadLine() is { } line)
            seen += line + Environment.NewLine;
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
            kill.WaitForExit();
        return Finish(process, seen);
    }

    private static (int ExitCode, string Output) Finish(Process process, string seen)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = seen + process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, Colors().Replace(output + error.GetAwaiter().GetResult(), string.Empty));
    }

    private Process Start(string[] arguments, (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileName(path).StartsWith("dotnet", StringComparison.Ordinal) ? path : "dotnet")
        {
            UseShellExecute = false,
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Clear();
        foreach (var name in new[] { "PATH", "DOTNET_ROOT", "SystemRoot", "TEMP", "NUKE_TELEMETRY_OPTOUT" })
            start.Environment[name] = Environment.GetEnvironmentVariable(name);
        start.Environment["HOME"] = Path.GetTempPath();
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        start.ArgumentList.Add(Root / "build" / "bin" / "Nuke.Common.SampleBuild.dll");
        Array.ForEach(arguments, start.ArgumentList.Add);

        var process = Process.Start(start);
        process.StandardInput.Close();
        return process;
    }

    [GeneratedRegex("\u001b\\[[0-9;]*m", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Colors();
}
