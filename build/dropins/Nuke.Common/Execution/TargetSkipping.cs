using Nuke.Common.Utilities;
using Serilog;

namespace Nuke.Common.Execution;

/// <summary>Which targets do not run. A skipped target takes along what only it needs or triggers.</summary>
internal static class TargetSkipping
{
    /// <summary>Skips by name; an empty list skips everything. What was invoked is never skipped, only what it needs and triggers.</summary>
    public static void SkipNamed(INukeBuild build, IReadOnlyCollection<string> names)
    {
        if (names is null)
            return;

        var members = names.Select(ArgumentParser.GetArgumentMemberName).ToList();
        foreach (var target in build.ExecutionPlan.Where(x => members.Count == 0 || members.Contains(x.Name, StringComparer.OrdinalIgnoreCase)))
            Skip(build, target, "via parameter");
    }

    /// <summary>Whether a condition does not hold, now or before.</summary>
    public static bool SkipUnlessHolding(INukeBuild build, ExecutableTarget target, List<(string Text, Func<bool> Delegate)> conditions)
    {
        try
        {
            var violated = conditions.Where(x => !x.Delegate()).Select(x => WithoutLambda(x.Text)).ToList();
            if (violated.Count > 0)
            {
                target.OnlyWhen = string.Join(" && ", violated);
                Skip(build, target, reason: null);
            }
        }
        catch (Exception thrown)
        {
            var exception = MemberUtility.Unwrap(thrown);
            Log.Error(exception, "Invocation of condition for {TargetName} has thrown an exception", target.Name);
            throw new TargetExecutionException(target.Name, exception);
        }

        return target.OnlyWhen is not null;
    }

    private static void Skip(INukeBuild build, ExecutableTarget target, string reason)
    {
        if (target.Status != ExecutionStatus.Scheduled)
            return;

        if (!target.Invoked)
        {
            target.Status = ExecutionStatus.Skipped;
            target.Skipped ??= reason;
        }

        if (target.DependencyBehavior == DependencyBehavior.Execute)
            return;

        var onlyForThis = target.ExecutionDependencies.Concat(target.Triggers).Where(x => !IsNeededElsewhere(x)).ToList();
        foreach (var related in onlyForThis)
            Skip(build, related, $"because of {target.Name}");

        bool IsNeededElsewhere(ExecutableTarget related) =>
            build.ExecutionPlan
                .Where(x => x != target && x.Status == ExecutionStatus.Scheduled)
                .Any(x => x.ExecutionDependencies.Contains(related) || x.Triggers.Contains(related));
    }

    private static string WithoutLambda(string condition)
    {
        foreach (var sign in "()=>")
            condition = condition.TrimStart(sign).Trim();
        return condition;
    }
}
