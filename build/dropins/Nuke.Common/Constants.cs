using Nuke.Common.IO;

namespace Nuke.Common;

/// <summary>Names of parameters and files that NUKE's users and tools rely on.</summary>
internal static class Constants
{
    internal const string NukeDirectoryName = ".nuke";
    internal const string BuildSchemaFileName = "build.schema.json";
    internal const string TargetsSeparator = "+";
    internal const string RootDirectoryParameterName = "Root";
    internal const string InvokedTargetsParameterName = "Target";
    internal const string SkippedTargetsParameterName = "Skip";
    internal const string LoadedLocalProfilesParameterName = "Profile";
    internal const string DefaultProfileName = "$default";
    private const string ParametersFilePrefix = "parameters";

    /// <summary>The nearest directory upwards that holds <c>.nuke</c>; the user's own <c>~/.nuke</c> does not count.</summary>
    internal static AbsolutePath TryGetRootDirectoryFrom(AbsolutePath startDirectory)
    {
        for (var directory = startDirectory; directory is not null; directory = directory.Parent)
        {
            if (!Directory.Exists(directory / NukeDirectoryName) && !File.Exists(directory / NukeDirectoryName))
                continue;

            return directory.ToString() != Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) ? directory : null;
        }

        return null;
    }

    internal static bool IsLegacy(AbsolutePath rootDirectory) => File.Exists(rootDirectory / NukeDirectoryName);

    internal static AbsolutePath GetNukeDirectory(AbsolutePath rootDirectory) => rootDirectory / NukeDirectoryName;

    internal static AbsolutePath GetTemporaryDirectory(AbsolutePath rootDirectory) =>
        IsLegacy(rootDirectory) ? rootDirectory / ".tmp" : GetNukeDirectory(rootDirectory) / "temp";

    internal static AbsolutePath GetBuildAttemptFile(AbsolutePath rootDirectory) => GetTemporaryDirectory(rootDirectory) / "build-attempt.log";

    internal static AbsolutePath GetBuildSchemaFile(AbsolutePath rootDirectory) => GetNukeDirectory(rootDirectory) / BuildSchemaFileName;

    internal static AbsolutePath GetParametersFile(AbsolutePath rootDirectory, string profile) =>
        GetNukeDirectory(rootDirectory) / (profile == DefaultProfileName ? $"{ParametersFilePrefix}.json" : $"{ParametersFilePrefix}.{profile}.json");

    internal static IEnumerable<string> GetProfileNames(AbsolutePath rootDirectory) =>
        Directory.EnumerateFiles(GetNukeDirectory(rootDirectory), $"{ParametersFilePrefix}.*.json")
            .Select(x => Path.GetFileNameWithoutExtension(x)[(ParametersFilePrefix.Length + 1)..])
            .Order(StringComparer.Ordinal);
}
