using System.Text.Json;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>The AWS CLI asks the same moto: both see the same.</summary>
public sealed class AwsCliTests(RealServer server, MotoServer moto) : IClassFixture<MotoServer>
{
    [Fact]
    public async Task Both_see_the_same_snapshots_and_instances()
    {
        Assert.SkipWhen(MotoServer.Program("aws") is null, "the AWS CLI is not on the PATH");
        var scenario = await RdsScenario.NewAsync(server, moto, ("Tags.Tag.1.Key", "team"), ("Tags.Tag.1.Value", "ä & b"), ("StorageType", "gp3"));
        var ours = await scenario.SnapshotAsync();
        await AwsAsync("create-db-snapshot", "--db-instance-identifier", scenario.Instance, "--db-snapshot-identifier", $"cli-{scenario.Instance}", "--tags", "Key=aragora:run-id,Value=x");

        var theirs = (await AwsAsync("describe-db-snapshots", "--db-instance-identifier", scenario.Instance)).GetProperty("DBSnapshots").EnumerateArray().Select(snapshot => Line(
            Text(snapshot, "DBSnapshotIdentifier"), Text(snapshot, "DBInstanceIdentifier"), Text(snapshot, "Status"), Text(snapshot, "Engine"), Text(snapshot, "EngineVersion"), Text(snapshot, "SnapshotType"), snapshot.GetProperty("AllocatedStorage").GetInt32(),
            snapshot.GetProperty("Encrypted").GetBoolean(), Text(snapshot, "DBSnapshotArn"), snapshot.GetProperty("SnapshotCreateTime").GetDateTimeOffset(), snapshot.GetProperty("TagList").EnumerateArray().Select(tag => (Text(tag, "Key"), Text(tag, "Value")))));
        var mine = (await moto.Api().ListSnapshotsAsync(SnapshotKind.Instance, scenario.Instance, CancellationToken.None)).Select(snapshot => Line(
            snapshot.Identifier, snapshot.SourceIdentifier, snapshot.Status, snapshot.Engine, snapshot.EngineVersion, snapshot.Type, snapshot.StorageGib, snapshot.IsEncrypted, snapshot.Arn, snapshot.TakenAt!.Value, snapshot.Tags.Select(tag => (tag.Key, tag.Value)))).ToList();
        mine.ShouldBe(theirs, ignoreOrder: true);
        mine.Count.ShouldBe(3);
        mine.ShouldContain(line => line.StartsWith(ours.Snapshot, StringComparison.Ordinal));

        var described = (await AwsAsync("describe-db-instances", "--db-instance-identifier", scenario.Instance)).GetProperty("DBInstances")[0];
        var instance = (await moto.Api().FindInstanceAsync(scenario.Instance, CancellationToken.None))!;
        (instance.Address, instance.Port, instance.Settings.Class, instance.Settings.StorageType, instance.Tags["team"]).ShouldBe(
            (Text(described.GetProperty("Endpoint"), "Address"), described.GetProperty("Endpoint").GetProperty("Port").GetInt32(), Text(described, "DBInstanceClass"), Text(described, "StorageType"), "ä & b"));

        // And what the product deletes, the CLI does not see any more.
        await moto.Api().DeleteSnapshotAsync((await moto.Api().FindSnapshotAsync(SnapshotKind.Instance, $"cli-{scenario.Instance}", CancellationToken.None))!, CancellationToken.None);
        (await AwsAsync("describe-db-snapshots", "--db-instance-identifier", scenario.Instance)).GetProperty("DBSnapshots").GetArrayLength().ShouldBe(2);
    }

    private static string Line(string name, string of, string status, string engine, string version, string type, int storage, bool encrypted, string arn, DateTimeOffset taken, IEnumerable<(string Key, string Value)> tags) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name} {of} {status} {engine} {version} {type} {storage} {encrypted} {arn} {taken.UtcDateTime:O} {string.Join(',', tags.OrderBy(tag => tag.Key, StringComparer.Ordinal))}");

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private async Task<JsonElement> AwsAsync(params string[] arguments)
    {
        var result = await server.Commands.RunAsync(new Command
        {
            Program = "aws",
            Arguments = ["--endpoint-url", moto.Url.ToString(), "--region", MotoServer.Region, "--output", "json", "rds", .. arguments],
            Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["AWS_ACCESS_KEY_ID"] = "testing", ["AWS_SECRET_ACCESS_KEY"] = "testing", ["AWS_PAGER"] = "", ["AWS_PROFILE"] = null },
        });
        result.Succeeded.ShouldBeTrue(result.Error);
        return JsonDocument.Parse(result.Output).RootElement;
    }
}
