using Nuke.Common.IO;
using Nuke.Common.Utilities;
using Serilog;

namespace Nuke.Common.Execution;

/// <summary>Runs the plan.</summary>
internal static class BuildExecutor
{
    public static void Execute(NukeBuild build, IReadOnlyCollection<string> skippedTargets)
    {
        TargetSkipping.SkipNamed(build, skippedTargets);
        foreach (var target in build.ExecutionPlan)
            TargetSkipping.SkipUnlessHolding(build, target, target.StaticConditions);

        DelegateRequirementService.ValidateRequirements(build, build.ScheduledTargets);
        var previouslyExecuted = BuildAttempt.Start(build.Continue);

        BuildManager.CancellationHandler += ExecuteAssuredTargets;
        try
        {
            foreach (var target in build.ExecutionPlan)
                Execute(build, target, previouslyExecuted, failureMode: false);
        }
        catch
        {
            ExecuteAssuredTargets();
            throw;
        }

        void ExecuteAssuredTargets()
        {
            foreach (var target in build.ExecutionPlan.Where(x => x.AssuredAfterFailure && x.Status == ExecutionStatus.Scheduled))
                Execute(build, target, previouslyExecuted, failureMode: true);
        }
    }

    private static void Execute(NukeBuild build, ExecutableTarget target, IReadOnlyCollection<string> previouslyExecuted, bool failureMode)
    {
        if (target.Status == ExecutionStatus.Skipped
            || previouslyExecuted.Contains(target.Name)
            || TargetSkipping.SkipUnlessHolding(build, target, target.DynamicConditions))
        {
            target.Status = ExecutionStatus.Skipped;
            build.ExecuteExtension<IOnTargetSkipped>(x => x.OnTargetSkipped(target));
            return;
        }

        if (target.Actions.Count == 0)
        {
            target.Status = ExecutionStatus.Collective;
            return;
        }

        using (Logging.SetTarget(target.Name))
        using (build.WriteTarget(target.Name))
        {
            target.Stopwatch.Start();
            target.Status = ExecutionStatus.Running;
            build.ExecuteExtension<IOnTargetRunning>(x => x.OnTargetRunning(target));
            try
            {
                target.Actions.ForEach(x => x());

                target.Stopwatch.Stop();
                target.Status = ExecutionStatus.Succeeded;
                build.ExecuteExtension<IOnTargetSucceeded>(x => x.OnTargetSucceeded(target));

                BuildAttempt.Append(target.Name);
            }
            catch (Exception thrown)
            {
                Fail(build, target, MemberUtility.Unwrap(thrown), failureMode);
            }
        }
    }

    private static void Fail(NukeBuild build, ExecutableTarget target, Exception exception, bool failureMode)
    {
        if (target.SummaryInformation.Count == 0)
        {
            var firstLine = exception.Message.Split('\n')[0].TrimEnd('\r');
            build.ReportSummary(target, x => new Dictionary<string, string>(x, StringComparer.Ordinal) { [exception.GetType().Name] = firstLine });
        }

        Log.Error(exception, "Target {TargetName} has thrown an exception", target.Name);

        target.Stopwatch.Stop();
        target.Status = ExecutionStatus.Failed;
        build.ExecuteExtension<IOnTargetFailed>(x => x.OnTargetFailed(target));

        if (!target.ProceedAfterFailure && !failureMode)
            throw new TargetExecutionException(target.Name, exception);
    }
}
