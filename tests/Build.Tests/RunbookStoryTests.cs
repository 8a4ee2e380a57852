using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace BuildTests;

/// <summary>The host from the outside, on a local stack of its own: real PostgreSQL, real Alembic, real pytest, real HTTP.</summary>
public sealed partial class RunbookStoryTests
{
    private const string Head = "d13f60a8b75e";
    private const string Seed = "b86d1e4f97c2";

    [Fact]
    public async Task From_a_fresh_stack_to_production_and_back()
    {
        var host = new HostProcess("a path with späces");
        try
        {
            var skipped = await host.RunAsync("MigrateProduction --skip");
            skipped.ExitCode.ShouldBe(3, skipped.Output);
            skipped.Output.ShouldContain("VerifiedBackup, StagingMigrated and RollbackPrepared are not ticked");
            skipped.Output.ShouldContain("./build.sh VerifyBackup");
            skipped.Output.ShouldContain("--override VerifiedBackup,StagingMigrated,RollbackPrepared --because");
            var closed = await host.RunAsync("MigrateProduction --skip --override VerifiedBackup,StagingMigrated,RollbackPrepared --because tested", ("MAINTENANCE_WINDOW", NotToday()));
            closed.ExitCode.ShouldBe(3, closed.Output);
            closed.Output.ShouldContain("The gate to production is closed: MaintenanceWindow is not ticked");
            closed.Output.ShouldContain("is closed; it opens ");
            (await StatusAsync(host)).ShouldContain($"production {Seed}");

            var migrated = await host.RunAsync("MigrateProduction");
            migrated.ExitCode.ShouldBe(0, migrated.Output);
            HostProcess.Summary(migrated).ShouldAllBe(row => row.Outcome == "Succeeded");
            (await StatusAsync(host)).ShouldContain($"staging {Head}; production {Head}");
            EvidenceKindsOf(host).ShouldBe(
                ["backup", "backup-verification", "gate", "health-check", "health-check", "migration", "migration", "smoke-test", "smoke-test"], ignoreOrder: true);
            OpenIntents(host).ShouldBeEmpty();

            var again = await host.RunAsync("MigrateProduction");
            again.ExitCode.ShouldBe(0, again.Output);
            again.Output.ShouldContain($"already at {Head}, nothing to do");

            var unfit = await host.RunAsync($"Rollback --strategy Downgrade --revision -1 --application-revisions {Head}");
            unfit.ExitCode.ShouldBe(3, unfit.Output);
            unfit.Output.ShouldContain("the application of production does not work with schema revision 09be5c7a3f81.");
            (await StatusAsync(host)).ShouldContain($"production {Head}");

            var back = await host.RunAsync("Rollback --strategy Downgrade --revision -1");
            back.ExitCode.ShouldBe(0, back.Output);
            (await StatusAsync(host)).ShouldContain("production 09be5c7a3f81");

            var unverified = await host.RunAsync("MigrateProduction --skip Backup VerifyBackup SmokeTest HealthCheck --override VerifiedBackup,RollbackPrepared --because disk-is-full");
            unverified.ExitCode.ShouldBe(5, unverified.Output);
            unverified.Output.ShouldContain("OVERRIDDEN: VerifiedBackup, RollbackPrepared");
            SummariesOf(host).Count(summary => summary.Contains("OVERRIDE USED", StringComparison.Ordinal) && summary.Contains("disk-is-full", StringComparison.Ordinal)).ShouldBe(1);
            unverified.Output.ShouldContain("This run is not verified: production was changed, and SmokeTest and HealthCheck did not run green afterwards");

            var lossy = await host.RunAsync("Rollback --strategy Downgrade --revision a07f5e82c4d1");
            lossy.ExitCode.ShouldBe(3, lossy.Output);
            lossy.Output.ShouldContain("--accept-data-loss");
            (await StatusAsync(host)).ShouldContain($"production {Head}");

            var refused = await host.RunAsync($"Rollback --strategy Restore --revision {Seed}");
            refused.ExitCode.ShouldBe(3, refused.Output);
            var restore = RestoreCommand().Match(refused.Output);
            restore.Success.ShouldBeTrue(refused.Output);
            (await StatusAsync(host)).ShouldContain($"production {Head}");

            var restored = await host.RunAsync(restore.Groups["arguments"].Value);
            restored.ExitCode.ShouldBe(0, restored.Output);
            (await StatusAsync(host)).ShouldContain($"production {Seed}");
        }
        finally
        {
            (await host.RunAsync("LocalDown")).ExitCode.ShouldBe(0);
        }
    }

    [Fact]
    public async Task Cancelled_in_the_middle_it_ends_its_children_and_says_where_it_was()
    {
        var host = new HostProcess("cancelled");
        try
        {
            (await host.RunAsync("LocalUp")).ExitCode.ShouldBe(0);

            var (exitCode, output) = await host.RunUntilAsync("MigrateProduction", line => line.Contains("Running upgrade", StringComparison.Ordinal));

            exitCode.ShouldBeOneOf(5, 130);
            output.ShouldContain("Cancelling");
            OpenIntents(host).ShouldBeEmpty();
            var after = await host.RunAsync("MigrateProduction");
            after.ExitCode.ShouldBe(0, after.Output);
        }
        finally
        {
            (await host.RunAsync("LocalDown")).ExitCode.ShouldBe(0);
        }
    }

    [GeneratedRegex(@"\./build\.sh (?<arguments>Rollback \S.* --strategy Restore --backup \S+ --accept-lost-writes \w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex RestoreCommand();

    private static async Task<string> StatusAsync(HostProcess host) => (await host.RunAsync("Status")).Output;

    private static string NotToday() => $"{TimeProvider.System.GetUtcNow().AddDays(3).DayOfWeek.ToString()[..3]} 00:00-24:00 UTC";

    private static IReadOnlyList<string> SummariesOf(HostProcess host) =>
        [.. Directory.EnumerateFiles(Path.Combine(host.Root, "artifacts", "runbook"), "summary.md", SearchOption.AllDirectories).Select(File.ReadAllText)];

    private static IReadOnlyList<string> EvidenceKindsOf(HostProcess host) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(host.Root, "artifacts", "runbook"), "*.json", SearchOption.AllDirectories)
            .Select(file => JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("kind").GetString()!),
    ];

    private static IReadOnlyList<string> OpenIntents(HostProcess host) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(host.Root, "artifacts", "runbook"), "journal.ndjson", SearchOption.AllDirectories)
            .SelectMany(file => File.ReadLines(file).Select(line => JsonDocument.Parse(line).RootElement).GroupBy(line => line.GetProperty("id").GetInt32()))
            .Where(lines => lines.Any(line => line.GetProperty("kind").GetString() == "intent") && !lines.Any(line => line.GetProperty("kind").GetString() == "outcome"))
            .Select(lines => lines.First().GetProperty("act").GetString()!),
    ];
}
