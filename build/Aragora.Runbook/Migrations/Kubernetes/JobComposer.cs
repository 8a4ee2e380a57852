using Aragora.Runbook.Environments;
using Aragora.Runbook.Tooling;
using k8s.Models;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>What a Job is made for.</summary>
internal sealed record JobOrder(TargetEnvironment Environment, string RunId, MigrationDirection Direction, string Revision, string TreeHash, string ApplicationName, LockBudget Budget)
{
    public static JobOrder Of(RunnerRequest request) => new(request.Environment.Name, request.RunId, request.Direction, request.Revision, request.TreeHash, request.ApplicationName, request.Budget);
}

/// <summary>Makes a run's own Jobs from the job file. The database's URL and password are not in them: the pod gets those from its Secret.</summary>
internal sealed class JobComposer(JobTemplate template, KubernetesRunnerOptions options)
{
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromHours(1);
    private static readonly TimeSpan DefaultRetention = TimeSpan.FromHours(24);

    /// <summary>A check that was killed with its run goes by itself.</summary>
    private static readonly TimeSpan CheckRetention = TimeSpan.FromMinutes(10);

    /// <summary>The image, for messages.</summary>
    public string Image => options.Image ?? template.Image;

    /// <summary>The Job that migrates.</summary>
    /// <param name="order">Where to.</param>
    /// <param name="database">Which database, by what it is.</param>
    /// <param name="pinnedImage">The image by its digest, as it was checked; null for the name.</param>
    public V1Job Migration(JobOrder order, DatabaseIdentity database, string? pinnedImage)
    {
        var job = template.Copy();
        var labels = JobMarks.Labels(JobMarks.Migration, order.Environment, order.RunId, database);
        labels[JobMarks.Direction] = order.Direction.ToString().ToLowerInvariant();
        labels[JobMarks.Revision] = JobMarks.Label(order.Revision);
        labels[JobMarks.Tree] = order.TreeHash[..Math.Min(12, order.TreeHash.Length)];
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [JobMarks.Run] = order.RunId,
            [JobMarks.Direction] = labels[JobMarks.Direction],
            [JobMarks.Revision] = order.Revision,
            [JobMarks.Tree] = order.TreeHash,
            [JobMarks.ApplicationName] = order.ApplicationName,
        };
        Name(job, JobMarks.Name(job.Metadata.Name, order.Environment.ToString(), order.RunId), labels, annotations);
        job.Spec.ActiveDeadlineSeconds = (long?)options.Deadline?.TotalSeconds ?? job.Spec.ActiveDeadlineSeconds ?? (long)DefaultDeadline.TotalSeconds;
        job.Spec.TtlSecondsAfterFinished = (int?)options.Retention?.TotalSeconds ?? job.Spec.TtlSecondsAfterFinished ?? (int)DefaultRetention.TotalSeconds;
        var container = Furnish(job, AlembicVariables.Limits(order.Budget, order.ApplicationName));
        container.Image = pinnedImage ?? Image;
        JobTemplate.Direct(container, order.Direction, order.Revision);
        return job;
    }

    /// <summary>The Job that says which migrations the image holds, and which database it reaches.</summary>
    public V1Job Check(DatabaseEnvironment environment, DatabaseIdentity database, string runId, IReadOnlyList<string> command)
    {
        var job = template.Copy();
        Name(job, JobMarks.Name(job.Metadata.Name, environment.Name.ToString(), runId, "check"), JobMarks.Labels(JobMarks.Check, environment.Name, runId, database), new Dictionary<string, string>(StringComparer.Ordinal) { [JobMarks.Run] = runId });
        job.Spec.ActiveDeadlineSeconds = (long)options.CheckDeadline.TotalSeconds;
        job.Spec.TtlSecondsAfterFinished = (int)CheckRetention.TotalSeconds;
        var container = Furnish(job, new Dictionary<string, string>(StringComparer.Ordinal) { ["PGAPPNAME"] = "aragora-image-check" });
        container.Command = [.. command];
        container.Args = null;
        return job;
    }

    private static void Name(V1Job job, string name, Dictionary<string, string> labels, Dictionary<string, string> annotations)
    {
        job.Metadata.Name = name;
        job.Metadata.GenerateName = null;
        job.Metadata.Labels = Merged(job.Metadata.Labels, labels);
        job.Metadata.Annotations = Merged(job.Metadata.Annotations, annotations);
        job.Spec.Template.Metadata ??= new V1ObjectMeta();
        job.Spec.Template.Metadata.Labels = Merged(job.Spec.Template.Metadata.Labels, labels);
        job.Spec.Template.Metadata.Annotations = Merged(job.Spec.Template.Metadata.Annotations, annotations);
    }

    /// <summary>What both kinds have: one try, one pod, the parameters' account, secret and resources.</summary>
    private V1Container Furnish(V1Job job, IReadOnlyDictionary<string, string> variables)
    {
        // A namespace in the file would overrule the one that was asked for.
        job.Metadata.NamespaceProperty = null;
        job.Spec.BackoffLimit = 0;
        job.Spec.Parallelism = job.Spec.Completions = null;
        job.Spec.Suspend = null;
        var pod = job.Spec.Template.Spec;
        pod.RestartPolicy = "Never";
        pod.TerminationGracePeriodSeconds = (long)options.Grace.TotalSeconds;
        pod.ServiceAccountName = options.ServiceAccount ?? pod.ServiceAccountName;
        pod.ServiceAccount = null;
        var container = template.Migrating(job);
        container.Image = Image;
        container.Env = [.. (container.Env ?? []).Where(one => !variables.ContainsKey(one.Name) && !PythonEnvironment.Variables.ContainsKey(one.Name)), .. Python(), .. variables.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => new V1EnvVar { Name = one.Key, Value = one.Value })];
        if (options.Secret is not null)
        {
            var others = (container.EnvFrom ?? []).Where(source => source.SecretRef is null);
            container.EnvFrom = [.. others, new V1EnvFromSource { SecretRef = new V1SecretEnvSource { Name = options.Secret } }];
        }

        Limit(container, "cpu", options.Cpu);
        Limit(container, "memory", options.Memory);
        return container;
    }

    private static IEnumerable<V1EnvVar> Python() => PythonEnvironment.Variables.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => new V1EnvVar { Name = one.Key, Value = one.Value });

    private static void Limit(V1Container container, string resource, string? quantity)
    {
        if (quantity is null)
        {
            return;
        }

        container.Resources ??= new V1ResourceRequirements();
        container.Resources.Requests = Merged(container.Resources.Requests, new Dictionary<string, ResourceQuantity>(StringComparer.Ordinal) { [resource] = new(quantity) });
        container.Resources.Limits = Merged(container.Resources.Limits, new Dictionary<string, ResourceQuantity>(StringComparer.Ordinal) { [resource] = new(quantity) });
    }

    private static Dictionary<string, T> Merged<T>(IDictionary<string, T>? theirs, Dictionary<string, T> ours)
    {
        var merged = theirs is null ? new Dictionary<string, T>(StringComparer.Ordinal) : new Dictionary<string, T>(theirs, StringComparer.Ordinal);
        foreach (var (key, value) in ours)
        {
            merged[key] = value;
        }

        return merged;
    }
}
