namespace Nuke.Common.Execution;

/// <summary>Calls the hooks of the build, after every other extension.</summary>
internal sealed class EventInvoker : BuildExtensionAttributeBase,
    IOnBuildCreated, IOnBuildInitialized, IOnTargetRunning, IOnTargetSkipped, IOnTargetSucceeded, IOnTargetFailed, IOnBuildFinished
{
    private NukeBuild Hooks => (NukeBuild)Build;

    public void OnBuildCreated(IReadOnlyCollection<ExecutableTarget> executableTargets) => Hooks.OnBuildCreated();

    public void OnBuildInitialized(IReadOnlyCollection<ExecutableTarget> executableTargets, IReadOnlyCollection<ExecutableTarget> executionPlan) =>
        Hooks.OnBuildInitialized();

    public void OnTargetRunning(ExecutableTarget target) => Hooks.OnTargetRunning(target.Name);

    public void OnTargetSkipped(ExecutableTarget target) => Hooks.OnTargetSkipped(target.Name);

    public void OnTargetSucceeded(ExecutableTarget target) => Hooks.OnTargetSucceeded(target.Name);

    public void OnTargetFailed(ExecutableTarget target) => Hooks.OnTargetFailed(target.Name);

    public void OnBuildFinished() => Hooks.OnBuildFinished();
}
