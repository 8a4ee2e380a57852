using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

public sealed class SnapshotPruningTests(RealServer server, MotoServer moto) : IClassFixture<MotoServer>
{
    private static readonly DateTimeOffset Now = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_dry_run_says_what_would_go_and_deletes_nothing()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        var (old, newest) = (await ExpiredAsync(scenario), await ExpiredAsync(scenario));
        var result = await new SnapshotPruning(scenario.Run, moto.Api(), scenario.Options()).RunAsync(CancellationToken.None);
        result.Expired.ShouldBe([old]);
        result.DryRun.ShouldBeTrue();
        scenario.Log.ShouldContain(line => line.Contains($"Would delete {old}", StringComparison.Ordinal));
        (await NamesAsync(scenario)).ShouldBe([newest, old], ignoreOrder: true);
    }

    [Fact]
    public async Task In_earnest_only_expired_ones_of_ours_go_and_never_the_newest()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        var old = await ExpiredAsync(scenario);
        var newest = await ExpiredAsync(scenario);
        await moto.AskAsync("rds", "CreateDBSnapshot", ("DBInstanceIdentifier", scenario.Instance), ("DBSnapshotIdentifier", $"by-hand-{scenario.Instance}"), ("Tags.Tag.1.Key", SnapshotTags.ExpiresAt), ("Tags.Tag.1.Value", "2020-01-01T00:00:00Z"));
        var automated = (await moto.Api().ListSnapshotsAsync(SnapshotKind.Instance, scenario.Instance, CancellationToken.None)).Where(snapshot => snapshot.Type == "automated").Select(snapshot => snapshot.Identifier).ToList();
        automated.ShouldNotBeEmpty();
        var result = await new SnapshotPruning(scenario.Run, moto.Api(), scenario.Options() with { DryRun = false }).RunAsync(CancellationToken.None);
        result.Expired.ShouldBe([old]);
        (await NamesAsync(scenario)).ShouldBe([newest, $"by-hand-{scenario.Instance}"], ignoreOrder: true);
        (await moto.Api().ListSnapshotsAsync(SnapshotKind.Instance, scenario.Instance, CancellationToken.None)).Count(snapshot => snapshot.Type == "automated").ShouldBe(automated.Count);
        File.ReadAllText(scenario.Run.Journal.Path).ShouldContain("delete an expired snapshot");
    }

    [Theory]
    [InlineData("ours", null)]
    [InlineData("newest", "it is the newest")]
    [InlineData("later", "it expires 2026-11-26 12:00:00Z")]
    [InlineData("unreadable", "its tag aragora:expires-at does not say when it expires")]
    [InlineData("creating", "it is creating")]
    [InlineData("restored", "it is being restored")]
    public void Each_of_ours_goes_or_has_a_reason_to_stay(string name, string? keeps)
    {
        RdsSnapshot[] all =
        [
            Snapshot("ours", 1), Snapshot("later", 2, "2026-11-26T12:00:00Z"), Snapshot("unreadable", 3, "next week"), Snapshot("creating", 4) with { Status = "creating" }, Snapshot("restored", 5), Snapshot("newest", 6),
            Snapshot("automated", 0) with { Type = "automated" }, Snapshot("elsewhere", 0) with { SourceIdentifier = "other" }, Snapshot("strange", 0) with { Tags = new Dictionary<string, string>(StringComparer.Ordinal) },
            Snapshot("copied", 0) with { Identifier = "keep-for-audit" },
        ];
        var decisions = SnapshotPruning.Decide(all, "prod", new HashSet<string>([RdsNames.Snapshot("prod", "restored")], StringComparer.Ordinal), Now);
        decisions.Select(decision => decision.Snapshot.Identifier).ShouldBe(new[] { "ours", "later", "unreadable", "creating", "restored", "newest" }.Select(one => RdsNames.Snapshot("prod", one)), ignoreOrder: true);
        decisions.Single(decision => decision.Snapshot.Identifier == RdsNames.Snapshot("prod", name)).Keeps.ShouldBe(keeps);
    }

    private static RdsSnapshot Snapshot(string name, int day, string expires = "2026-11-20T00:00:00Z") => new()
    {
        Kind = SnapshotKind.Instance, Identifier = RdsNames.Snapshot("prod", name), Arn = name, SourceIdentifier = "prod", Status = "available", Type = "manual", Engine = "postgres", EngineVersion = "15.8", TakenAt = Now.AddDays(-30 + day),
        Tags = new Dictionary<string, string>(StringComparer.Ordinal) { [SnapshotTags.RunId] = name, [SnapshotTags.Source] = "prod", [SnapshotTags.ExpiresAt] = expires },
    };

    private async Task<string> ExpiredAsync(RdsScenario scenario)
    {
        var made = await scenario.SnapshotAsync(anew: true, run: scenario.NewRun());
        await moto.Api().TagAsync(made.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [SnapshotTags.ExpiresAt] = "2020-01-01T00:00:00Z" }, CancellationToken.None);
        return made.Snapshot;
    }

    private async Task<IReadOnlyList<string>> NamesAsync(RdsScenario scenario) =>
        [.. (await moto.Api().ListSnapshotsAsync(SnapshotKind.Instance, scenario.Instance, CancellationToken.None)).Where(snapshot => snapshot.Type == "manual").Select(snapshot => snapshot.Identifier)];
}
