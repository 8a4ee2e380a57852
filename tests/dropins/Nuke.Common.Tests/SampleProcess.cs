using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using Nuke.Common.IO;

namespace Nuke.Common.Tests;

/// <summary>The sample build in a tree of its own, run as a process.</summary>
public sealed partial class SampleProcess : IDisposable
{
    private static readonly string s_output = typeof(SampleProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
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
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileName(path).StartsWith("dotnet", StringComparison.Ordinal) ? path : "dotnet")
        {
            UseShellExecute = false,
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Clear();
        foreach (var name in new[] { "PATH", "DOTNET_ROOT", "SystemRoot", "TEMP" })
            start.Environment[name] = Environment.GetEnvironmentVariable(name);
        start.Environment["HOME"] = Path.GetTempPath();
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        start.ArgumentList.Add(Root / "build" / "bin" / "Nuke.Common.SampleBuild.dll");
        Array.ForEach(arguments, start.ArgumentList.Add);

        using var process = Process.Start(start);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, Colors().Replace(output + error.GetAwaiter().GetResult(), string.Empty));
    }

    [GeneratedRegex("\u001b\\[[0-9;]*m", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Colors();
}
