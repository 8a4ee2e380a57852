using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

public sealed class SnapshotStepTests(RealServer server, MotoServer moto) : IClassFixture<MotoServer>
{
    [Fact]
    public async Task A_snapshot_is_made_tagged_awaited_and_recorded()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        var facts = await scenario.SnapshotAsync();
        facts.Snapshot.ShouldBe($"aragora-{scenario.Instance}-{scenario.Run.RunId}");
        var there = (await moto.Api().FindSnapshotAsync(Adapters.Rds.SnapshotKind.Instance, facts.Snapshot, CancellationToken.None)).ShouldNotBeNull();
        there.IsAvailable.ShouldBeTrue();
        there.Tags.Where(tag => tag.Key != SnapshotTags.ExpiresAt && tag.Key != SnapshotTags.RevisionStamp).ToDictionary(tag => tag.Key, tag => tag.Value).ShouldBe(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["aragora:run-id"] = scenario.Run.RunId,
                ["aragora:environment"] = "production",
                ["aragora:source"] = scenario.Instance,
                ["aragora:revision"] = "r1000",
                ["aragora:tree-hash"] = "tree",
                ["aragora:dump"] = SnapshotTags.Value(scenario.Dump.Name),
            },
            ignoreOrder: true);
        (SnapshotTags.Expiry(there)!.Value - TimeProvider.System.GetUtcNow()).TotalDays.ShouldBe(30, 0.01);
        var evidence = scenario.Run.Evidence.ReadAll().Accepted.ShouldHaveSingleItem();
        evidence.Kind.ShouldBe(EvidenceKinds.Snapshot);
        evidence.FactsAs<SnapshotFacts>().ShouldBe(facts);
        scenario.Log.ShouldNotContain(line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_snapshot_that_a_killed_run_began_is_waited_for_and_no_second_one_made()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        var looks = 0;
        using var killed = new CancellationTokenSource();
        await using (var slow = new FakeBetween(moto.Url, async request =>
        {
            var answer = await request.PassAsync();
            if (request.Action == "DescribeDBSnapshots" && request["DBSnapshotIdentifier"] is not null && ++looks == 3)
            {
                await killed.CancelAsync();
            }

            return Creating(request, answer, 10 * looks);
        }))
        {
            await Should.ThrowAsync<OperationCanceledException>(() => scenario.SnapshotAsync(moto.Api(slow.Url), anew: true, cancellation: killed.Token));
        }

        var after = 0;
        await using var still = new FakeBetween(moto.Url, async request =>
        {
            var answer = await request.PassAsync();
            return request["DBSnapshotIdentifier"] is not null && ++after > 2 ? answer : Creating(request, answer, 50 + after);
        });
        var second = scenario.NewRun();
        var facts = await scenario.SnapshotAsync(moto.Api(still.Url), anew: true, run: second);
        facts.WasFound.ShouldBeTrue();
        facts.Snapshot.ShouldEndWith(scenario.Run.RunId);
        still.Asked.ShouldNotContain(request => request.Action == "CreateDBSnapshot");
        scenario.Log.ShouldContain(line => line.Contains("creating, 51 %", StringComparison.Ordinal));
        (await moto.Api().ListSnapshotsAsync(Adapters.Rds.SnapshotKind.Instance, scenario.Instance, CancellationToken.None)).Count(snapshot => snapshot.Type == "manual").ShouldBe(1);
    }

    [Fact]
    public async Task A_whole_snapshot_since_the_last_migration_counts_unless_a_new_one_is_wanted()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        var first = await scenario.SnapshotAsync();
        (await scenario.SnapshotAsync(run: scenario.NewRun())).Snapshot.ShouldBe(first.Snapshot);
        (await scenario.SnapshotAsync(anew: true, run: scenario.NewRun())).Snapshot.ShouldNotBe(first.Snapshot);
        await scenario.SqlAsync("UPDATE alembic_version SET version_num = 'r2000'; UPDATE alembic_version SET version_num = 'r1000'");
        (await scenario.SnapshotAsync(run: scenario.NewRun())).WasFound.ShouldBeFalse();
    }

    [Fact]
    public async Task A_snapshot_that_does_not_come_in_time_is_left_to_the_next_run()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        await using var slow = new FakeBetween(moto.Url, async request => Creating(request, await request.PassAsync(), 7));
        var failure = await Should.ThrowAsync<FailedCleanException>(() => scenario.SnapshotAsync(moto.Api(slow.Url), options: scenario.Options() with { Deadline = TimeSpan.FromMilliseconds(300) }));
        failure.Why.ShouldBe("it is creating, 7 %; RDS goes on with it");
        failure.Next.ShouldContain("--snapshot-deadline");
    }

    [Fact]
    public async Task A_snapshot_that_failed_or_is_of_something_else_is_not_believed()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        await using var failing = new FakeBetween(moto.Url, async request => request.Action == "DescribeDBSnapshots" && request["DBSnapshotIdentifier"] is not null ? (await request.PassAsync()).With("<Status>available", "<Status>failed") : await request.PassAsync());
        (await Should.ThrowAsync<FailedCleanException>(() => scenario.SnapshotAsync(moto.Api(failing.Url)))).Why.ShouldBe("RDS says that it is failed");
        await using var other = new FakeBetween(moto.Url, async request => request.Action == "DescribeDBSnapshots" && request["DBSnapshotIdentifier"] is not null ? (await request.PassAsync()).With("<AllocatedStorage>50", "<AllocatedStorage>20").With("<Encrypted>false", "<Encrypted>true") : await request.PassAsync());
        (await Should.ThrowAsync<FailedCleanException>(() => scenario.SnapshotAsync(moto.Api(other.Url), anew: true, run: scenario.NewRun()))).Why.ShouldBe("encrypted: True instead of False; storage (GiB): 20 instead of 50");
    }

    [Fact]
    public async Task A_migration_meanwhile_makes_the_snapshot_tell_no_revision()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        await using var busy = new FakeBetween(moto.Url, async request =>
        {
            if (request.Action == "CreateDBSnapshot")
            {
                await scenario.SqlAsync("UPDATE alembic_version SET version_num = 'r2000'");
            }

            return await request.PassAsync();
        });
        var failure = await Should.ThrowAsync<FailedCleanException>(() => scenario.SnapshotAsync(moto.Api(busy.Url)));
        failure.What.ShouldBe("The database was migrated while it was snapshotted.");
        (await moto.Api().FindSnapshotAsync(Adapters.Rds.SnapshotKind.Instance, RdsNames.Snapshot(scenario.Instance, scenario.Run.RunId), CancellationToken.None))!.Tags[SnapshotTags.Revision].ShouldBe("unknown");
    }

    [Fact]
    public async Task A_url_that_names_another_host_is_a_warning_with_both_names()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        var proxied = scenario.Environment with { Database = scenario.Environment.Database with { Host = "127.0.0.9", Port = 6432 } };
        var now = await Runbook.Environments.DatabaseInspector.ReadAsync(scenario.Real, CancellationToken.None);
        await new SnapshotStep(scenario.Run, moto.Api(), scenario.Options() with { Reach = (_, _) => (scenario.Real.Database.Host, scenario.Real.Database.Port) }).RunAsync(proxied, now, null, null, false, CancellationToken.None);
        scenario.Log.ShouldContain(line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains($"the database URL names 127.0.0.9:6432, and {scenario.Instance} is at {MotoServer.AddressOf(scenario.Instance)}:5433", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_instance_of_aurora_has_its_cluster_snapshotted()
    {
        var cluster = $"cl-{Guid.NewGuid():N}"[..16];
        await moto.AskAsync("rds", "CreateDBCluster", ("DBClusterIdentifier", cluster), ("Engine", "aurora-postgresql"), ("MasterUsername", "root"), ("MasterUserPassword", "a-password"));
        var scenario = await RdsScenario.NewAsync(server, moto);
        var member = await moto.NewInstanceAsync("aurora-postgresql", ("DBClusterIdentifier", cluster));
        var facts = await scenario.SnapshotAsync(options: scenario.Options() with { InstanceIdentifier = member });
        facts.Source.ShouldBe(cluster);
        var found = (await moto.Api().FindSnapshotAsync(Adapters.Rds.SnapshotKind.Cluster, facts.Snapshot, CancellationToken.None)).ShouldNotBeNull();
        found.Tags[SnapshotTags.Source].ShouldBe(cluster);
        var refused = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(snapshot: facts.Snapshot) with { InstanceIdentifier = member }));
        refused.What.ShouldBe($"A rollback by snapshot does not restore Aurora yet, and production is the Aurora cluster {cluster}.");
    }

    [Fact]
    public async Task Another_engine_and_an_instance_that_is_not_there_are_named()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        var mysql = await moto.NewInstanceAsync("mysql");
        (await Should.ThrowAsync<RefusedException>(() => scenario.SnapshotAsync(options: scenario.Options() with { InstanceIdentifier = mysql }))).Message.ShouldContain($"{mysql} is no PostgreSQL.");
        (await Should.ThrowAsync<BadInputException>(() => scenario.SnapshotAsync(options: scenario.Options() with { InstanceIdentifier = "nobody" }))).What.ShouldBe("There is no instance nobody.");
    }

    /// <summary>RDS says "creating" for as long as the test wants; moto never does.</summary>
    private static FakeAnswer Creating(FakeRequest request, FakeAnswer answer, int percent) =>
        request.Action is "DescribeDBSnapshots" or "CreateDBSnapshot" ? answer.With("<SnapshotType>manual</SnapshotType>", $"<SnapshotType>manual</SnapshotType><PercentProgress>{percent}</PercentProgress>").With("<Status>available", "<Status>creating") : answer;
}
