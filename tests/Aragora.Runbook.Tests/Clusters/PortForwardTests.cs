using System.Diagnostics.CodeAnalysis;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Backups;
using Aragora.Runbook.Tests.Migrations;
using Aragora.Runbook.Tests.Migrations.Kubernetes;
using k8s;
using k8s.Models;
using Serilog.Core;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Clusters;

/// <summary>A PostgreSQL that only the cluster reaches: a pod behind a service.</summary>
public sealed class PortForwardTests(TestCluster cluster, RealServer server, ImageBuilder images) : IClassFixture<TestCluster>
{
    private const string Password = "pw-of-the-pod";
    private const string WhoAnswers = "SELECT system_identifier::text FROM pg_control_system()";
    private static readonly DatabaseEnvironment InCluster = new() { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse($"postgresql://postgres:{Password}@postgres.aragora.svc/postgres?sslmode=disable", "test") };

    [Fact]
    public async Task A_database_that_only_the_cluster_reaches_is_migrated_and_backed_up_through_a_port_forward()
    {
        await MakePodAsync("postgres-0", "one");
        await MakeServiceAsync("one");
        await using var forward = Forward("service/postgres:5432");
        var environment = Through(forward);
        await AnswersAsync(environment);

        // Revision reading, lock and backup by the forward; the pod reaches the database by its own address.
        var tree = await TestTree.NewAsync(server);
        tree.AddTables(2);
        var address = (await cluster.Cluster.Client.CoreV1.ReadNamespacedPodAsync("postgres-0", cluster.Namespace)).Status.PodIP;
        await cluster.MakeSecretAsync("in-cluster", new Dictionary<string, string>(StringComparer.Ordinal) { ["DATABASE_URL"] = (InCluster.Database with { Host = address }).ToSecretUrl() });
        var scenario = new ClusterScenario(cluster, tree, environment, await images.BuildAsync(tree.Folder), "in-cluster");
        var result = await scenario.MigrateAsync();

        result.After.Revisions.ShouldBe(["r2000"]);
        result.After.Identity.Endpoint.ShouldBe(forward.Endpoint);

        await RealServer.SqlAsync(environment, "CREATE TABLE much AS SELECT i, repeat(md5(i::text), 20) AS text FROM generate_series(1, 100000) i");
        var run = RealServer.NewRun();
        var backup = await BackupScenario.BackUpAsync(run, environment);
        backup.Backup.Manifest.Database.Endpoint.ShouldBe(forward.Endpoint);
        backup.Backup.Manifest.Revisions.ShouldBe(["r2000"]);
    }

    [Fact]
    public async Task Where_a_pod_dies_the_next_connection_goes_to_another_pod_of_the_service()
    {
        await MakePodAsync("two-0", "two");
        await MakePodAsync("two-1", "two");
        await MakeServiceAsync("two");
        await using var forward = Forward("service/two:5432");
        var environment = Through(forward);
        await AnswersAsync(environment);
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        var first = await session.ScalarAsync<string>(WhoAnswers, CancellationToken.None);
        await using var other = Forward("pod/two-0:5432");
        await AnswersAsync(Through(other));
        await using var another = Forward("pod/two-1:5432");
        await AnswersAsync(Through(another));

        await cluster.Cluster.Client.CoreV1.DeleteNamespacedPodAsync(await WhoAsync(Through(other)) == first ? "two-0" : "two-1", cluster.Namespace, gracePeriodSeconds: 0);
        await TestCluster.UntilAsync("another pod answers", async () => await WhoAsync(environment) is { } now && now != first);

        await TestCluster.UntilAsync("the first pod's connection breaks", async () => await Record.ExceptionAsync(() => session.ScalarAsync<int>("SELECT 1", CancellationToken.None)) is not null);
    }

    [Theory]
    [InlineData("service/nowhere:5432", "services \"nowhere\"")]
    [InlineData("pod/nowhere:5432", "pods/portforward \"nowhere\"")]
    public async Task What_is_not_there_is_told_by_whoever_connects(string target, string what)
    {
        await using var forward = Forward(target);

        var failure = await Should.ThrowAsync<BadInputException>(async () => await PostgresSession.OpenAsync(Through(forward), "aragora-tests"));

        failure.What.ShouldContain($"at {forward.Endpoint}");
        failure.Why.ShouldContain(what);
    }

