using System.Globalization;
using Nuke.Common.IO;
using Serilog;

namespace Nuke.Common.Execution;

/// <summary>
/// What the last run got done, for <c>--continue</c>: the first line tells the invocation (values and targets, not the switches),
/// each further one a target that succeeded.
/// </summary>
internal static class BuildAttempt
{
    private static AbsolutePath File => Constants.GetBuildAttemptFile(NukeBuild.RootDirectory);

    public static IReadOnlyCollection<string> Start(bool isContinued)
    {
        var invocation = Hash(string.Join(' ', EnvironmentInfo.CommandLineArguments.Where(x => !ArgumentParser.IsArgument(x))));
        var done = isContinued ? Read(invocation) : [];
        System.IO.File.WriteAllLines(File, [invocation, .. done]);
        return done;
    }

    public static void Append(string target) => System.IO.File.AppendAllLines(File, [target]);

    private static string[] Read(string invocation)
    {
        if (!System.IO.File.Exists(File))
            return [];

        var lines = System.IO.File.ReadAllLines(File);
        if (lines.FirstOrDefault() == invocation)
            return [.. lines.Skip(1).Where(x => x.Length > 0)];

        Log.Warning("Build invocation changed. Restarting ...");
        return [];
    }

    // Not the text itself: a value may be a secret. Equality is all that is asked (FNV-1a; loading a cryptographic library takes longer than a build's start).
    private static string Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in text)
            hash = (hash ^ character) * 1099511628211UL;
        return hash.ToString("x16", CultureInfo.InvariantCulture);
    }
}
