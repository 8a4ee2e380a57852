using System.Collections;
using System.Collections.ObjectModel;
using System.Runtime.InteropServices;
using Nuke.Common.IO;
using Nuke.Common.Utilities;

namespace Nuke.Common;

/// <summary>The family of operating systems.</summary>
public enum PlatformFamily
{
    Unknown,
    Windows,
    Linux,
    OSX,
}

/// <summary>The process and the machine it runs on.</summary>
public static partial class EnvironmentInfo
{
    public static string NewLine => Environment.NewLine;
    public static string MachineName => Environment.MachineName;

    /// <summary>The current directory of the process.</summary>
    public static AbsolutePath WorkingDirectory
    {
        get => Environment.CurrentDirectory;
        set => Environment.CurrentDirectory = value;
    }

    public static PlatformFamily Platform =>
        OperatingSystem.IsLinux() ? PlatformFamily.Linux
        : OperatingSystem.IsMacOS() ? PlatformFamily.OSX
        : OperatingSystem.IsWindows() ? PlatformFamily.Windows
        : PlatformFamily.Unknown;

    public static bool IsUnix => Platform is PlatformFamily.Linux or PlatformFamily.OSX;
    public static bool IsWin => !IsUnix;
    public static bool IsLinux => Platform == PlatformFamily.Linux;
    public static bool IsOsx => Platform == PlatformFamily.OSX;
    public static bool IsArm64 => RuntimeInformation.OSArchitecture == Architecture.Arm64;
    public static bool Is64Bit => RuntimeInformation.OSArchitecture is Architecture.X64 or Architecture.Arm64;
    public static bool Is32Bit => !Is64Bit;

    /// <summary>The variables of the environment.</summary>
    public static ReadOnlyDictionary<string, string> Variables
    {
        get
        {
            var variables = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
                variables[(string)entry.Key] = (string)entry.Value;
            return variables.AsReadOnly();
        }
    }

    /// <summary>The directories of the PATH.</summary>
    public static IReadOnlyCollection<string> Paths =>
        (GetVariable("PATH") ?? string.Empty).Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Changes the current directory until the result is disposed.</summary>
    public static IDisposable SwitchWorkingDirectory(this AbsolutePath path)
    {
        Assert.DirectoryExists(path);
        var previous = WorkingDirectory;
        return DelegateDisposable.CreateBracket(() => WorkingDirectory = path, () => WorkingDirectory = previous);
    }

    public static bool HasVariable(string name, bool allowEmpty = true) =>
        GetVariable(name) is { } value && (allowEmpty || value.Length > 0);

    public static string GetVariable(string name) => Environment.GetEnvironmentVariable(name);

    /// <summary>The converted value, or the default where the variable is not set.</summary>
    public static T GetVariable<T>(string name, char? separator = null) =>
        GetVariable(name) is { } value ? (T)ValueConversion.Convert(value, typeof(T), separator, booleanDefault: false) : default;

    public static void SetVariable(string name, string value) => Environment.SetEnvironmentVariable(name, value);

    public static void SetVariable<T>(string name, T value) => SetVariable(name, value.ToString());

    public static void RemoveVariable(string name) => SetVariable(name, value: null);
}
