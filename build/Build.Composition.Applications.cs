using Aragora.Runbook.Adapters.Processes;
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
            [.. names.Distinct().Select(name => name.IsInCluster ? (IApplicationPart)new KubernetesWorkload(context, ClusterOf(environment.Name), name, options) : new ComposeServicePart(context, commands, location, name, environment))],
            options with { Switches = SwitchesOf(environment.Name, names) });
    };

    /// <summary>What StartApplication wants to know, as it is typed: of this run's own switches or of its surroundings, which another machine may lack.</summary>
    private string SwitchesOf(TargetEnvironment environment, IReadOnlyList<ApplicationName> names)
    {
        var isInCluster = names.Any(name => name.IsInCluster);
        var prefix = $"--{environment.ToString().ToLowerInvariant()}";
        (string Switch, string? Value)[] said =
        [
            ($"{prefix}-application", string.Join(',', names.Distinct())),
            ("--kubeconfig", isInCluster ? Kubeconfig : null),
            ($"{prefix}-kubernetes-context", isInCluster ? ClusterOf(environment).Kubectl.Context : null),
            ($"{prefix}-namespace", isInCluster ? ClusterOf(environment).Namespace : null),
            ($"{prefix}-port-forward", PortForwardOf(environment)?.ToString()),
            ("--compose-file", ComposeFile?.ToString()),
            ("--compose-project", ComposeProject),
        ];
        return string.Concat(said.Where(one => !string.IsNullOrEmpty(one.Value)).Select(one => $" {one.Switch} {Command.Quoted(one.Value!)}"));
    }
}
