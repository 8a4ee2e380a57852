using System.Diagnostics;
using Aragora.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(TestFolders))]

namespace Aragora.Tests;

/// <summary>Folders of tests, under one that is erased with the last of them.</summary>
public sealed class TestFolders : IDisposable
{
    private static readonly string Root = Make();
    private static int count;

    /// <summary>A new, empty folder of this user alone.</summary>
    public static string New(string name)
    {
        var path = Path.Combine(Root, $"{name}-{Interlocked.Increment(ref count)}");
        return (OperatingSystem.IsWindows() ? Directory.CreateDirectory(path) : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute)).FullName;
    }

    /// <summary>Whoever is given a folder in it has to get there.</summary>
    private static string Make()
    {
        var root = Directory.CreateTempSubdirectory("aragora-tests-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        return root;
    }

    /// <summary>
    /// A script that can be started. Written by a child: a process that another test forks meanwhile would inherit our descriptor for a moment, and what is open for writing cannot be started.
    /// </summary>
    public static void Script(string path, string text)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a shell script stands in for a program");
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", "cat > \"$1\" && chmod 700 \"$1\"", "sh", path]) { RedirectStandardInput = true, UseShellExecute = false })!;
        shell.StandardInput.Write(text);
        shell.StandardInput.Close();
        shell.WaitForExit();
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Root, recursive: true);
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException)
        {
            // A test that takes rights away may leave a folder that only root can delete; it lies in the temporary folder.
            TestContext.Current.SendDiagnosticMessage("{0} could not be deleted: {1}", Root, held.Message);
        }
    }
}
