using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>What Preflight asks the cluster, before anything is touched.</summary>
public static class KubernetesChecks
{
    private static readonly ApiAct[] ForMigrations =
    [
        new("create", "jobs.batch"), new("get", "jobs.batch"), new("list", "jobs.batch"), new("delete", "jobs.batch"),
        new("list", "pods"), new("get", "pods/log"), new("list", "events"),
    ];

    private static readonly ApiAct[] ForForwards = [new("get", "pods/portforward"), new("create", "pods/portforward")];

    private static readonly DatabaseIdentity NoDatabase = new("0", 0, 0, "", "");

    /// <summary>The rights that an environment's runner needs.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="cluster">Its cluster, connected to when the check runs.</param>
    /// <param name="migrates">Whether its migrations run there.</param>
    /// <param name="forward">The port-forward through which its database is reached; null for none.</param>
    public static EnvironmentCheck Rights(TargetEnvironment environment, Func<KubernetesCluster> cluster, bool migrates, PortForwardTarget? forward) => new(environment, "kubernetes-rights", "Rights in the cluster", async cancellation =>
    {
        var connected = cluster();
        var needed = new List<ApiAct>();
        needed.AddRange(migrates ? ForMigrations : []);
        needed.AddRange(forward is null ? [] : ForForwards);
        needed.AddRange(forward is { IsService: true } ? [new ApiAct("get", "services"), new ApiAct("list", "pods")] : []);
        var missing = await AccessReview.MissingAsync(connected, [.. needed.Distinct()], cancellation);
        var where = $"namespace {connected.Namespace} of {connected.Description}";
        return missing.Count == 0
            ? new Finding.Ok($"all that is needed in {where}")
            : new Finding.Refusal(
                $"missing in {where}: {string.Join(", ", missing)}",
                string.Join("; ", missing.GroupBy(act => act.Resource, StringComparer.Ordinal).Select(group =>
                    $"kubectl create role aragora-{group.Key.Replace('/', '-').Replace('.', '-')} --verb={string.Join(',', group.Select(act => act.Verb))} --resource={group.Key} -n {connected.Namespace}")) + "   and a rolebinding to you; docs/kubernetes.md has the whole Role");
    });

    /// <summary>The very Job that would run, checked by the server with its admission controllers and policies, and not made.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="cluster">Its cluster, connected to when the check runs.</param>
    /// <param name="template">The job file.</param>
    /// <param name="options">What the file does not say.</param>
    /// <param name="runId">The run's id.</param>
    /// <param name="budget">The timeouts of the migration's session.</param>
    public static EnvironmentCheck DryRun(TargetEnvironment environment, Func<KubernetesCluster> cluster, Func<JobTemplate> template, KubernetesRunnerOptions options, string runId, LockBudget budget) => new(environment, "kubernetes-dry-run", "The migration's Job", async cancellation =>
    {
        var composer = new JobComposer(template(), options);
        var order = new JobOrder(environment, runId, MigrationDirection.Upgrade, "head", "", Guards.MigrationSessions.NamePrefix + runId, budget);
        var job = composer.Migration(order, NoDatabase, pinnedImage: null);
        var accepted = await new JobClient(cluster()).CreateAsync(job, dryRun: true, cancellation);
        return new Finding.Ok($"{composer.Image}, deadline {TimeSpan.FromSeconds(accepted.Spec.ActiveDeadlineSeconds ?? 0)}: accepted by the server (dry run)");
    })
    { OnlyForMigration = true };
}
