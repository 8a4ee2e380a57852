using System.Linq.Expressions;
using System.Reflection;
using Nuke.Common.Utilities;

namespace Nuke.Common.Execution;

/// <summary>Makes the targets from the properties of the build.</summary>
internal static class ExecutableTargetFactory
{
    private static readonly Type[] s_targetTypes = [typeof(Target), typeof(Setup), typeof(Cleanup)];

    public static List<ExecutableTarget> CreateAll<T>(T build, params Expression<Func<T, Target>>[] defaultTargetExpressions)
        where T : INukeBuild
    {
        var defaultTargets = defaultTargetExpressions.Select(x => GetDefaultTarget(build, x)).ToList();
        var executables = GetTargetProperties(build.GetType()).Select(x => Create(build, x, defaultTargets)).ToList();
        executables.ForEach(x => ApplyDependencies(x, executables));
        return executables;
    }

    /// <summary>The properties of the class in the order of their declaration, then those that only its interfaces have.</summary>
    public static List<PropertyInfo> GetTargetProperties(Type buildType)
    {
        var all = buildType.GetProperties(MemberUtility.Instance).Where(x => s_targetTypes.Contains(x.PropertyType)).ToList();
        var ofClass = all.Where(x => !x.Name.Contains('.', StringComparison.Ordinal)).ToList();
        var ofInterfaces = buildType.GetInterfaces()
            .SelectMany(x => x.GetProperties(MemberUtility.Instance))
            .Where(x => s_targetTypes.Contains(x.PropertyType) && !x.Name.Contains('.', StringComparison.Ordinal))
            .Where(x => !ofClass.Exists(y => y.Name == x.Name))
            .GroupBy(x => x.Name, StringComparer.Ordinal)
            .Select(x => GetMostDerived([.. x]))
            .Select(x => GetExplicitImplementation(all, x) ?? x);
        return [.. ofClass, .. ofInterfaces];
    }

    private static PropertyInfo GetMostDerived(PropertyInfo[] properties)
    {
        var mostDerived = Array.Find(properties, x => Array.TrueForAll(properties, y => y.DeclaringType!.IsAssignableFrom(x.DeclaringType)));
        if (mostDerived is null)
        {
            Assert.Fail(string.Join(
                Environment.NewLine,
                properties.Select(x => $" - {x.DeclaringType?.Name}")
                    .Prepend($"Property '{properties[0].Name}' must be implemented explicitly because it is inherited from multiple interfaces:")));
        }

        return mostDerived;
    }

    private static PropertyInfo GetExplicitImplementation(List<PropertyInfo> all, PropertyInfo property) =>
        all.Find(x => x.Name == $"{property.DeclaringType?.FullName?.Replace('+', '.')}.{property.Name}");

    // Compiling an expression takes longer than all the rest: the usual one is just a property.
    private static Target GetDefaultTarget<T>(T build, Expression<Func<T, Target>> expression) =>
        expression.Body is MemberExpression { Member: PropertyInfo property, Expression: ParameterExpression }
            ? (Target)property.GetValue(build)
            : expression.Compile(preferInterpretation: true)(build);

    private static ExecutableTarget Create<T>(T build, PropertyInfo property, List<Target> defaultTargets)
        where T : INukeBuild
    {
        var definition = new TargetDefinition(property, build, GetBaseMembers(build.GetType(), property.Name));
        var factory = (Delegate)property.GetValue(build).NotNull($"Target '{property.Name}' has no value");
        switch (factory)
        {
            case Target target:
                target(definition);
                break;
            case Setup setup:
                setup(definition);
                break;
            case Cleanup cleanup:
                cleanup(definition);
                break;
        }

        return new ExecutableTarget
        {
            Name = definition.Name,
            Member = property,
            Definition = definition,
            Description = definition.Description,
            Factory = factory,
            IsDefault = defaultTargets.Exists(x => x.Equals(factory)),
            DynamicConditions = definition.DynamicConditions,
            StaticConditions = definition.StaticConditions,
            DependencyBehavior = definition.DependencyBehavior,
            ProceedAfterFailure = definition.IsProceedAfterFailure,
            AssuredAfterFailure = definition.IsAssuredAfterFailure || factory is Cleanup,
            DelegateRequirements = definition.DelegateRequirements,
            Actions = definition.Actions,
            Listed = !definition.IsInternal,
            PartitionSize = definition.PartitionSize,
            ArtifactProducts = definition.ArtifactProducts,
        };
    }

    // Overridden declarations, the nearest on top.
    private static Stack<PropertyInfo> GetBaseMembers(Type buildType, string name)
    {
        var members = new List<PropertyInfo>();
        for (var type = buildType.BaseType; type is not null; type = type.BaseType)
        {
            var property = type.GetProperty(name, BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly);
            if (property is not null)
                members.Add(property);
        }

        members.Reverse();
        return new Stack<PropertyInfo>(members);
    }

    private static void ApplyDependencies(ExecutableTarget executable, List<ExecutableTarget> executables)
    {
        executable.ExecutionDependencies.AddRange(GetRelated(x => x.DependsOnTargets, x => x.DependentForTargets));
        executable.OrderDependencies.AddRange(GetRelated(x => x.AfterTargets, x => x.BeforeTargets));
        executable.TriggerDependencies.AddRange(GetRelated(x => x.TriggeredByTargets, x => x.TriggersTargets));
        executable.Triggers.AddRange(GetRelated(x => x.TriggersTargets, x => x.TriggeredByTargets));

        Assert.True(
            !executable.AllDependencies.Concat(executable.Triggers).Contains(executable),
            $"Target '{executable.Name}' cannot have a dependency on itself");

        if (executable.Factory is Setup)
        {
            var cleanup = executables.Single(x => x.Factory is Cleanup && x.Member.DeclaringType == executable.Member.DeclaringType);
            executable.Triggers.Add(cleanup);
            cleanup.TriggerDependencies.Add(executable);
        }

        foreach (var artifacts in executable.Definition.ArtifactDependencies)
        {
            var source = executables.Single(x => x.Factory.Equals(artifacts.Key));
            foreach (var patterns in artifacts)
                executable.ArtifactDependencies.AddRange(source, patterns.Length > 0 ? patterns : source.ArtifactProducts);
        }

        IEnumerable<ExecutableTarget> GetRelated(Func<TargetDefinition, List<Delegate>> direct, Func<TargetDefinition, List<Delegate>> reverse)
        {
            foreach (var factory in direct(executable.Definition))
                yield return executables.Single(x => x.Factory.Equals(factory));

            foreach (var other in executables.Where(x => x != executable && reverse(x.Definition).Exists(y => y.Equals(executable.Factory))))
                yield return other;
        }
    }
}
