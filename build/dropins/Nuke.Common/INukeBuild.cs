using System.Linq.Expressions;
using Nuke.Common.CI;
using Nuke.Common.Execution;
using Nuke.Common.IO;
using Nuke.Common.Tooling;

namespace Nuke.Common;

/// <summary>The build as components see it. See <see cref="NukeBuild"/> for what the members mean.</summary>
public interface INukeBuild
{
    internal IReadOnlyCollection<ExecutableTarget> ExecutableTargets { get; }
    internal IReadOnlyCollection<IBuildExtension> BuildExtensions { get; }
    internal string[] LoadedLocalProfiles { get; }

    IReadOnlyCollection<ExecutableTarget> ExecutionPlan { get; }
    IReadOnlyCollection<ExecutableTarget> InvokedTargets { get; }
    IReadOnlyCollection<ExecutableTarget> SkippedTargets { get; }
    IReadOnlyCollection<ExecutableTarget> ScheduledTargets { get; }
    IReadOnlyCollection<ExecutableTarget> RunningTargets { get; }
    IReadOnlyCollection<ExecutableTarget> AbortedTargets { get; }
    IReadOnlyCollection<ExecutableTarget> FailedTargets { get; }
    IReadOnlyCollection<ExecutableTarget> SucceededTargets { get; }
    IReadOnlyCollection<ExecutableTarget> FinishedTargets { get; }

    bool IsSucceeding { get; }
    bool IsFailing { get; }
    bool IsFinished { get; }
    int? ExitCode { get; set; }

    AbsolutePath RootDirectory { get; }
    AbsolutePath TemporaryDirectory { get; }
    AbsolutePath BuildAssemblyFile { get; }
    AbsolutePath BuildAssemblyDirectory { get; }
    AbsolutePath BuildProjectDirectory { get; }
    AbsolutePath BuildProjectFile { get; }

    Verbosity Verbosity { get; }
    Host Host { get; }
    bool Plan { get; }
    bool Help { get; }
    bool NoLogo { get; }
    bool IsLocalBuild { get; }
    bool IsServerBuild { get; }
    bool Continue { get; }
    Partition Partition { get; }

    /// <summary>Adds facts to the running target's line in the summary.</summary>
    void ReportSummary(Configure<Dictionary<string, string>> configurator = null);

    /// <summary>The value of a component's parameter, or null.</summary>
    T TryGetValue<T>(Expression<Func<T>> parameterExpression)
        where T : class;

    /// <summary>The value of a component's parameter, or the default.</summary>
    T TryGetValue<T>(Expression<Func<object>> parameterExpression);

    internal bool IsOutputEnabled(DefaultOutput output);
}
