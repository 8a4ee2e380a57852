using System.Reflection;
using Nuke.Common.Execution;
using Nuke.Common.ValueInjection;

namespace Nuke.Common;

public abstract partial class NukeBuild
{
    private readonly List<IBuildExtension> _extensions;

    /// <summary>Collects the extensions: those of every build, and the attributes on this one.</summary>
    protected NukeBuild()
    {
        List<BuildExtensionAttributeBase> extensions =
        [
            new ArgumentsFromParametersFileAttribute { Priority = 150 },
            new InjectParameterValuesAttribute { Priority = 100 },
            new HandleShellCompletionAttribute { Priority = 75 },
            new HandlePlanRequestsAttribute { Priority = 10 },
            new HandleHelpRequestsAttribute { Priority = 5 },
            new InjectNonParameterValuesAttribute { Priority = -100 },
            new EventInvoker { Priority = float.MinValue },
            .. GetType().GetCustomAttributes<BuildExtensionAttributeBase>(inherit: true),
        ];
        extensions.ForEach(x => x.Build = this);
        _extensions = [.. extensions.OrderByDescending(x => x.Priority)];
    }

    IReadOnlyCollection<IBuildExtension> INukeBuild.BuildExtensions => _extensions;

    /// <summary>Called after the build was constructed and its parameters have their values.</summary>
    protected internal virtual void OnBuildCreated()
    {
    }

    /// <summary>Called after the plan was made, before requirements are checked.</summary>
    protected internal virtual void OnBuildInitialized()
    {
    }

    /// <summary>Called at the end, after the summary, whether the build succeeded, failed or was interrupted.</summary>
    protected internal virtual void OnBuildFinished()
    {
    }

    /// <summary>Called before a target starts.</summary>
    protected internal virtual void OnTargetRunning(string target)
    {
    }

    /// <summary>Called when a target is skipped.</summary>
    protected internal virtual void OnTargetSkipped(string target)
    {
    }

    /// <summary>Called when a target has succeeded.</summary>
    protected internal virtual void OnTargetSucceeded(string target)
    {
    }

    /// <summary>Called when a target has failed.</summary>
    protected internal virtual void OnTargetFailed(string target)
    {
    }

    internal void ExecuteExtension<TExtension>(Action<TExtension> action)
        where TExtension : IBuildExtension
    {
        foreach (var extension in _extensions.OfType<TExtension>())
            action(extension);
    }
}
