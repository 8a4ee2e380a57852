namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>Why a Job came to nothing.</summary>
/// <param name="Kind">The class.</param>
/// <param name="What">What happened.</param>
/// <param name="Why">In the cluster's own words.</param>
/// <param name="Next">What to do.</param>
internal sealed record JobFailure(JobFailureKind Kind, string What, string Why, string Next);

/// <summary>Classes of failures, each with its own message.</summary>
internal enum JobFailureKind
{
    /// <summary>The image cannot be pulled, or its name is none.</summary>
    ImagePull,

    /// <summary>A quota or a limit range of the namespace.</summary>
    Quota,

    /// <summary>The pod's service account is not there.</summary>
    ServiceAccount,

    /// <summary>A policy of the cluster denies the pod.</summary>
    PodDenied,

    /// <summary>No node takes the pod.</summary>
    Unschedulable,

    /// <summary>A Secret or a ConfigMap is not there.</summary>
    Configuration,

    /// <summary>The command is not in the image.</summary>
    Command,

    /// <summary>It needed more memory than it may have.</summary>
    OutOfMemory,

    /// <summary>The Job's deadline passed.</summary>
    Deadline,

    /// <summary>The pod was evicted, preempted or deleted.</summary>
    Evicted,

    /// <summary>The node does not answer; what runs there may go on.</summary>
    NodeLost,

    /// <summary>Somebody deleted the Job.</summary>
    Deleted,

    /// <summary>A signal ended it.</summary>
    Crash,

    /// <summary>It does not start, and nobody says why.</summary>
    Stuck,
}
