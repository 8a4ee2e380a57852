using System.Linq.Expressions;
using System.Reflection;
using Nuke.Common.Utilities;
using Nuke.Common.Utilities.Collections;

namespace Nuke.Common.Execution;

/// <summary>Writes down what a target says of itself.</summary>
internal sealed partial class TargetDefinition(PropertyInfo target, INukeBuild build, Stack<PropertyInfo> baseMembers) : ITargetDefinition
{
    public string Name => MemberUtility.ShortName(target);
    public string Description { get; private set; }
    public List<(string Text, Func<bool> Delegate)> DynamicConditions { get; } = [];
    public List<(string Text, Func<bool> Delegate)> StaticConditions { get; } = [];
    public List<LambdaExpression> DelegateRequirements { get; } = [];
    public List<Delegate> DependsOnTargets { get; } = [];
    public List<Delegate> DependentForTargets { get; } = [];
    public List<Delegate> BeforeTargets { get; } = [];
    public List<Delegate> AfterTargets { get; } = [];
    public List<Delegate> TriggersTargets { get; } = [];
    public List<Delegate> TriggeredByTargets { get; } = [];
    public List<Action> Actions { get; } = [];
    public DependencyBehavior DependencyBehavior { get; private set; }
    public bool IsProceedAfterFailure { get; private set; }
    public bool IsAssuredAfterFailure { get; private set; }
    public bool IsInternal { get; private set; }
    public int? PartitionSize { get; private set; }
    public List<string> ArtifactProducts { get; } = [];
    public LookupTable<Target, string[]> ArtifactDependencies { get; } = new();

    ITargetDefinition ITargetDefinition.Description(string description) => Then(() => Description = description);

    public ITargetDefinition Executes(params Action[] actions) => Then(() => Actions.AddRange(actions));

    public ITargetDefinition Executes<T>(Func<T> action) => Executes(new Action(() => action()));

    public ITargetDefinition Executes(Func<Task> action) => Executes(new Action(() => action().GetAwaiter().GetResult()));

    public ITargetDefinition OnlyWhenDynamic(Func<bool> condition, string conditionExpression = null) =>
        Then(() => DynamicConditions.Add((OneLine(conditionExpression), condition)));

    public ITargetDefinition OnlyWhenStatic(Func<bool> condition, string conditionExpression = null) =>
        Then(() => StaticConditions.Add((OneLine(conditionExpression), condition)));

    public ITargetDefinition Requires<T>(Expression<Func<T>> parameterRequirement, params Expression<Func<T>>[] parameterRequirements)
        where T : class
        => Then(() => DelegateRequirements.AddRange([parameterRequirement, .. parameterRequirements]));

    public ITargetDefinition Requires<T>(Expression<Func<T?>> parameterRequirement, params Expression<Func<T?>>[] parameterRequirements)
        where T : struct
        => Then(() => DelegateRequirements.AddRange([parameterRequirement, .. parameterRequirements]));

    public ITargetDefinition Requires(Expression<Func<bool>> requirement, params Expression<Func<bool>>[] requirements) =>
        Then(() => DelegateRequirements.AddRange([requirement, .. requirements]));

    public ITargetDefinition WhenSkipped(DependencyBehavior dependencyBehavior) => Then(() => DependencyBehavior = dependencyBehavior);

    public ITargetDefinition AssuredAfterFailure() => Then(() => IsAssuredAfterFailure = true);

    public ITargetDefinition ProceedAfterFailure() => Then(() => IsProceedAfterFailure = true);

    public ITargetDefinition Unlisted() => Then(() => IsInternal = true);

    public ITargetDefinition Produces(params string[] artifacts) => Then(() => ArtifactProducts.AddRange(artifacts));

    public ITargetDefinition Consumes(params Target[] targets) => Then(() => Array.ForEach(targets, x => Consumes(x, [])));

    public ITargetDefinition Consumes<T>(params Func<T, Target>[] targets) => Consumes(OfComponent(targets));

    public ITargetDefinition Consumes(Target target, params string[] artifacts) => Then(() => ArtifactDependencies.Add(target, artifacts));

    public ITargetDefinition Consumes<T>(Func<T, Target> target, params string[] artifacts) => Consumes(target((T)build), artifacts);

    public ITargetDefinition Consumes<T>(params string[] artifacts) => Consumes(OfComponent<T>([])[0], artifacts);

    public ITargetDefinition Partition(int size)
    {
        Assert.True(size > 1);
        return Then(() => PartitionSize = size);
    }

    public ITargetDefinition Base()
    {
        Assert.True(
            baseMembers.Count > 0,
            $"Target '{target.DeclaringType}.{target.Name}' does not have any base members."
            + $" To inherit from an interface default implementation, use {nameof(Inherit)}<T> instead.");
        return Inherit(NonVirtual(baseMembers.Pop()));
    }

    public ITargetDefinition Inherit(params Target[] targets) => Then(() => Array.ForEach(targets, x => x(this)));

    public ITargetDefinition Inherit<T>(params Expression<Func<T, Target>>[] targets)
    {
        var properties = targets.Length > 0
            ? targets.Select(x => (PropertyInfo)MemberUtility.GetMember(x))
            : [OnlyPropertyOf<T>("shorthand inheritance", typeof(Target))];
        return Inherit([.. properties.Select(NonVirtual)]);
    }

    private ITargetDefinition Then(Action write)
    {
        write();
        return this;
    }

    // The property as its declaring type has it, not as a derived one overrides it.
    private Target NonVirtual(PropertyInfo property)
    {
        var pointer = property.GetMethod.NotNull().MethodHandle.GetFunctionPointer();
        var getter = (Func<Target>)Activator.CreateInstance(typeof(Func<Target>), build, pointer);
        return getter();
    }

    private static string OneLine(string text)
    {
        var line = string.Concat(text.NotNull().Split('\r', '\n'));
        while (line.Contains("  ", StringComparison.Ordinal))
            line = line.Replace("  ", " ", StringComparison.Ordinal);
        return line;
    }
}
