using Amazon.RDS.Model;
using Amazon.Runtime;
using Shouldly;
using Xunit;

namespace Amazon.RDS.Tests;

/// <summary>What each request is on the wire, and what becomes of an answer.</summary>
public sealed class QueryTests : IDisposable
{
    private const string Empty = "<R xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"/>";
    private readonly LoopbackService service = new();

    public void Dispose() => service.Dispose();

    [Fact]
    public async Task CreateDBSnapshot() => (await FormAsync(rds => rds.CreateDBSnapshotAsync(new CreateDBSnapshotRequest { DBInstanceIdentifier = "prod", DBSnapshotIdentifier = "s", Tags = [new Tag { Key = "a:b", Value = "c d" }, new Tag { Key = "e", Value = "" }] })))
        .ShouldBe("Action=CreateDBSnapshot&DBInstanceIdentifier=prod&DBSnapshotIdentifier=s&Tags.Tag.1.Key=a:b&Tags.Tag.1.Value=c d&Tags.Tag.2.Key=e&Tags.Tag.2.Value=&Version=2014-10-31");

    [Fact]
    public async Task DescribeDBSnapshots() => (await FormAsync(rds => rds.DescribeDBSnapshotsAsync(new DescribeDBSnapshotsRequest { DBInstanceIdentifier = "prod", SnapshotType = "manual", Marker = "m", MaxRecords = 20, Filters = [new Filter { Name = "engine", Values = ["postgres", "x"] }] })))
        .ShouldBe("Action=DescribeDBSnapshots&DBInstanceIdentifier=prod&Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=postgres&Filters.Filter.1.Values.Value.2=x&Marker=m&MaxRecords=20&SnapshotType=manual&Version=2014-10-31");

    [Fact]
    public async Task DeleteDBSnapshot() => (await FormAsync(rds => rds.DeleteDBSnapshotAsync(new DeleteDBSnapshotRequest { DBSnapshotIdentifier = "s" }))).ShouldBe("Action=DeleteDBSnapshot&DBSnapshotIdentifier=s&Version=2014-10-31");

    [Fact]
    public async Task CreateDBClusterSnapshot() => (await FormAsync(rds => rds.CreateDBClusterSnapshotAsync(new CreateDBClusterSnapshotRequest { DBClusterIdentifier = "c", DBClusterSnapshotIdentifier = "s", Tags = [new Tag { Key = "k", Value = "v" }] })))
        .ShouldBe("Action=CreateDBClusterSnapshot&DBClusterIdentifier=c&DBClusterSnapshotIdentifier=s&Tags.Tag.1.Key=k&Tags.Tag.1.Value=v&Version=2014-10-31");

    [Fact]
    public async Task DescribeDBClusterSnapshots() => (await FormAsync(rds => rds.DescribeDBClusterSnapshotsAsync(new DescribeDBClusterSnapshotsRequest { DBClusterSnapshotIdentifier = "s" }))).ShouldBe("Action=DescribeDBClusterSnapshots&DBClusterSnapshotIdentifier=s&Version=2014-10-31");

    [Fact]
    public async Task DeleteDBClusterSnapshot() => (await FormAsync(rds => rds.DeleteDBClusterSnapshotAsync(new DeleteDBClusterSnapshotRequest { DBClusterSnapshotIdentifier = "s" }))).ShouldBe("Action=DeleteDBClusterSnapshot&DBClusterSnapshotIdentifier=s&Version=2014-10-31");

