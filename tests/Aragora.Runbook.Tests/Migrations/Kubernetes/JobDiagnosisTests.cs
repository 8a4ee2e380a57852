using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Migrations.Kubernetes;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Kubernetes;

/// <summary>What a cluster for tests cannot be made to say: lost nodes, preemption, other runtimes' words. Statuses as the API documents them.</summary>
public sealed class JobDiagnosisTests
{
    [Theory]
    [InlineData("DeletionByTaintManager", JobFailureKind.NodeLost)]
    [InlineData("PreemptionByScheduler", JobFailureKind.Evicted)]
    [InlineData("EvictionByEvictionAPI", JobFailureKind.Evicted)]
    [InlineData("TerminationByKubelet", JobFailureKind.Evicted)]
    internal void A_disruption_is_told_by_the_pods_own_condition(string reason, JobFailureKind kind) =>
        JobDiagnosis.Of(Picture(pod => pod.Status.Conditions = [new V1PodCondition { Type = "DisruptionTarget", Status = "True", Reason = reason, Message = "as it says" }]))!.Kind.ShouldBe(kind);

    [Theory]
    [InlineData("Evicted", "Failed", JobFailureKind.Evicted)]
    [InlineData("NodeShutdown", "Failed", JobFailureKind.Evicted)]
    [InlineData("NodeLost", "Running", JobFailureKind.NodeLost)]
    [InlineData(null, "Unknown", JobFailureKind.NodeLost)]
    internal void So_it_is_by_the_pods_reason_on_older_clusters(string? reason, string phase, JobFailureKind kind) =>
        JobDiagnosis.Of(Picture(pod => (pod.Status.Reason, pod.Status.Phase, pod.Status.Message) = (reason, phase, "The node was low on resource: memory")))!.Kind.ShouldBe(kind);

    [Fact]
    public void A_preemption_is_told_from_its_event_where_the_pod_is_gone()
    {
        var failure = JobDiagnosis.Of(Picture(_ => { }) with { Pod = null, HadPod = true, PodEvents = [new ObjectEvent("Preempted", "by other/important on node a")] })!;

        failure.Kind.ShouldBe(JobFailureKind.Evicted);
        failure.Why.ShouldBe("Preempted: by other/important on node a");
    }

    [Theory]
    [InlineData("StartError", 128, "exec: \"alembic\": executable file not found in $PATH", JobFailureKind.Command)]
    [InlineData("ContainerCannotRun", 127, "no such file", JobFailureKind.Command)]
    [InlineData("Error", 127, null, JobFailureKind.Command)]
    [InlineData("OOMKilled", 137, null, JobFailureKind.OutOfMemory)]
    [InlineData("Error", 139, null, JobFailureKind.Crash)]
    internal void The_end_of_a_container_is_told_by_reason_and_exit_code(string reason, int exitCode, string? message, JobFailureKind kind) =>
        JobDiagnosis.Of(Picture(pod => Ended(pod, reason, exitCode, message)))!.Kind.ShouldBe(kind);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void An_exit_of_alembic_itself_is_no_failure_of_the_job(int exitCode) =>
        JobDiagnosis.Of(Picture(pod => Ended(pod, exitCode == 0 ? "Completed" : "Error", exitCode, null))).ShouldBeNull();

    [Fact]
    public void A_pod_that_was_evicted_after_alembic_was_done_is_done() =>
        JobDiagnosis.Of(Picture(pod =>
        {
            Ended(pod, "Completed", 0, null);
            pod.Metadata.DeletionTimestamp = DateTime.UnixEpoch;
        })).ShouldBeNull();

    [Theory]
    [InlineData("pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false", JobFailureKind.PodDenied)]
    [InlineData("pods \"x\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1", JobFailureKind.Quota)]
    [InlineData("pods \"x\" is forbidden: failed quota: small: must specify limits.memory", JobFailureKind.Quota)]
    [InlineData("pods \"x\" is forbidden: error looking up service account a/b: serviceaccount \"b\" not found", JobFailureKind.ServiceAccount)]
    internal void Why_a_job_may_make_no_pod_is_told_from_its_event(string message, JobFailureKind kind) =>
        JobDiagnosis.Of(Picture(_ => { }) with { Pod = null, HadPod = false, JobEvents = [new ObjectEvent("FailedCreate", "Error creating: " + message)] })!.Kind.ShouldBe(kind);

