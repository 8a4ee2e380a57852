using System.Reflection;
using Nuke.Common.CI;
using Nuke.Common.Execution;
using Nuke.Common.IO;
using static Nuke.Common.Constants;

namespace Nuke.Common;

public abstract partial class NukeBuild
{
    // Before any file of parameters is read: these come from the command line and the environment alone.
    static NukeBuild()
    {
        RootDirectory = GetRootDirectory();
        TemporaryDirectory = GetTemporaryDirectory(RootDirectory).CreateDirectory();

        BuildAssemblyFile = GetBuildAssemblyFile();
        BuildAssemblyDirectory = BuildAssemblyFile?.Parent;
        BuildProjectFile = GetBuildProjectFile(BuildAssemblyDirectory);
        BuildProjectDirectory = BuildProjectFile?.Parent;

        Verbosity = ParameterService.GetParameter<Verbosity?>(nameof(Verbosity)) ?? Verbosity.Normal;
        Host = ParameterService.GetParameter<Host>(nameof(Host)) ?? Host.Default;
        LoadedLocalProfiles = ParameterService.GetParameter<string[]>(LoadedLocalProfilesParameterName) ?? [];
    }

    /// <summary>The directory that holds <c>.nuke</c>, or the one given with <c>--root</c>.</summary>
    [Parameter("Root directory during build execution.", Name = RootDirectoryParameterName)]
    public static AbsolutePath RootDirectory { get; }

    /// <summary><c>.nuke/temp</c> in the root directory.</summary>
    public static AbsolutePath TemporaryDirectory { get; }

    /// <summary>The build's assembly; null in a test host.</summary>
    public static AbsolutePath BuildAssemblyFile { get; }

    /// <summary>Where the build's assembly lies; null in a test host.</summary>
    public static AbsolutePath BuildAssemblyDirectory { get; }

    /// <summary>Where the build's project lies; null where none is found from the assembly upwards.</summary>
    public static AbsolutePath BuildProjectDirectory { get; }

    /// <summary>The build's project; null where none is found from the assembly upwards.</summary>
    public static AbsolutePath BuildProjectFile { get; }

    /// <summary>How much the console shows.</summary>
    [Parameter("Logging verbosity during build execution. Default is 'Normal'.")]
    public static Verbosity Verbosity
    {
        get => (Verbosity)Logging.Level;
        set => Logging.Level = (LogLevel)value;
    }

    /// <summary>Where the build runs: a terminal or a CI service.</summary>
    [Parameter("Host for execution. Default is 'automatic'.")]
    public static Host Host { get; set; }

    /// <summary>The profiles named with <c>--profile</c>: <c>.nuke/parameters.NAME.json</c>. Later ones win.</summary>
    [Parameter("Defines the profiles to load.", Name = LoadedLocalProfilesParameterName)]
    public static string[] LoadedLocalProfiles { get; }

    /// <summary>Not <see cref="IsServerBuild"/>.</summary>
    public static bool IsLocalBuild => !IsServerBuild;

    /// <summary>Whether a CI service runs the build.</summary>
    public static bool IsServerBuild => Host is IBuildServer;

    private static AbsolutePath GetRootDirectory()
    {
        var given = ParameterService.GetParameter<AbsolutePath>(RootDirectoryParameterName);
        if (given is not null)
            return given;

        if (ParameterService.GetParameter<bool>(RootDirectoryParameterName))
            return EnvironmentInfo.WorkingDirectory;

        return TryGetRootDirectoryFrom(EnvironmentInfo.WorkingDirectory).NotNull(
            $"Could not locate '{NukeDirectoryName}' directory/file while walking up from '{EnvironmentInfo.WorkingDirectory}'."
            + $"{Environment.NewLine}Either create a directory/file to mark the root directory, or add '--root [path]' to the invocation.");
    }

    private static AbsolutePath GetBuildAssemblyFile()
    {
        var entry = Assembly.GetEntryAssembly();
        var declaresBuild = entry is not null
            && (entry.EntryPoint?.DeclaringType?.IsSubclassOf(typeof(NukeBuild)) == true || entry.GetTypes().Any(x => x.IsSubclassOf(typeof(NukeBuild))));
        if (!declaresBuild)
        {
            var name = entry?.GetName().Name;
            Assert.True(name is null || name == "testhost" || name.StartsWith("ReSharperTestRunner", StringComparison.Ordinal), $"Assembly name was '{name}'");
            return null;
        }

        var location = entry.Location;
        var invoked = Environment.GetCommandLineArgs()[0];
        Assert.True(location.Length == 0 || location == invoked);
        return location.Length > 0 ? location : invoked;
    }

    private static AbsolutePath GetBuildProjectFile(AbsolutePath directory)
    {
        for (; directory is not null; directory = directory.Parent)
        {
            var projects = Directory.GetFiles(directory, "*.csproj");
            Assert.True(projects.Length <= 1, $"Found multiple project files in '{directory}'.");
            if (projects.Length == 1)
                return projects[0];
        }

        return null;
    }
}