    [Fact]
    public async Task DescribeDBInstances() => (await FormAsync(rds => rds.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = "prod" }))).ShouldBe("Action=DescribeDBInstances&DBInstanceIdentifier=prod&Version=2014-10-31");

    [Fact]
    public async Task DescribeDBClusters() => (await FormAsync(rds => rds.DescribeDBClustersAsync(new DescribeDBClustersRequest { DBClusterIdentifier = "c" }))).ShouldBe("Action=DescribeDBClusters&DBClusterIdentifier=c&Version=2014-10-31");

    [Fact]
    public async Task DescribeAccountAttributes() => (await FormAsync(rds => rds.DescribeAccountAttributesAsync(new DescribeAccountAttributesRequest()))).ShouldBe("Action=DescribeAccountAttributes&Version=2014-10-31");

    [Fact]
    public async Task AddTagsToResource() => (await FormAsync(rds => rds.AddTagsToResourceAsync(new AddTagsToResourceRequest { ResourceName = "arn:x", Tags = [new Tag { Key = "k", Value = "v" }] }))).ShouldBe("Action=AddTagsToResource&ResourceName=arn:x&Tags.Tag.1.Key=k&Tags.Tag.1.Value=v&Version=2014-10-31");

    [Fact]
    public async Task RestoreDBInstanceFromDBSnapshot() => (await FormAsync(rds => rds.RestoreDBInstanceFromDBSnapshotAsync(new RestoreDBInstanceFromDBSnapshotRequest
    {
        DBInstanceIdentifier = "new", DBSnapshotIdentifier = "s", AllocatedStorage = 100, AutoMinorVersionUpgrade = false, CACertificateIdentifier = "ca", CopyTagsToSnapshot = true, DBInstanceClass = "db.m6g.large", DBParameterGroupName = "p",
        DBSubnetGroupName = "n", DedicatedLogVolume = true, DeletionProtection = true, Domain = "d", DomainIAMRoleName = "r", EnableCloudwatchLogsExports = ["postgresql", "upgrade"], EnableIAMDatabaseAuthentication = true, Iops = 3000,
        MultiAZ = true, NetworkType = "IPV4", OptionGroupName = "o", Port = 5433, ProcessorFeatures = [new ProcessorFeature { Name = "coreCount", Value = "4" }], PubliclyAccessible = false, StorageThroughput = 500, StorageType = "gp3",
        Tags = [new Tag { Key = "k", Value = "v" }], VpcSecurityGroupIds = ["sg-1", "sg-2"],
    }))).ShouldBe(
        "Action=RestoreDBInstanceFromDBSnapshot&AllocatedStorage=100&AutoMinorVersionUpgrade=false&CACertificateIdentifier=ca&CopyTagsToSnapshot=true&DBInstanceClass=db.m6g.large&DBInstanceIdentifier=new&DBParameterGroupName=p"
        + "&DBSnapshotIdentifier=s&DBSubnetGroupName=n&DedicatedLogVolume=true&DeletionProtection=true&Domain=d&DomainIAMRoleName=r&EnableCloudwatchLogsExports.member.1=postgresql&EnableCloudwatchLogsExports.member.2=upgrade"
        + "&EnableIAMDatabaseAuthentication=true&Iops=3000&MultiAZ=true&NetworkType=IPV4&OptionGroupName=o&Port=5433&ProcessorFeatures.ProcessorFeature.1.Name=coreCount&ProcessorFeatures.ProcessorFeature.1.Value=4&PubliclyAccessible=false"
        + "&StorageThroughput=500&StorageType=gp3&Tags.Tag.1.Key=k&Tags.Tag.1.Value=v&Version=2014-10-31&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1&VpcSecurityGroupIds.VpcSecurityGroupId.2=sg-2");

    [Fact]
    public async Task ModifyDBInstance() => (await FormAsync(rds => rds.ModifyDBInstanceAsync(new ModifyDBInstanceRequest
    {
        DBInstanceIdentifier = "old", NewDBInstanceIdentifier = "new", ApplyImmediately = true, BackupRetentionPeriod = 7, DBPortNumber = 5433, EnablePerformanceInsights = true, MaxAllocatedStorage = 500, MonitoringInterval = 60, MonitoringRoleArn = "arn:r",
        PerformanceInsightsRetentionPeriod = 7, PreferredBackupWindow = "03:00-03:30", CloudwatchLogsExportConfiguration = new CloudwatchLogsExportConfiguration { EnableLogTypes = ["postgresql"], DisableLogTypes = ["upgrade"] }, VpcSecurityGroupIds = ["sg-1"],
    }))).ShouldBe(
        "Action=ModifyDBInstance&ApplyImmediately=true&BackupRetentionPeriod=7&CloudwatchLogsExportConfiguration.DisableLogTypes.member.1=upgrade&CloudwatchLogsExportConfiguration.EnableLogTypes.member.1=postgresql&DBInstanceIdentifier=old"
        + "&DBPortNumber=5433&EnablePerformanceInsights=true&MaxAllocatedStorage=500&MonitoringInterval=60&MonitoringRoleArn=arn:r&NewDBInstanceIdentifier=new&PerformanceInsightsRetentionPeriod=7&PreferredBackupWindow=03:00-03:30"
        + "&Version=2014-10-31&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1");

    [Fact]
    public async Task Requests_are_signed_for_their_region_and_service()
    {
        await FormAsync(rds => rds.DescribeDBInstancesAsync(new DescribeDBInstancesRequest()));
        service.Authorization.ShouldStartWith("AWS4-HMAC-SHA256 Credential=key/");
        service.Authorization.ShouldContain("/eu-central-1/rds/aws4_request");
    }

    [Fact]
    public async Task An_answer_is_read_with_null_for_what_it_does_not_say()
    {
        const string Answer = """
            <DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBInstancesResult><Marker>more</Marker><DBInstances><DBInstance>
            <DBInstanceIdentifier>prod</DBInstanceIdentifier><AllocatedStorage>100</AllocatedStorage><MultiAZ>true</MultiAZ><InstanceCreateTime>2026-11-25T10:00:00.5Z</InstanceCreateTime>
            <Endpoint><Address>prod.x</Address><Port>5432</Port></Endpoint><PendingModifiedValues><Port>5433</Port></PendingModifiedValues>
            <VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId></VpcSecurityGroupMembership></VpcSecurityGroups>
            <EnabledCloudwatchLogsExports><member>postgresql</member></EnabledCloudwatchLogsExports><TagList><Tag><Key>k</Key><Value>ä &amp; b</Value></Tag></TagList><DBParameterGroups/>
            </DBInstance></DBInstances></DescribeDBInstancesResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></DescribeDBInstancesResponse>
            """;
        var (_, response) = await service.CallAsync(rds => rds.DescribeDBInstancesAsync(new DescribeDBInstancesRequest()), Answer);
        (response.Marker, response.ResponseMetadata.RequestId).ShouldBe(("more", "r-1"));
        var instance = response.DBInstances.ShouldHaveSingleItem();
        (instance.AllocatedStorage, instance.MultiAZ, instance.Iops, instance.DeletionProtection).ShouldBe((100, true, null, null));
        instance.InstanceCreateTime!.Value.ToUniversalTime().ShouldBe(new DateTime(2026, 11, 25, 10, 0, 0, 500, DateTimeKind.Utc));
        (instance.Endpoint.Address, instance.Endpoint.Port, instance.PendingModifiedValues.Port).ShouldBe(("prod.x", 5432, 5433));
        instance.VpcSecurityGroups.ShouldHaveSingleItem().VpcSecurityGroupId.ShouldBe("sg-1");
        instance.EnabledCloudwatchLogsExports.ShouldBe(["postgresql"]);
        instance.TagList.ShouldHaveSingleItem().Value.ShouldBe("ä & b");
        (instance.DomainMemberships is null or { Count: 0 }).ShouldBeTrue();
    }

    [Fact]
    public async Task An_error_is_the_exception_of_its_code()
    {
        const string Answer = "<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error><Type>Sender</Type><Code>DBSnapshotNotFound</Code><Message>none</Message></Error><RequestId>r-2</RequestId></ErrorResponse>";
        var failure = await Should.ThrowAsync<DBSnapshotNotFoundException>(() => service.CallAsync(rds => rds.DescribeDBSnapshotsAsync(new DescribeDBSnapshotsRequest()), Answer, 404));
        (failure.ErrorCode, failure.Message, failure.RequestId, (int)failure.StatusCode, failure.ErrorType).ShouldBe(("DBSnapshotNotFound", "none", "r-2", 404, ErrorType.Sender));
        var denied = await Should.ThrowAsync<AmazonRDSException>(() => service.CallAsync(rds => rds.DescribeDBSnapshotsAsync(new DescribeDBSnapshotsRequest()), Answer.Replace("DBSnapshotNotFound", "AccessDenied", StringComparison.Ordinal), 403));
        denied.ErrorCode.ShouldBe("AccessDenied");
    }

    [Theory]
    [InlineData("eu-central-1", false, false, "https://rds.eu-central-1.amazonaws.com/")]
    [InlineData("cn-north-1", false, false, "https://rds.cn-north-1.amazonaws.com.cn/")]
    [InlineData("us-east-1", true, false, "https://rds-fips.us-east-1.amazonaws.com/")]
    [InlineData("us-gov-west-1", true, false, "https://rds.us-gov-west-1.amazonaws.com/")]
    [InlineData("eu-west-1", false, true, "https://rds.eu-west-1.api.aws/")]
    public void Endpoints_are_those_of_the_region_and_its_partition(string region, bool fips, bool dualStack, string url)
    {
        var config = new AmazonRDSConfig { RegionEndpoint = RegionEndpoint.GetBySystemName(region), UseFIPSEndpoint = fips, UseDualstackEndpoint = dualStack };
        config.DetermineServiceOperationEndpoint(new Runtime.Endpoints.ServiceOperationEndpointParameters(new DescribeDBInstancesRequest())).URL.TrimEnd('/').ShouldBe(url.TrimEnd('/'));
    }

    private async Task<string> FormAsync<TResponse>(Func<IAmazonRDS, Task<TResponse>> call) => (await service.CallAsync(call, Empty)).Form;
}
