using Aragora.Runbook.Backups;
using Aragora.Runbook.Benchmarks;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Benchmarks;

public sealed class BenchmarkStepTests(RealServer server)
{
    [Fact]
    public async Task Everything_is_measured_and_written_down_and_nothing_is_left_behind()
    {
        server.Server.ShouldNotBeNull();
        var run = RealServer.NewRun();
        Directory.CreateDirectory(Path.Combine(run.Root, "docs"));
        var parent = Path.Combine(Path.GetTempPath(), $"aragora-benchmark-{run.RunId}");
        var servers = new ScratchServers(run, new ServerProvider(run, BackupScenario.Commands, new ServerBinaryProvider(run, BackupScenario.Commands)), parent);

        var report = await new BenchmarkStep(run, new BenchmarkOptions { Megabytes = 10, Runs = BenchmarkOptions.LeastRunsToPublish }, new BackupOptions { Jobs = 2 }, servers, BackupScenario.Scratch(run), BackupScenario.Commands).RunAsync(CancellationToken.None);

        report.DatabaseBytes.ShouldBeInRange(5_000_000, 30_000_000);
        report.Measurements.ShouldAllBe(one => one.Pairs.Count == 5 && one.Ratio > 0);
        (await File.ReadAllTextAsync(Path.Combine(run.Root, "docs", "benchmarks.md"))).ShouldBe(report.ToMarkdown());
        Directory.EnumerateFileSystemEntries(parent).ShouldBeEmpty();
        Directory.Delete(parent);
    }

    [Theory]
    [InlineData(9, 5)]
    [InlineData(500, 0)]
    public void A_size_or_number_out_of_range_is_refused(int megabytes, int runs) =>
        Should.Throw<BadInputException>(() => new BenchmarkOptions { Megabytes = megabytes, Runs = runs }.Validated());
}
