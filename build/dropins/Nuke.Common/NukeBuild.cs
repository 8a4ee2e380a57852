using System.Linq.Expressions;
using Nuke.Common.CI;
using Nuke.Common.Execution;
using Nuke.Common.Tooling;
using static Nuke.Common.Constants;

namespace Nuke.Common;

/// <summary>
/// The base of a build. It declares targets as properties, and its <c>Main</c> returns what
/// <see cref="Execute{T}"/> returns.
/// </summary>
public abstract partial class NukeBuild : INukeBuild
{
    /// <summary>Runs the build and returns its exit code. The targets named here run where the command line names none.</summary>
    protected static int Execute<T>(params Expression<Func<T, Target>>[] defaultTargetExpressions)
        where T : NukeBuild, new()
        => BuildManager.Execute(defaultTargetExpressions);

    internal IReadOnlyCollection<ExecutableTarget> ExecutableTargets { get; set; }

    /// <summary>What runs, in order. Null until the plan is made.</summary>
    public IReadOnlyCollection<ExecutableTarget> ExecutionPlan { get; set; }

    /// <summary>The targets that the command line (or the environment) named.</summary>
    [Parameter("List of targets to be invoked. Default is '{default_target}'.", Name = InvokedTargetsParameterName, Separator = TargetsSeparator)]
    public IReadOnlyCollection<ExecutableTarget> InvokedTargets => [.. ExecutionPlan.Where(x => x.Invoked)];

    /// <summary>The targets that are skipped.</summary>
    [Parameter("List of targets to be skipped. Empty list skips all dependencies.", Name = SkippedTargetsParameterName, Separator = TargetsSeparator)]
    public IReadOnlyCollection<ExecutableTarget> SkippedTargets => With(ExecutionStatus.Skipped);

    /// <summary>The targets yet to run.</summary>
    public IReadOnlyCollection<ExecutableTarget> ScheduledTargets => With(ExecutionStatus.Scheduled);

    /// <summary>The targets that run now.</summary>
    public IReadOnlyCollection<ExecutableTarget> RunningTargets => With(ExecutionStatus.Running);

    /// <summary>The targets that were interrupted.</summary>
    public IReadOnlyCollection<ExecutableTarget> AbortedTargets => With(ExecutionStatus.Aborted);

    /// <summary>The targets that failed.</summary>
    public IReadOnlyCollection<ExecutableTarget> FailedTargets => With(ExecutionStatus.Failed);

    /// <summary>The targets that succeeded.</summary>
    public IReadOnlyCollection<ExecutableTarget> SucceededTargets => With(ExecutionStatus.Succeeded);

    /// <summary>The targets that failed, then those that succeeded.</summary>
    public IReadOnlyCollection<ExecutableTarget> FinishedTargets => [.. FailedTargets, .. SucceededTargets];

    /// <summary>Whether only the plan is wanted.</summary>
    [Parameter("Shows the execution plan (HTML).")]
    public bool Plan { get; }

    /// <summary>Whether only the help text is wanted.</summary>
    [Parameter("Shows the help text for this build assembly.")]
    public bool Help { get; }

    /// <summary>Whether the logo is left out.</summary>
    [Parameter("Disables displaying the NUKE logo.")]
    public bool NoLogo { get; set; }

    /// <summary>Whether targets that succeeded in the previous attempt are skipped.</summary>
    [Parameter("Indicates to continue a previously failed build attempt.")]
    public bool Continue { get; internal set; }

    /// <summary>Which part of a split target this run is.</summary>
    [Parameter("Partition to use on CI.", List = false)]
    public Partition Partition { get; internal set; } = Partition.Single;

    /// <summary>Not <see cref="IsFailing"/>.</summary>
    public bool IsSucceeding => !IsFailing;

    /// <summary>Whether a target failed, was interrupted, or will not run.</summary>
    public bool IsFailing => ExecutionPlan.Any(x => x.Status is ExecutionStatus.Failed or ExecutionStatus.Aborted or ExecutionStatus.NotRun);

    /// <summary>Whether nothing runs and nothing is left to run.</summary>
    public bool IsFinished => !ExecutionPlan.Any(x => x.Status is ExecutionStatus.Scheduled or ExecutionStatus.Running);

    /// <summary>
    /// The exit code. Null (default) means 0 for success and -1 (255 to a shell) for failure.
    /// What <see cref="Execute{T}"/> returns is settled before <see cref="OnBuildFinished"/> is called.
    /// </summary>
    public int? ExitCode { get; set; }

    /// <summary>Replaces the facts that the running target's line in the summary shows.</summary>
    public void ReportSummary(Configure<Dictionary<string, string>> configurator = null) =>
        ReportSummary(ExecutionPlan.Single(x => x.Status == ExecutionStatus.Running), configurator);

    internal void ReportSummary(ExecutableTarget target, Configure<Dictionary<string, string>> configurator)
    {
        target.SummaryInformation = new Dictionary<string, string>(configurator.InvokeSafe([]), StringComparer.Ordinal);
        ExecuteExtension<IOnTargetSummaryUpdated>(x => x.OnTargetSummaryUpdated(this, target));
    }

    private List<ExecutableTarget> With(ExecutionStatus status) => [.. ExecutionPlan.Where(x => x.Status == status)];
}
