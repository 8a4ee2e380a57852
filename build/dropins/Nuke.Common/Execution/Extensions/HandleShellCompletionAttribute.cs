using Nuke.Common.IO;
using static Nuke.Common.Constants;

namespace Nuke.Common.Execution;

/// <summary>
/// Keeps <c>.nuke/build.schema.json</c> up to date, which editors and NUKE's global tool complete from, and makes a missing
/// <c>.nuke/parameters.json</c>. Only where the project of the build is found; a published build leaves the tree alone.
/// </summary>
internal sealed class HandleShellCompletionAttribute : BuildExtensionAttributeBase, IOnBuildCreated
{
    public void OnBuildCreated(IReadOnlyCollection<ExecutableTarget> executableTargets)
    {
        if (IsLegacy(Build.RootDirectory))
        {
            Host.Error("The old-style .nuke configuration is no longer supported: make '.nuke' a directory.");
            BuildManager.EndProcess(-1);
        }
        else if (Build.BuildProjectFile is not null)
        {
            WriteSchema();
        }

        if (ParameterService.GetParameter<bool>("shell-completion"))
            BuildManager.EndProcess(0);
    }

    private void WriteSchema()
    {
        WriteWhereChanged(GetBuildSchemaFile(Build.RootDirectory), SchemaUtility.GetJsonString(Build));

        var parameters = GetParametersFile(Build.RootDirectory, DefaultProfileName);
        if (!parameters.FileExists())
            WriteWhereChanged(parameters, $$"""
                {
                  "$schema": "./{{BuildSchemaFileName}}"
                }
                """);
    }

    // A read-only checkout can be built too.
    private static void WriteWhereChanged(AbsolutePath file, string content)
    {
        content = content.TrimEnd('\r', '\n') + "\n";
        try
        {
            if (!file.FileExists() || file.ReadAllText().ReplaceLineEndings("\n") != content)
                File.WriteAllText(file, content);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Serilog.Log.Debug(exception, "Could not write {File}", file.ToString());
        }
    }
}
