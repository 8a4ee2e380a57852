using Aragora.Runbook.Tests.Clusters;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Kubernetes;

public sealed class KubernetesRunnerTests(TestCluster cluster, RealServer server, ClusterDatabase database, ImageBuilder images) : IClassFixture<TestCluster>
{
    [Fact]
    public async Task A_job_migrates_a_real_database_and_the_database_says_so()
    {
        var scenario = await ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.AddTables(3));

        var result = await scenario.MigrateAsync();

        result.Facts.Runner.ShouldBe("kubernetes");
        result.Facts.Applied.ShouldBe(["r1000", "r2000", "r3000"]);
        result.After.Revisions.ShouldBe(["r3000"]);
        var job = (await scenario.JobsAsync()).ShouldHaveSingleItem();
        job.Metadata.Annotations["aragora.build/run"].ShouldBe(scenario.Run.RunId);
        job.Metadata.Annotations["aragora.build/revision"].ShouldBe("r3000");
        job.Metadata.Annotations["aragora.build/tree"].ShouldBe((await scenario.Tree.ReadAsync()).Hash);
        job.Metadata.Name.ShouldBe($"aragora-migration-production-{scenario.Run.RunId}");
    }
}
