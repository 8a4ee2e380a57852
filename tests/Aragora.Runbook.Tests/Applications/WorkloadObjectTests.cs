using System.Text.Json.Nodes;
using Aragora.Runbook.Applications.Workloads;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

public sealed class WorkloadObjectTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 22, 19, 4, 55, TimeSpan.Zero);

    [Fact]
    public void A_stop_is_one_patch_with_the_note_and_the_version_that_was_read() =>
        Of("""{"metadata": {"resourceVersion": "7"}, "spec": {"replicas": 3}}""").StopPatch(3, "run-1", At).ToJsonString().ShouldBe(
            """{"metadata":{"resourceVersion":"7","annotations":{"aragora.build/replicas":"3","aragora.build/stopped-by":"run-1","aragora.build/stopped-at":"2026-11-22T19:04:55Z"}},"spec":{"replicas":0}}""");

    [Fact]
    public void A_start_is_one_patch_that_takes_the_note_away()
    {
        const string Noted = """{"metadata": {"resourceVersion": "8", "annotations": {"mine": "x", "aragora.build/replicas": "3", "aragora.build/stopped-by": "run-1", "aragora.build/stopped-at": "2026-11-22T19:04:55Z"}}, "spec": {"replicas": 0}}""";

        Of(Noted).StartPatch(3).ToJsonString().ShouldBe("""{"metadata":{"resourceVersion":"8","annotations":{"aragora.build/replicas":null,"aragora.build/stopped-by":null,"aragora.build/stopped-at":null}},"spec":{"replicas":3}}""");
        Of(Noted).StopPatch(0, "run-2", At)["metadata"]!["annotations"]!["aragora.build/replicas"]!.GetValue<string>().ShouldBe("3", "never 0 over 3");
        Of(Noted.Replace("\"replicas\": 0", "\"replicas\": 5", StringComparison.Ordinal)).StartPatch(3)["spec"].ShouldBeNull("somebody scaled it meanwhile");
    }

    [Fact]
    public void A_selector_is_written_as_the_api_takes_it() =>
        Of("""{"spec": {"selector": {"matchLabels": {"app": "api"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}, {"key": "new", "operator": "Exists"}]}}}""").Selector.ShouldBe("app=api,tier in (a,b),!old,new");

    [Theory]
    [InlineData("\"observedGeneration\": 1", false, 0)]
    [InlineData("\"observedGeneration\": 2, \"replicas\": 2, \"updatedReplicas\": 2, \"availableReplicas\": 1", false, 1)]
    [InlineData("\"observedGeneration\": 2, \"replicas\": 3, \"updatedReplicas\": 2, \"availableReplicas\": 2", false, 2)]
    [InlineData("\"observedGeneration\": 2, \"replicas\": 2, \"updatedReplicas\": 1, \"availableReplicas\": 2", false, 2)]
    [InlineData("\"observedGeneration\": 2, \"replicas\": 2, \"updatedReplicas\": 2, \"availableReplicas\": 2", true, 2)]
    public void A_rollout_is_done_when_every_replica_is_new_and_available(string status, bool isDone, int ready)
    {
        var rollout = Of($$"""{"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": { {{status}} } }""").Rollout("a pod's trouble");

        (rollout.IsDone, rollout.Ready, rollout.Wanted, rollout.IsHopeless).ShouldBe((isDone, ready, 2, false));
        rollout.Trouble.ShouldBe(isDone ? null : "a pod's trouble");
    }

    [Fact]
    public void A_rollout_past_its_progress_deadline_is_hopeless() =>
        Of("""{"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {"observedGeneration": 2, "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "it has timed out"}]}}""").Rollout(null)
            .ShouldSatisfyAllConditions(rollout => rollout.IsHopeless.ShouldBeTrue(), rollout => rollout.Trouble.ShouldBe("it has timed out"));

    [Fact]
    public void Who_scaled_it_last_is_told_by_the_managed_fields()
    {
        static string Fields(string manager, string time, string field = "f:replicas") => $$$"""{"manager": "{{{manager}}}", "time": "{{{time}}}", "fieldsV1": {"f:spec": {"{{{field}}}": {} } } }""";

        Of($$"""{"metadata": {"managedFields": [{{Fields("aragora-build", "2026-11-22T19:09:00Z")}}, {{Fields("kubectl", "2026-11-22T19:01:00Z")}}, {{Fields("argocd-controller", "2026-11-22T19:05:00Z")}}, {{Fields("other", "2026-11-22T19:08:00Z", "f:template")}}]} }""").LastScaledBy().ShouldBe("Argo CD (argocd-controller)");
        Of("{}").LastScaledBy().ShouldBeNull();
    }

    private static WorkloadObject Of(string json) => new((JsonObject)JsonNode.Parse(json)!);
}
