using System.Globalization;
using Amazon.RDS;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>Each failure is told apart. Those that moto knows come from moto; it knows no throttling, no expired session, no broken key: those are faked in RDS's own words.</summary>
public sealed class RdsFailuresTests(SmallMoto moto) : IClassFixture<SmallMoto>
{
    [Fact]
    public async Task What_moto_refuses_is_told_apart()
    {
        var name = await moto.NewInstanceAsync();
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        using var rds = moto.Api();
        await Told<BadInputException>(() => rds.CreateSnapshotAsync(SnapshotKind.Instance, "nobody", "s-0", tags, CancellationToken.None), "There is no instance nobody.", $"{moto.Url} ({MotoServer.Region})");
        await Told<BadInputException>(() => rds.CreateSnapshotAsync(SnapshotKind.Cluster, "nobody", "s-0", tags, CancellationToken.None), "There is no cluster nobody.", "");
        await rds.CreateSnapshotAsync(SnapshotKind.Instance, name, "s-1", tags, CancellationToken.None);
        await Told<RefusedException>(() => rds.CreateSnapshotAsync(SnapshotKind.Instance, name, "s-1", tags, CancellationToken.None), $"There is a snapshot of that name of {name} already.", "s-1");
        var snapshot = (await rds.FindSnapshotAsync(SnapshotKind.Instance, "s-1", CancellationToken.None))!;
        await Told<BadInputException>(() => rds.DeleteSnapshotAsync(snapshot with { Identifier = "s-none" }, CancellationToken.None), "There is no snapshot s-none.", "");
        var instance = (await rds.FindInstanceAsync(name, CancellationToken.None))!;
        await Told<RefusedException>(() => rds.RestoreAsync(snapshot, name, instance, tags, CancellationToken.None), $"There is an instance {name} already.", "");
        await Told<RefusedException>(() => rds.RestoreAsync(snapshot, "other", instance with { Settings = instance.Settings with { ParameterGroup = "no-such-group" } }, tags, CancellationToken.None), "RDS refused rds:RestoreDBInstanceFromDBSnapshot of other.", "DBParameterGroupNotFound");
        await Told<RefusedException>(() => rds.CreateSnapshotAsync(SnapshotKind.Instance, name, "-not-a-name", tags, CancellationToken.None), $"RDS refused rds:CreateDBSnapshot of {name}.", "InvalidParameterValue");
        (await rds.FindInstanceAsync("nobody", CancellationToken.None)).ShouldBeNull();
        (await rds.FindSnapshotAsync(SnapshotKind.Cluster, "nobody", CancellationToken.None)).ShouldBeNull();

        // The quota of this moto is five.
        var failure = await Should.ThrowAsync<RefusedException>(async () =>
        {
            for (var number = 0; number < 10; number++)
            {
                await rds.CreateSnapshotAsync(SnapshotKind.Instance, name, $"more-{number}", tags, CancellationToken.None);
            }
        });
        failure.What.ShouldBe("The account may have no more manual snapshots.");
        failure.Next.ShouldContain("./build.sh PruneSnapshots");
    }

