using Aragora.Runbook.Flow;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

public sealed class RdsChecksTests(RealServer server, MotoServer moto) : IClassFixture<MotoServer>
{
    [Fact]
    public async Task An_instance_that_can_be_snapshotted_is_said_with_what_it_is()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        await scenario.SnapshotAsync();
        var findings = await AskAsync(scenario, moto.Url);
        findings[0].ShouldBeOfType<Finding.Ok>().Text.ShouldBe($"instance {scenario.Instance} (postgres 15.8, available)");
        findings[1].ShouldBeOfType<Finding.Ok>().Text.ShouldStartWith("1 snapshot of ours among 2; ");
    }

    [Theory]
    [InlineData(100, "REFUSED", "the account has 100 of 100 manual snapshots")]
    [InlineData(98, "WARNING", "the account has 98 of 100 manual snapshots")]
    [InlineData(7, "ok", "7 of 100 manual snapshots in the account")]
    public async Task The_quota_is_told_before_it_stops_anything(int used, string word, string text)
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        await using var fake = new FakeBetween(moto.Url, request => request.Action == "DescribeAccountAttributes"
            ? Task.FromResult(new FakeAnswer(200, $"<DescribeAccountAttributesResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><DescribeAccountAttributesResult><AccountQuotas><AccountQuota><AccountQuotaName>ManualSnapshots</AccountQuotaName><Used>{used}</Used><Max>100</Max></AccountQuota></AccountQuotas></DescribeAccountAttributesResult></DescribeAccountAttributesResponse>"))
            : request.PassAsync());
        var finding = (await AskAsync(scenario, fake.Url))[1];
        (finding.Word, finding.Text).ShouldBe((word, $"0 snapshots of ours among 1; {text}"));
    }

    [Fact]
    public async Task A_missing_permission_and_a_stopped_instance_are_refusals_that_name_it()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        await using var denied = new FakeBetween(moto.Url, request => request.Action == "DescribeDBSnapshots" ? Task.FromResult(FakeBetween.Error(403, "AccessDenied", "User: arn:aws:iam::1:user/ci is not authorized to perform: rds:DescribeDBSnapshots on resource: arn:aws:rds:eu-central-1:1:db:x")) : request.PassAsync());
        (await Should.ThrowAsync<RefusedException>(() => AskAsync(scenario, denied.Url))).What.ShouldBe("AWS does not allow rds:DescribeDBSnapshots on arn:aws:rds:eu-central-1:1:db:x.");
        await using var stopped = new FakeBetween(moto.Url, async request => (await request.PassAsync()).With("<DBInstanceStatus>available", "<DBInstanceStatus>stopped"));
        (await AskAsync(scenario, stopped.Url))[0].ShouldBeOfType<Finding.Refusal>();
    }

    [Fact]
    public async Task Without_an_instance_nothing_is_asked_and_pruning_wants_one()
    {
        var flow = new SnapshotFlow(RealServer.NewRun(), new Runbook.Backups.BackupOptions(), null, null!, null!, null!);
        flow.Checks.ShouldBeEmpty();
        (await flow.ShowAsync(CancellationToken.None)).ShouldBeNull();
        (await flow.BackupAsync(null!, null!, false, CancellationToken.None)).ShouldBeNull();
        (await Should.ThrowAsync<BadInputException>(() => flow.PruneAsync(CancellationToken.None))).Next.ShouldBe("--production-db-instance-identifier <instance>");
    }

    private async Task<IReadOnlyList<Finding>> AskAsync(RdsScenario scenario, Uri url)
    {
        using var rds = moto.Api(url);
        var findings = new List<Finding>();
        foreach (var check in new RdsChecks(() => rds, scenario.Options(), _ => Task.FromResult(scenario.Environment)).All)
        {
            findings.Add(await check.Run(CancellationToken.None));
        }

        return findings;
    }
}