    [Fact]
    public async Task A_port_on_which_nothing_listens_is_told_in_the_far_ends_words()
    {
        await MakePodAsync("three-0", "three");
        await using var forward = Forward("pod/three-0:5999");
        await TestCluster.UntilAsync("the pod runs", async () => (await cluster.Cluster.Client.CoreV1.ReadNamespacedPodAsync("three-0", cluster.Namespace)).Status.Phase == "Running");

        var failure = await Should.ThrowAsync<BadInputException>(async () => await PostgresSession.OpenAsync(Through(forward), "aragora-tests"));

        failure.Why.ShouldContain("The port-forward to pod three-0 failed.");
        failure.Why.ShouldContain("onnection refused");
    }

    [Theory]
    [InlineData("pod/a:5432", "pod/a:5432")]
    [InlineData("svc/db.primary:1", "service/db.primary:1")]
    [InlineData("service/a", null)]
    [InlineData("deployment/a:5432", null)]
    [InlineData("pod/a:65536", null)]
    public void A_target_is_read_or_refused(string text, string? read)
    {
        if (read is null)
        {
            Should.Throw<FormatException>(() => PortForwardTarget.Parse(text));
        }
        else
        {
            PortForwardTarget.Parse(text).ToString().ShouldBe(read);
        }
    }

    [Fact]
    public void A_certificate_that_would_be_compared_with_the_near_end_is_refused()
    {
        var strict = InCluster with { Database = PostgresUrl.Parse("postgresql://u:pw1@db.internal/d?sslmode=verify-full", "test") };

        var refusal = Should.Throw<BadInputException>(() => PortForwardRoute.RequirePossible(strict));

        refusal.What.ShouldBe("sslmode=verify-full in PRODUCTION_DATABASE_URL does not go with --production-port-forward.");
        refusal.Next.ShouldContain("verify-ca");
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The forward ends with its test; the cluster is the fixture's.")]
    private PortForward Forward(string target)
    {
        _ = cluster.Cluster;
        return PortForward.Listen(() => cluster.Cluster, PortForwardTarget.Parse(target), $"namespace {cluster.Namespace}", Logger.None);
    }

    private static DatabaseEnvironment Through(PortForward forward) => InCluster with { Database = InCluster.Database with { Host = "127.0.0.1", Port = forward.Port }, Route = forward };

    private static async Task AnswersAsync(DatabaseEnvironment environment) => await TestCluster.UntilAsync("the pod's database answers", async () => await WhoAsync(environment) is not null);

    private static async Task<string?> WhoAsync(DatabaseEnvironment environment)
    {
        try
        {
            await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
            return await session.ScalarAsync<string>(WhoAnswers, CancellationToken.None);
        }
        catch (BadInputException)
        {
            // Not yet.
            return null;
        }
    }

    private async Task MakePodAsync(string name, string app) => await cluster.Cluster.Client.CoreV1.CreateNamespacedPodAsync(
        new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["app"] = app } },
            Spec = new V1PodSpec
            {
                TerminationGracePeriodSeconds = 0,
                AutomountServiceAccountToken = false,
                Containers =
                [
                    new V1Container
                    {
                        Name = "postgres", Image = "postgres:15", ImagePullPolicy = "IfNotPresent", Args = ["-c", "fsync=off"],
                        Env = [new V1EnvVar { Name = "POSTGRES_PASSWORD", Value = Password }],
                        Ports = [new V1ContainerPort { Name = "sql", ContainerPort = 5432 }],
                    },
                ],
            },
        },
        cluster.Namespace);

    private async Task MakeServiceAsync(string app) => await cluster.Cluster.Client.CoreV1.CreateNamespacedServiceAsync(
        new V1Service
        {
            Metadata = new V1ObjectMeta { Name = app == "one" ? "postgres" : app },
            Spec = new V1ServiceSpec { Selector = new Dictionary<string, string>(StringComparer.Ordinal) { ["app"] = app }, Ports = [new V1ServicePort { Port = 5432, TargetPort = "sql" }] },
        },
        cluster.Namespace);
}