    [Theory]
    [InlineData(403, "AccessDenied", "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: rds:CreateDBSnapshot on resource: arn:aws:rds:eu-central-1:123456789012:snapshot:s because no identity-based policy allows it", "3 AWS does not allow rds:CreateDBSnapshot on arn:aws:rds:eu-central-1:123456789012:snapshot:s.")]
    [InlineData(403, "AccessDenied", "User is not authorized", "3 AWS does not allow rds:DescribeDBInstances on prod.")]
    [InlineData(403, "ExpiredToken", "The security token included in the request is expired", "2 The AWS session has expired.")]
    [InlineData(403, "InvalidClientTokenId", "The security token included in the request is invalid.", "2 AWS does not accept the credentials.")]
    [InlineData(400, "Throttling", "Rate exceeded", "4 AWS slows this account down: rds:DescribeDBInstances of prod was refused five times.")]
    [InlineData(400, "InvalidDBInstanceState", "DB instance prod is not in available state.", "3 prod is not in a state for rds:DescribeDBInstances.")]
    [InlineData(400, "KMSKeyNotAccessibleFault", "The specified KMS key does not exist", "3 The key that encrypts prod cannot be used.")]
    [InlineData(400, "InstanceQuotaExceeded", "quota", "3 RDS has no place for prod.")]
    [InlineData(503, "ServiceUnavailable", "later", "4 RDS failed at rds:DescribeDBInstances of prod.")]
    public async Task What_moto_does_not_know_is_told_apart_as_rds_words_it(int status, string code, string message, string told)
    {
        await using var fake = new FakeBetween(null, _ => Task.FromResult(FakeBetween.Error(status, code, message)));
        using var rds = moto.Api(fake.Url);
        var failure = await Should.ThrowAsync<RunbookException>(() => rds.FindInstanceAsync("prod", CancellationToken.None));
        $"{failure.ExitCode.ToString(CultureInfo.InvariantCulture)} {failure.What}".ShouldBe(told);
        failure.Next.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Throttling_is_retried_by_the_sdk()
    {
        var asked = 0;
        await using var fake = new FakeBetween(moto.Url, request => ++asked < 4 ? Task.FromResult(FakeBetween.Error(400, "Throttling", "Rate exceeded")) : request.PassAsync());
        using var rds = moto.Api(fake.Url, retries: 5);
        (await rds.FindInstanceAsync("nobody", CancellationToken.None)).ShouldBeNull();
        asked.ShouldBe(4);
    }

    [Fact]
    public async Task An_endpoint_where_nobody_is_and_one_that_is_no_rds_are_told_apart()
    {
        using var nobody = moto.Api(new Uri($"http://127.0.0.1:{LoopbackPort.Free()}"));
        var unreachable = await Should.ThrowAsync<BadInputException>(() => nobody.FindInstanceAsync("prod", CancellationToken.None));
        unreachable.What.ShouldStartWith("RDS cannot be reached at http://127.0.0.1:");
        RdsFailures.IsPassing(unreachable).ShouldBeTrue();
        await using var page = new FakeBetween(null, _ => Task.FromResult(new FakeAnswer(404, "<html>not found</html>")));
        using var web = moto.Api(page.Url);
        (await Should.ThrowAsync<RunbookException>(() => web.FindInstanceAsync("prod", CancellationToken.None))).What.ShouldNotBeEmpty();
    }

    [Fact]
    public void Region_and_endpoint_come_from_where_the_sdk_and_the_cli_look()
    {
        var both = new Dictionary<string, string>(StringComparer.Ordinal) { ["AWS_DEFAULT_REGION"] = "eu-west-3" };
        var configuration = RdsApi.Configuration(both.GetValueOrDefault);
        configuration.RegionEndpoint.SystemName.ShouldBe("eu-west-3");
        configuration.AuthenticationRegion.ShouldBe("eu-west-3");
        (configuration.RetryMode, configuration.MaxErrorRetry).ShouldBe((Amazon.Runtime.RequestRetryMode.Standard, 5));
        both["AWS_REGION"] = "eu-west-1";
        RdsApi.Configuration(both.GetValueOrDefault).AuthenticationRegion.ShouldBeNull();
    }

    [Fact]
    public void Without_credentials_or_region_the_message_says_what_to_export()
    {
        var none = new Amazon.Runtime.AmazonClientException("Failed to resolve AWS credentials.");
        RdsFailures.Explain(none, "rds:DescribeDBInstances", "prod", "eu-central-1").ShouldBeOfType<BadInputException>().Next.ShouldContain("aws sso login");
        var loggedOut = new Amazon.Runtime.AmazonClientException("Failed to resolve AWS credentials. Exception 3 of 4: The profile [s] is an SSO profile.  This type of profile is not allowed here.");
        RdsFailures.Explain(loggedOut, "rds:DescribeDBInstances", "prod", "eu-central-1").Next.ShouldBe("aws sso login --profile <name>");
        Assert.SkipWhen(new AmazonRDSConfig().RegionEndpoint is not null, "this machine has a region of its own");
        Should.Throw<BadInputException>(() => RdsApi.Connect(new AmazonRDSConfig())).What.ShouldBe("No AWS region is set.");
    }

    private static async Task Told<T>(Func<Task> act, string what, string why)
        where T : RunbookException
    {
        var failure = await Should.ThrowAsync<T>(act);
        failure.What.ShouldBe(what);
        failure.Why.ShouldContain(why);
        failure.Next.ShouldNotBeEmpty();
    }
}

/// <summary>A moto with room for five snapshots.</summary>
public sealed class SmallMoto : MotoServer
{
    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(StringComparer.Ordinal) { ["MOTO_RDS_SNAPSHOT_LIMIT"] = "5" };
}