    [Fact]
    public void A_secret_that_is_to_be_mounted_and_is_not_there_is_told_from_the_pods_event() =>
        JobDiagnosis.Of(Picture(pod => pod.Status.ContainerStatuses[0].State = new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "ContainerCreating" } }) with
        {
            PodEvents = [new ObjectEvent("FailedMount", "MountVolume.SetUp failed for volume \"certs\" : secret \"db-ca\" not found")],
        })!.Kind.ShouldBe(JobFailureKind.Configuration);

    [Theory]
    [InlineData("CreateContainerConfigError", "secret \"db\" not found", JobFailureKind.Configuration)]
    [InlineData("CreateContainerConfigError", "couldn't find key DATABASE_URL in Secret a/db", JobFailureKind.Configuration)]
    [InlineData("CreateContainerError", "failed to generate container spec: no command specified", JobFailureKind.Command)]
    [InlineData("CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition", null)]
    [InlineData("CreateContainerConfigError", "failed to sync configmap cache: timed out waiting for the condition", null)]
    [InlineData("CreateContainerError", "context deadline exceeded", null)]
    internal void What_a_busy_node_says_and_tries_again_is_no_failure(string reason, string message, JobFailureKind? kind) =>
        (JobDiagnosis.Of(Picture(pod => pod.Status.ContainerStatuses[0].State = new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = reason, Message = message } }))?.Kind).ShouldBe(kind);

    [Fact]
    public void A_container_that_runs_before_ours_and_fails_is_told_by_its_name()
    {
        var failure = JobDiagnosis.Of(Picture(pod =>
        {
            pod.Status.ContainerStatuses[0].State = new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "PodInitializing" } };
            pod.Status.InitContainerStatuses = [new V1ContainerStatus { Name = "wait-for-db", State = new V1ContainerState { Terminated = new V1ContainerStateTerminated { ExitCode = 2, Reason = "Error" } } }];
        }))!;

        failure.What.ShouldContain("wait-for-db");
    }

    [Theory]
    [InlineData("docker-pullable://registry/api@sha256:abc", "registry/api@sha256:abc")]
    [InlineData("registry/api@sha256:abc", "registry/api@sha256:abc")]
    [InlineData("docker://sha256:abc", null)]
    [InlineData("sha256:abc", null)]
    public void An_image_is_pinned_where_its_digest_can_be_pulled(string imageId, string? pullable) => ImageIds.Pullable(imageId).ShouldBe(pullable);

    [Theory]
    [InlineData("docker-pullable://a/x@sha256:abc", "b/y@sha256:abc", true)]
    [InlineData("a/x@sha256:abc", "a/x@sha256:abd", false)]
    [InlineData("docker://sha256:abc", "docker://sha256:abd", false)]
    [InlineData("docker://sha256:abc", "a/x@sha256:abd", true)]
    public void One_image_may_have_several_names_and_what_cannot_be_compared_is_no_difference(string one, string other, bool same) => ImageIds.Same(one, other).ShouldBe(same);

    private static void Ended(V1Pod pod, string reason, int exitCode, string? message) =>
        pod.Status.ContainerStatuses[0].State = new V1ContainerState { Terminated = new V1ContainerStateTerminated { Reason = reason, ExitCode = exitCode, Message = message } };

    private static JobPicture Picture(Action<V1Pod> change)
    {
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = "job-abcde", Uid = "p" },
            Spec = new V1PodSpec { NodeName = "node-a", Containers = [new V1Container { Name = "migrate" }] },
            Status = new V1PodStatus { Phase = "Running", ContainerStatuses = [new V1ContainerStatus { Name = "migrate", State = new V1ContainerState { Running = new V1ContainerStateRunning() } }] },
        };
        change(pod);
        return new JobPicture("job", new KubectlCommand(null, null, "aragora"), "migrate", new V1Job { Metadata = new V1ObjectMeta { Name = "job", Uid = "j" }, Spec = new V1JobSpec() }, pod) { HadPod = true };
    }
}
