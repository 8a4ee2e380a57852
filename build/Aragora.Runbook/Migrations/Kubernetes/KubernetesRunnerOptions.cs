using System.Text.RegularExpressions;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>How migrations run as Kubernetes Jobs. What is null stays as the job file has it.</summary>
public sealed partial record KubernetesRunnerOptions
{
    /// <summary>The job file, absolute; valid for a plain <c>kubectl apply</c>.</summary>
    public required string JobFile { get; init; }

    /// <summary>The image. Default: the job file's.</summary>
    public string? Image { get; init; }

    /// <summary>The service account of the pod. Default: the job file's.</summary>
    public string? ServiceAccount { get; init; }

    /// <summary>The Secret that holds the database's URL, taken in by <c>envFrom</c>. Default: the job file's.</summary>
    public string? Secret { get; init; }

    /// <summary>CPU, requested and as limit, as a Kubernetes quantity such as <c>500m</c>. Default: the job file's.</summary>
    public string? Cpu { get; init; }

    /// <summary>Memory, requested and as limit, as a Kubernetes quantity such as <c>512Mi</c>. Default: the job file's.</summary>
    public string? Memory { get; init; }

    /// <summary>The Job's <c>activeDeadlineSeconds</c>. Default: the job file's, else 1 hour.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>The Job's <c>ttlSecondsAfterFinished</c>. Default: the job file's, else 24 hours.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>How long the image may take to say which migrations it holds. Default: 2 minutes.</summary>
    public TimeSpan CheckDeadline { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long the API may be away while a Job runs: the Job goes on meanwhile. Default: 5 minutes.</summary>
    public TimeSpan ApiPatience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long no node may have room for the pod. Default: 20 seconds; 10 minutes where an autoscaler says that it makes room.</summary>
    public TimeSpan SchedulingPatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a pod that is scheduled may take until its container runs: pulling the image, mounting volumes. Default: 10 minutes.</summary>
    public TimeSpan StartPatience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long Alembic has to roll back by itself after its statement was cancelled. Default: 5 seconds.</summary>
    public TimeSpan RollbackPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the database has to take a request to cancel or to end sessions. Default: 5 seconds.</summary>
    public TimeSpan ServerPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a deleted Job and its pod may take to be gone. Default: 2 minutes.</summary>
    public TimeSpan EndPatience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The pod's <c>terminationGracePeriodSeconds</c>. Default: 10 seconds.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often Job and pod are looked at while nothing changes; at first more often. Default: 2 seconds.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The options, if they make sense.</summary>
    /// <exception cref="BadInputException">A quantity or a name is none.</exception>
    public KubernetesRunnerOptions Validated()
    {
        RequireQuantity("--migration-cpu", Cpu, "500m");
        RequireQuantity("--migration-memory", Memory, "512Mi");
        RequireName("--migration-service-account", ServiceAccount);
        RequireName("--migration-secret", Secret);
        return Image is null || (Image.Length > 0 && !Image.Any(char.IsWhiteSpace))
            ? this
            : throw new BadInputException($"--migration-image \"{Image}\" is not the name of an image.", "it is empty or holds white space", "give it as registry/repository:tag, or as registry/repository@sha256:…");
    }

    private static void RequireQuantity(string parameter, string? given, string example)
    {
        if (given is not null && !Quantity().IsMatch(given))
        {
            throw new BadInputException($"{parameter} \"{given}\" is not a Kubernetes quantity above zero.", "it is a number with a unit such as m, k, M, G, Ki, Mi, Gi", $"give it as {parameter} {example}");
        }
    }

    private static void RequireName(string parameter, string? given)
    {
        if (given is not null && !Name().IsMatch(given))
        {
            throw new BadInputException($"{parameter} \"{given}\" is not the name of a Kubernetes object.", "lower-case letters, digits, '-' and '.', at most 253", $"kubectl get {(parameter.EndsWith("secret", StringComparison.Ordinal) ? "secrets" : "serviceaccounts")}   lists what there is");
        }
    }

    [GeneratedRegex(@"^(?=.*[1-9])(\d{1,15}(\.\d{1,9})?|\.\d{1,9})(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Quantity();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Name();
}
