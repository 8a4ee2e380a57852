using System.Reflection;
using Nuke.Common.Utilities;

namespace Nuke.Common.Execution;

internal sealed partial class TargetDefinition
{
    public ITargetDefinition DependsOn(params Target[] targets) => Add(DependsOnTargets, targets);

    public ITargetDefinition DependsOn<T>(params Func<T, Target>[] targets) => Add(DependsOnTargets, OfComponent(targets));

    public ITargetDefinition TryDependsOn<T>(params Func<T, Target>[] targets) => build is T ? DependsOn(targets) : this;

    public ITargetDefinition DependentFor(params Target[] targets) => Add(DependentForTargets, targets);

    public ITargetDefinition DependentFor<T>(params Func<T, Target>[] targets) => Add(DependentForTargets, OfComponent(targets));

    public ITargetDefinition TryDependentFor<T>(params Func<T, Target>[] targets) => build is T ? DependentFor(targets) : this;

    public ITargetDefinition Before(params Target[] targets) => Add(BeforeTargets, targets);

    public ITargetDefinition Before<T>(params Func<T, Target>[] targets) => Add(BeforeTargets, OfComponent(targets));

    public ITargetDefinition TryBefore<T>(params Func<T, Target>[] targets) => build is T ? Before(targets) : this;

    public ITargetDefinition After(params Target[] targets) => Add(AfterTargets, targets);

    public ITargetDefinition After<T>(params Func<T, Target>[] targets) => Add(AfterTargets, OfComponent(targets));

    public ITargetDefinition TryAfter<T>(params Func<T, Target>[] targets) => build is T ? After(targets) : this;

    public ITargetDefinition Triggers(params Target[] targets) => Add(TriggersTargets, targets);

    public ITargetDefinition Triggers<T>(params Func<T, Target>[] targets) => Add(TriggersTargets, OfComponent(targets));

    public ITargetDefinition TryTriggers<T>(params Func<T, Target>[] targets) => build is T ? Triggers(targets) : this;

    public ITargetDefinition TriggeredBy(params Target[] targets) => Add(TriggeredByTargets, targets);

    public ITargetDefinition TriggeredBy<T>(params Func<T, Target>[] targets) => Add(TriggeredByTargets, OfComponent(targets));

    public ITargetDefinition TryTriggeredBy<T>(params Func<T, Target>[] targets) => build is T ? TriggeredBy(targets) : this;

    public ITargetDefinition DependsOnContext<T>()
        where T : INukeBuild
    {
        Assert.True(build is T, $"'{build.GetType().Name}' must implement context '{typeof(T).Name}'");
        DependsOnTargets.Add((Setup)OnlyPropertyOf<T>("context dependency (missing setup)", typeof(Setup)).GetValue(build));
        BeforeTargets.Add((Cleanup)OnlyPropertyOf<T>("context dependency (missing cleanup)", typeof(Cleanup)).GetValue(build));
        return this;
    }

    private TargetDefinition Add(List<Delegate> list, Target[] targets)
    {
        list.AddRange(targets);
        return this;
    }

    // None named means the only one there is.
    private Target[] OfComponent<T>(Func<T, Target>[] targets) =>
        targets.Length > 0
            ? [.. targets.Select(x => x((T)build))]
            : [(Target)OnlyPropertyOf<T>("shorthand dependency", typeof(Target)).GetValue(build)];

    private PropertyInfo OnlyPropertyOf<T>(string kind, Type targetType)
    {
        var candidates = typeof(T).GetProperties(MemberUtility.Instance).Where(x => x.PropertyType == targetType).ToList();
        if (candidates.Count != 1)
        {
            string[] reasons = candidates.Count > 1 ? ["Too many relevant targets:", .. candidates.Select(x => $"  - {x.Name}")] : ["No relevant targets."];
            Assert.Fail(string.Join(
                Environment.NewLine,
                reasons.Prepend($"Target '{target.DeclaringType}.{target.Name}' cannot have {kind} on component '{typeof(T).Name}'.")));
        }

        return candidates[0];
    }
}
