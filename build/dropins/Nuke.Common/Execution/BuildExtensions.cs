namespace Nuke.Common.Execution;

/// <summary>Something that takes part in the course of the build.</summary>
public interface IBuildExtension
{
    /// <summary>Those with a higher one come first.</summary>
    float Priority { get; }
}

/// <summary>An extension that a build carries as an attribute.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class BuildExtensionAttributeBase : Attribute, IBuildExtension
{
    /// <summary>The build.</summary>
    public INukeBuild Build { get; internal set; }

    /// <inheritdoc />
    public virtual float Priority { get; set; }
}

/// <summary>Takes part once the targets exist, before the plan.</summary>
public interface IOnBuildCreated : IBuildExtension
{
    void OnBuildCreated(IReadOnlyCollection<ExecutableTarget> executableTargets);
}

/// <summary>Takes part once the plan exists, before the requirements are checked.</summary>
public interface IOnBuildInitialized : IBuildExtension
{
    void OnBuildInitialized(IReadOnlyCollection<ExecutableTarget> executableTargets, IReadOnlyCollection<ExecutableTarget> executionPlan);
}

/// <summary>Takes part when a target reports facts.</summary>
public interface IOnTargetSummaryUpdated : IBuildExtension
{
    void OnTargetSummaryUpdated(INukeBuild build, ExecutableTarget target);
}

/// <summary>Takes part when a target is skipped.</summary>
public interface IOnTargetSkipped : IBuildExtension
{
    void OnTargetSkipped(ExecutableTarget target);
}

/// <summary>Takes part when a target starts.</summary>
public interface IOnTargetRunning : IBuildExtension
{
    void OnTargetRunning(ExecutableTarget target);
}

/// <summary>Takes part when a target has succeeded.</summary>
public interface IOnTargetSucceeded : IBuildExtension
{
    void OnTargetSucceeded(ExecutableTarget target);
}

/// <summary>Takes part when a target has failed.</summary>
public interface IOnTargetFailed : IBuildExtension
{
    void OnTargetFailed(ExecutableTarget target);
}

/// <summary>Takes part at the end.</summary>
public interface IOnBuildFinished : IBuildExtension
{
    void OnBuildFinished();
}
