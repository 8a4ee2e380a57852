using System.Linq.Expressions;
using System.Runtime.CompilerServices;

namespace Nuke.Common;

/// <summary>What can be said of a target. Every member returns the definition, so that they chain.</summary>
public interface ITargetDefinition
{
    /// <summary>One line for the help text.</summary>
    ITargetDefinition Description(string description);

    /// <summary>What the target does, in this order.</summary>
    ITargetDefinition Executes(params Action[] actions);

    /// <summary>What the target does; the result is not used.</summary>
    ITargetDefinition Executes<T>(Func<T> action);

    /// <summary>What the target does; it is awaited.</summary>
    ITargetDefinition Executes(Func<Task> action);

    /// <summary>These run before this target, and run because of it.</summary>
    ITargetDefinition DependsOn(params Target[] targets);

    /// <summary>These targets of a component run before this target; none named means the component's only one.</summary>
    ITargetDefinition DependsOn<T>(params Func<T, Target>[] targets);

    /// <summary>As <see cref="DependsOn{T}"/>, where the build has the component.</summary>
    ITargetDefinition TryDependsOn<T>(params Func<T, Target>[] targets);

    /// <summary>This target runs before these, and because of them.</summary>
    ITargetDefinition DependentFor(params Target[] targets);

    /// <summary>As <see cref="DependentFor(Target[])"/>, for a component's targets.</summary>
    ITargetDefinition DependentFor<T>(params Func<T, Target>[] targets);

    /// <summary>As <see cref="DependentFor{T}"/>, where the build has the component.</summary>
    ITargetDefinition TryDependentFor<T>(params Func<T, Target>[] targets);

    /// <summary>A condition asked right before the target; false skips it, and the build stays green.</summary>
    ITargetDefinition OnlyWhenDynamic(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string conditionExpression = null);

    /// <summary>A condition asked before the first target; false skips it (and its own dependencies), and the build stays green.</summary>
    ITargetDefinition OnlyWhenStatic(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string conditionExpression = null);

    /// <summary>Parameters without which the build does not start.</summary>
    ITargetDefinition Requires<T>(Expression<Func<T>> parameterRequirement, params Expression<Func<T>>[] parameterRequirements)
        where T : class;

    /// <summary>Parameters without which the build does not start.</summary>
    ITargetDefinition Requires<T>(Expression<Func<T?>> parameterRequirement, params Expression<Func<T?>>[] parameterRequirements)
        where T : struct;

    /// <summary>Conditions without which the build does not start.</summary>
    ITargetDefinition Requires(Expression<Func<bool>> requirement, params Expression<Func<bool>>[] requirements);

    /// <summary>What becomes of the dependencies when the target is skipped.</summary>
    ITargetDefinition WhenSkipped(DependencyBehavior dependencyBehavior);

    /// <summary>If both run, this one runs first.</summary>
    ITargetDefinition Before(params Target[] targets);

    /// <summary>As <see cref="Before(Target[])"/>, for a component's targets.</summary>
    ITargetDefinition Before<T>(params Func<T, Target>[] targets);

    /// <summary>As <see cref="Before{T}"/>, where the build has the component.</summary>
    ITargetDefinition TryBefore<T>(params Func<T, Target>[] targets);

    /// <summary>If both run, this one runs later.</summary>
    ITargetDefinition After(params Target[] targets);

    /// <summary>As <see cref="After(Target[])"/>, for a component's targets.</summary>
    ITargetDefinition After<T>(params Func<T, Target>[] targets);

    /// <summary>As <see cref="After{T}"/>, where the build has the component.</summary>
    ITargetDefinition TryAfter<T>(params Func<T, Target>[] targets);

    /// <summary>These run after this target, and run because of it.</summary>
    ITargetDefinition Triggers(params Target[] targets);

    /// <summary>As <see cref="Triggers(Target[])"/>, for a component's targets.</summary>
    ITargetDefinition Triggers<T>(params Func<T, Target>[] targets);

    /// <summary>As <see cref="Triggers{T}"/>, where the build has the component.</summary>
    ITargetDefinition TryTriggers<T>(params Func<T, Target>[] targets);

    /// <summary>This target runs after these, and because of them.</summary>
    ITargetDefinition TriggeredBy(params Target[] targets);

    /// <summary>As <see cref="TriggeredBy(Target[])"/>, for a component's targets.</summary>
    ITargetDefinition TriggeredBy<T>(params Func<T, Target>[] targets);

    /// <summary>As <see cref="TriggeredBy{T}"/>, where the build has the component.</summary>
    ITargetDefinition TryTriggeredBy<T>(params Func<T, Target>[] targets);

    /// <summary>Runs even if others failed before.</summary>
    ITargetDefinition AssuredAfterFailure();

    /// <summary>The build goes on if this target fails (and ends as failed).</summary>
    ITargetDefinition ProceedAfterFailure();

    /// <summary>Not shown in the help text.</summary>
    ITargetDefinition Unlisted();

    /// <summary>Takes over what the overridden target says.</summary>
    ITargetDefinition Base();

    /// <summary>Takes over what these targets say.</summary>
    ITargetDefinition Inherit(params Target[] targets);

    /// <summary>Takes over what these targets of a component say.</summary>
    ITargetDefinition Inherit<T>(params Expression<Func<T, Target>>[] targets);

    /// <summary>Files that the target makes; read by generators of CI configurations only.</summary>
    ITargetDefinition Produces(params string[] artifacts);

    /// <summary>Targets whose files this one reads.</summary>
    ITargetDefinition Consumes(params Target[] targets);

    /// <summary>As <see cref="Consumes(Target[])"/>, for a component's targets.</summary>
    ITargetDefinition Consumes<T>(params Func<T, Target>[] targets);

    /// <summary>Files of a target that this one reads.</summary>
    ITargetDefinition Consumes(Target target, params string[] artifacts);

    /// <summary>Files of a component's target that this one reads.</summary>
    ITargetDefinition Consumes<T>(Func<T, Target> target, params string[] artifacts);

    /// <summary>Files of a component's only target that this one reads.</summary>
    ITargetDefinition Consumes<T>(params string[] artifacts);

    /// <summary>Runs between the setup and the cleanup of a component.</summary>
    ITargetDefinition DependsOnContext<T>()
        where T : INukeBuild;

    /// <summary>Into how many parts CI may split the target.</summary>
    ITargetDefinition Partition(int size);
}

/// <summary>What becomes of the dependencies of a skipped target.</summary>
public enum DependencyBehavior
{
    /// <summary>They are skipped too, unless another target needs them.</summary>
    Skip,

    /// <summary>They run.</summary>
    Execute,
}
