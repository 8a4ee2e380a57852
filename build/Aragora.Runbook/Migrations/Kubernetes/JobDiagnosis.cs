using k8s.Models;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>Reads from a picture what went wrong, as soon as it shows: none of this mends itself while somebody waits.</summary>
internal static class JobDiagnosis
{
    private const int FirstSignal = 128;

    /// <summary>What is wrong; null where nothing is, or where it only takes its time.</summary>
    public static JobFailure? Of(JobPicture picture) =>
        OfDisruption(picture) ?? OfEnd(picture) ?? OfStart(picture) ?? OfJob(picture);

    /// <summary>Why no node takes the pod, in the scheduler's words; null where one does.</summary>
    public static string? Unschedulable(JobPicture picture) =>
        picture.Condition("PodScheduled") is { Status: "False", Reason: "Unschedulable" } condition ? condition.Message ?? "the scheduler did not say why" : null;

    /// <summary>Whether an autoscaler says that it makes room.</summary>
    public static bool IsScaling(JobPicture picture) => picture.PodEvents.Any(one => one.Reason is "TriggeredScaleUp" or "Nominated");

    private static JobFailure? OfDisruption(JobPicture picture)
    {
        var pod = picture.Pod?.Status;
        if (picture.Job is null or { Metadata.DeletionTimestamp: not null })
        {
            return new JobFailure(JobFailureKind.Deleted, $"Somebody deleted the Job {picture.Name}.", "it is gone, and its pod with it", $"ask who works in namespace {picture.Namespace}; then repeat the command");
        }

        if (picture.Failed is { Reason: "DeadlineExceeded" })
        {
            var seconds = picture.Job.Spec.ActiveDeadlineSeconds ?? 0;
            return new JobFailure(JobFailureKind.Deadline, $"The Job {picture.Name} was ended by its deadline.", $"it ran longer than {TimeSpan.FromSeconds(seconds)} (activeDeadlineSeconds), and Kubernetes ended its pod", "allow more with --migration-deadline; what was committed stays, and the next run goes on from there");
        }

        var disruption = picture.Condition("DisruptionTarget") is { Status: "True" } target ? target : null;
        if (pod?.Reason is "NodeLost" || pod?.Phase == "Unknown" || disruption?.Reason == "DeletionByTaintManager")
        {
            return new JobFailure(JobFailureKind.NodeLost, $"The node {picture.Pod!.Spec.NodeName} of the Job {picture.Name} does not answer any more.", pod?.Message ?? disruption?.Message ?? "the migration may still be running there", $"{picture.Kubectl.ClusterLine($"get node {picture.Pod.Spec.NodeName}")}; wait until the migration's sessions are gone (./build.sh Status), then repeat the command");
        }

        if (picture.Terminated is { ExitCode: 0 })
        {
            // It was done before it was disturbed.
            return null;
        }

        if (pod?.Reason is "Evicted" or "Preempting" or "Preempted" or "Shutdown" or "NodeShutdown" or "Terminated")
        {
            return Evicted(picture, $"{pod.Reason}: {pod.Message}");
        }

        if (disruption is not null)
        {
            return Evicted(picture, $"{disruption.Reason}: {disruption.Message}");
        }

        if (picture.Pod?.Metadata.DeletionTimestamp is not null || (picture.Pod is null && picture.HadPod))
        {
            var reported = picture.PodEvents.LastOrDefault(one => one.Reason is "Preempted" or "Evicted" or "TaintManagerEviction" or "NodeControllerEviction");
            return Evicted(picture, reported is null ? "somebody deleted or evicted its pod (a drained node, an autoscaler, a person)" : $"{reported.Reason}: {reported.Message}");
        }

        return null;
    }

    private static JobFailure Evicted(JobPicture picture, string why) =>
        new(JobFailureKind.Evicted, $"The pod of the Job {picture.Name} was evicted.", why, $"{picture.Kubectl.Line("get events")}   tells who did it; then repeat the command, which goes on from where the database stands");

    private static JobFailure? OfEnd(JobPicture picture)
    {
        foreach (var before in picture.Before.Where(status => status.State?.Terminated is { ExitCode: not 0 }))
        {
            var end = before.State.Terminated;
            return new JobFailure(JobFailureKind.Crash, $"The container {before.Name}, which runs before the migration, failed.", $"exit code {end.ExitCode} ({end.Reason}) {end.Message}".Trim(), picture.Kubectl.Line($"logs {picture.Pod!.Metadata.Name} -c {before.Name}"));
        }

        if (picture.Terminated is not { } terminated || terminated.ExitCode == 0)
        {
            return null;
        }

        if (terminated.Reason == "OOMKilled")
        {
            var limits = picture.Pod!.Spec.Containers.First(container => container.Name == picture.Container).Resources?.Limits;
            var limit = limits?.TryGetValue("memory", out var quantity) == true ? $"its limit is {quantity.CanonicalizeString()}" : "it has no limit: the node ran out of memory";
            return new JobFailure(JobFailureKind.OutOfMemory, $"The container of the Job {picture.Name} was killed: out of memory.", $"{limit} (OOMKilled, exit code {terminated.ExitCode})", "give it more with --migration-memory, such as 1Gi; then repeat the command");
        }

        if (terminated.Reason is "ContainerCannotRun" or "StartError" || terminated.ExitCode is 126 or 127)
        {
            return Command(picture, $"{terminated.Message ?? "the shell found no such program"} (exit code {terminated.ExitCode})");
        }

        return terminated.ExitCode > FirstSignal
            ? new JobFailure(JobFailureKind.Crash, $"Alembic did not end by itself in the Job {picture.Name}.", $"exit code {terminated.ExitCode}: signal {terminated.ExitCode - FirstSignal} ended it", $"{picture.Kubectl.Line($"describe pod {picture.Pod!.Metadata.Name}")}   tells what happened to it; then repeat the command")
            : null;
    }

