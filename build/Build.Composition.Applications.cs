using Aragora.Runbook.Applications;
using Aragora.Runbook.Applications.Compose;
using Aragora.Runbook.Applications.Workloads;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;

/// <summary>The application that surrounds a database, put together where it was named.</summary>
sealed partial class Build
{
    /// <summary>The application of an environment, where it was named. The local stack has none: its health service is a part of it.</summary>
    private Func<DatabaseEnvironment, ApplicationControl> MapApplications(RunContext context, ApplicationOptions options) => environment =>
    {
        var names = environment.IsLocalStack ? [] : Of(environment.Name, StagingApplication, ProductionApplication) ?? [];
        var location = new ComposeLocation(RootDirectory, ComposeFile?.Paths ?? [], ComposeProject);
        return new ApplicationControl(
            context,
            environment,
            [.. names.Distinct().Select(name => name.IsInCluster ? (IApplicationPart)new KubernetesWorkload(context, ClusterOf(environment.Name), ContextOf(environment.Name), name, options) : new ComposeServicePart(context, commands, location, name, environment))],
            options);
    };
}
