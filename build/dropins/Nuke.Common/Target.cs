using Nuke.Common.Execution;

namespace Nuke.Common;

/// <summary>A target of the build: what it needs, when it runs and what it does, said on the given definition.</summary>
public delegate ITargetDefinition Target(ITargetDefinition definition);

/// <summary>A target that a context runs before the targets that depend on it.</summary>
public delegate ITargetDefinition Setup(ITargetDefinition definition);

/// <summary>A target that a context runs afterwards, also when others fail.</summary>
public delegate ITargetDefinition Cleanup(ITargetDefinition definition);

/// <summary>Asks a list of targets for one of them by its property.</summary>
public static class ExecutableTargetExtensions
{
    /// <summary>Whether the target is in the list.</summary>
    public static bool Contains(this IEnumerable<ExecutableTarget> targets, Target target) => targets.Any(x => x.Factory.Equals(target));

    /// <summary>Whether the target is in the list.</summary>
    public static bool Contains(this IEnumerable<ExecutableTarget> targets, Setup target) => targets.Any(x => x.Factory.Equals(target));

    /// <summary>Whether the target is in the list.</summary>
    public static bool Contains(this IEnumerable<ExecutableTarget> targets, Cleanup target) => targets.Any(x => x.Factory.Equals(target));
}