    private static JobFailure? OfStart(JobPicture picture)
    {
        foreach (var status in picture.Before.Append(picture.Status))
        {
            if (status?.State?.Waiting is { Reason: { } reason } waiting && Waiting(picture, status, reason, waiting.Message ?? "") is { } failure)
            {
                return failure;
            }
        }

        var unmounted = picture.HasStarted ? null : picture.PodEvents.LastOrDefault(one => one.Reason == "FailedMount" && one.Message.Contains("not found", StringComparison.Ordinal));
        return unmounted is null ? null : Configuration(picture, unmounted.Message);
    }

    private static JobFailure? Waiting(JobPicture picture, V1ContainerStatus status, string reason, string message) => reason switch
    {
        "ErrImagePull" or "ImagePullBackOff" or "InvalidImageName" or "ErrImageNeverPull" or "ImageInspectError" or "RegistryUnavailable" or "SignatureValidationFailed" => new JobFailure(
            JobFailureKind.ImagePull,
            $"The image {status.Image} cannot be pulled.",
            $"{reason}: {message}",
            "check the image's name and tag (--migration-image), that it was pushed, and the pod's imagePullSecrets"),
        _ when IsPassing(message) => null,
        "CreateContainerConfigError" => Configuration(picture, message),
        "RunContainerError" or "CreateContainerError" => Command(picture, $"{reason}: {message}"),
        _ => null,
    };

    /// <summary>What a busy node says, and tries again by itself.</summary>
    private static bool IsPassing(string message) =>
        (message.StartsWith("failed to sync ", StringComparison.Ordinal) && message.Contains(" cache: timed out", StringComparison.Ordinal)) || message.EndsWith("context deadline exceeded", StringComparison.Ordinal);

    private static JobFailure Configuration(JobPicture picture, string message) => new(
        JobFailureKind.Configuration,
        $"The container of the Job {picture.Name} cannot be made: what it takes its settings from is not there.",
        message,
        $"{picture.Kubectl.Line("get secrets,configmaps")}   lists what is there; make it, or name another with --migration-secret");

    private static JobFailure Command(JobPicture picture, string why) => new(
        JobFailureKind.Command,
        $"The command of the Job {picture.Name} cannot be run in its image.",
        why,
        "the image has to hold Python with Alembic, and the job file's command has to name it as the image knows it");

    private static JobFailure? OfJob(JobPicture picture)
    {
        if (picture.Pod is null && picture.JobEvents.LastOrDefault(one => one.Reason == "FailedCreate") is { } refused)
        {
            return OfRefusedPod(picture, refused.Message);
        }

        return picture is { Failed: { } failed, Terminated: null } && picture.HasEnded
            ? new JobFailure(JobFailureKind.Evicted, $"The Job {picture.Name} failed, and its container did not say how it ended.", $"{failed.Reason}: {failed.Message}", picture.Kubectl.Line($"describe job {picture.Name}"))
            : null;
    }

    private static JobFailure OfRefusedPod(JobPicture picture, string message)
    {
        if (message.Contains("exceeded quota", StringComparison.Ordinal) || message.Contains("failed quota", StringComparison.Ordinal))
        {
            return new JobFailure(JobFailureKind.Quota, $"A quota of namespace {picture.Namespace} leaves no room for the pod of the Job {picture.Name}.", message, $"{picture.Kubectl.Line("describe quota")}   shows it; free some of it, or set what it asks for with --migration-cpu and --migration-memory");
        }

        if (message.Contains("service account", StringComparison.Ordinal) || message.Contains("serviceaccount", StringComparison.Ordinal))
        {
            return new JobFailure(JobFailureKind.ServiceAccount, $"The service account of the Job {picture.Name} is not there.", message, $"{picture.Kubectl.Line("get serviceaccounts")}   lists them; name one with --migration-service-account");
        }

        return new JobFailure(JobFailureKind.PodDenied, $"The cluster lets the Job {picture.Name} make no pod.", message, "change the job file as the message wants it, or ask the cluster's administrator");
    }
}
