using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Migrations.Kubernetes;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Serilog;

/// <summary>What of a run lies in a Kubernetes cluster: its runner, its checks, and the way to a database there.</summary>
sealed partial class Build
{
    private static readonly TargetEnvironment[] BothEnvironments = [Aragora.Runbook.Environments.TargetEnvironment.Staging, Aragora.Runbook.Environments.TargetEnvironment.Production];
    private readonly Dictionary<TargetEnvironment, KubernetesCluster> clusters = [];
    private readonly List<PortForward> forwards = [];

    private string JobFile => MigrationJob ?? Path.Combine(RootDirectory, "migrations", "jobs", "migration-job.yaml");

    private string? ContextOf(TargetEnvironment environment) => Of(environment, StagingKubernetesContext, ProductionKubernetesContext);

    private string? NamespaceOf(TargetEnvironment environment) => Of(environment, StagingNamespace, ProductionNamespace) ?? (File.Exists(JobFile) ? JobTemplate.Read(JobFile).Namespace : null);

    private PortForwardTarget? PortForwardOf(TargetEnvironment environment) => Of(environment, StagingPortForward, ProductionPortForward);

    /// <summary>Connected to when it is first needed: a credential plugin may ask a person.</summary>
    private KubernetesCluster ClusterOf(TargetEnvironment environment)
    {
        lock (clusters)
        {
            return clusters.TryGetValue(environment, out var cluster)
                ? cluster
                : clusters[environment] = KubernetesCluster.Connect(new ClusterAddress(Kubeconfig, ContextOf(environment), NamespaceOf(environment)));
        }
    }

    private KubernetesRunner KubernetesRunnerOf(TargetEnvironment environment, RunContext context, ImageCheck check) =>
        new(context, () => ClusterOf(environment), () => JobTemplate.Read(JobFile), MapKubernetes(), check);

    private KubernetesRunnerOptions MapKubernetes() => new KubernetesRunnerOptions
    {
        JobFile = JobFile,
        Image = MigrationImage,
        ServiceAccount = MigrationServiceAccount,
        Secret = MigrationSecret,
        Cpu = MigrationCpu,
        Memory = MigrationMemory,
        Deadline = MigrationDeadline?.Value,
        Retention = MigrationRetention?.Value,
    }.Validated();

    private IEnumerable<EnvironmentCheck> KubernetesChecksOf(RunContext context, LockBudget budget)
    {
        foreach (var environment in BothEnvironments)
        {
            var (migrates, forward) = (RunnerOf(environment) == Runner.Kubernetes, PortForwardOf(environment));
            if (migrates || forward is not null)
            {
                yield return KubernetesChecks.Rights(environment, () => ClusterOf(environment), migrates, forward);
            }

            if (migrates)
            {
                yield return KubernetesChecks.DryRun(environment, () => ClusterOf(environment), () => JobTemplate.Read(JobFile), MapKubernetes(), context.RunId, budget);
            }
        }
    }

    /// <summary>The environment as it is reached through the cluster, where that was asked for: its URL's host and port become the near end of a port-forward.</summary>
    private DatabaseEnvironment Forwarded(DatabaseEnvironment environment)
    {
        if (PortForwardOf(environment.Name) is not { } target)
        {
            return environment;
        }

        PortForwardRoute.RequirePossible(environment);
        var place = $"namespace {NamespaceOf(environment.Name) ?? "of the context"}, context {ContextOf(environment.Name) ?? "current"}";
        var forward = PortForward.Listen(() => ClusterOf(environment.Name), target, place, run?.Log ?? Log.Logger);
        forwards.Add(forward);
        return environment with { Database = environment.Database with { Host = "127.0.0.1", Port = forward.Port }, Route = forward };
    }

    private void RequireNoPortForward(TargetEnvironment environment)
    {
        if (PortForwardOf(environment) is { } target)
        {
            var name = environment.ToString().ToLowerInvariant();
            throw new BadInputException($"--{name}-port-forward {target} is given, and no database of {name}.", "it is the way to a database that is named by its URL", $"export {DatabaseEnvironment.UrlVariableOf(environment)}='postgresql://user:password@any-host/database'   (host and port are replaced)");
        }
    }

    private void EndForwards()
    {
        foreach (var forward in forwards)
        {
            forward.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        foreach (var cluster in clusters.Values)
        {
            cluster.Dispose();
        }
    }
}
