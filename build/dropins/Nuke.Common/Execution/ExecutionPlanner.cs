namespace Nuke.Common.Execution;

/// <summary>
/// Orders the targets. From the end: of those that nothing left has to follow, the one declared first is put last,
/// and only what was named, is needed or is triggered stays.
/// </summary>
internal static class ExecutionPlanner
{
    public static IReadOnlyCollection<ExecutableTarget> GetExecutionPlan(
        IReadOnlyCollection<ExecutableTarget> executableTargets,
        IReadOnlyCollection<string> invokedTargetNames)
    {
        List<ExecutableTarget> invoked = null;
        if (invokedTargetNames is not null)
        {
            invoked = [.. invokedTargetNames.Select(x => Find(x, executableTargets))];
            invoked.ForEach(x => x.Invoked = true);
        }

        // What is triggered has dependencies and triggers of its own.
        while (true)
        {
            var plan = GetPlan(executableTargets, invoked);
            var triggered = plan.SelectMany(x => x.Triggers).Except(plan).Where(executableTargets.Contains).ToList();
            if (triggered.Count == 0)
            {
                plan.ForEach(x => x.Status = ExecutionStatus.Scheduled);
                return plan;
            }

            invoked = [.. plan, .. triggered];
        }
    }

    private static List<ExecutableTarget> GetPlan(IReadOnlyCollection<ExecutableTarget> all, List<ExecutableTarget> invoked)
    {
        var left = all.ToList();
        var dependencies = all.ToDictionary(x => x, x => x.AllDependencies.Where(all.Contains).ToHashSet());
        RefuseCycles(all, dependencies);

        var scheduled = new List<ExecutableTarget>();
        var strict = ParameterService.GetNamedArgument<bool>("strict");
        while (left.Count > 0)
        {
            var independent = left.Where(x => !left.Exists(y => dependencies[y].Contains(x))).ToList();
            if (strict && independent.Count > 1)
                Assert.Fail(string.Join(Environment.NewLine, independent.Select(x => $"  - {x.Name}").Prepend("Incomplete target definition order:")));

            var next = independent[0];
            left.Remove(next);

            var isWanted = invoked is not null ? invoked.Contains(next) : next.IsDefault;
            if (isWanted || scheduled.Exists(x => x.ExecutionDependencies.Contains(next)))
                scheduled.Add(next);
        }

        scheduled.Reverse();
        return scheduled;
    }

    private static ExecutableTarget Find(string name, IReadOnlyCollection<ExecutableTarget> all)
    {
        name = ArgumentParser.GetArgumentMemberName(name);
        var target = all.SingleOrDefault(x => x.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (target is null)
        {
            Assert.Fail(string.Join(
                Environment.NewLine,
                all.Select(x => $"  - {x.Name}").Order(StringComparer.Ordinal).Prepend($"Target with name '{name}' does not exist. Available targets are:")));
        }

        return target;
    }

    // Any cycle counts, also among targets that would not run.
    private static void RefuseCycles(IReadOnlyCollection<ExecutableTarget> all, Dictionary<ExecutableTarget, HashSet<ExecutableTarget>> dependencies)
    {
        var cycles = new List<List<ExecutableTarget>>();
        foreach (var target in all)
        {
            if (cycles.Exists(x => x.Contains(target)))
                continue;

            var reachable = GetReachable(target, dependencies);
            var cycle = all.Where(x => reachable.Contains(x) && GetReachable(x, dependencies).Contains(target)).ToList();
            if (cycle.Count > 0)
                cycles.Add(cycle);
        }

        if (cycles.Count == 0)
            return;

        Assert.Fail(string.Join(
            Environment.NewLine,
            cycles.Select(x => $" - {string.Join(", ", x.Select(y => y.Name))}").Prepend("Circular dependencies between targets:")));
    }

    private static HashSet<ExecutableTarget> GetReachable(ExecutableTarget from, Dictionary<ExecutableTarget, HashSet<ExecutableTarget>> dependencies)
    {
        var reachable = new HashSet<ExecutableTarget>();
        var left = new Stack<ExecutableTarget>(dependencies[from]);
        while (left.TryPop(out var next))
        {
            if (!reachable.Add(next))
                continue;
            foreach (var dependency in dependencies[next])
                left.Push(dependency);
        }

        return reachable;
    }
}
