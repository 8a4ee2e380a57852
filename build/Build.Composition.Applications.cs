using Aragora.Runbook.Adapters.Kubernetes;
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
        var isProduction = environment.Name == Aragora.Runbook.Environments.TargetEnvironment.Production;
        var names = environment.IsLocalStack ? [] : (isProduction ? ProductionApplication : StagingApplication) ?? [];
        var address = isProduction ? new ClusterAddress(Kubeconfig, ProductionKubernetesContext, ProductionNamespace) : new ClusterAddress(Kubeconfig, StagingKubernetesContext, StagingNamespace);
        var cluster = new Lazy<KubernetesCluster>(() => KubernetesCluster.Connect(address));
        var location = new ComposeLocation(RootDirectory, ComposeFile?.Paths ?? [], ComposeProject);
        return new ApplicationControl(
            context,
            environment,
            [.. names.Distinct().Select(name => name.IsInCluster ? (IApplicationPart)new KubernetesWorkload(context, cluster.Value, address.Context, name, options) : new ComposeServicePart(context, commands, location, name, environment))],
            options);
    };
}
