using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Gates;

public sealed class GateOverrideTests
{
    private static readonly DatabaseEnvironment Environment = new() { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u@db/aragora", "x") };
    private readonly Heard heard = new();
    private readonly GateBench bench;

    public GateOverrideTests() => bench = new(RealServer.NewRun(new LoggerConfiguration().WriteTo.Sink(heard).CreateLogger()));

    private static GateOptions Overriding(params GateBox[] boxes) => GateBench.Attested with { Overridden = boxes.ToHashSet(), Because = "the disk is full, s3cret" };

    [Fact]
    public async Task An_override_passes_its_own_box_and_no_other()
    {
        await bench.TickStagingAsync();

        var refusal = Should.Throw<RefusedException>(() => bench.Gate(options: Overriding(GateBox.VerifiedBackup)).Pass(GateBench.Subject));

        refusal.What.ShouldBe("The gate to production is closed: RollbackPrepared is not ticked.");
        bench.Gate(options: Overriding(GateBox.VerifiedBackup, GateBox.RollbackPrepared)).Pass(GateBench.Subject).Boxes.Count(box => box.Ticked).ShouldBe(4);
    }

    [Fact]
    public async Task An_override_that_is_used_is_loud_in_log_journal_evidence_and_report_without_secrets()
    {
        await bench.TickStagingAsync();
        var run = bench.Run();
        run.Secrets.Add("s3cret");

        await new ProductionGate(run, Overriding(GateBox.VerifiedBackup, GateBox.RollbackPrepared)).PassAsync(Environment, GateBench.Subject, CancellationToken.None);

        heard.Warnings.Count(line => line.Contains("OVERRIDDEN", StringComparison.Ordinal) && line.Contains("VerifiedBackup", StringComparison.Ordinal)).ShouldBe(1);
        var overrides = JournalReader.Read(run.Journal.Path).Overrides;
        overrides.Count.ShouldBe(2);
        overrides[0].ShouldStartWith("override: VerifiedBackup ");
        overrides[0].ShouldContain("the disk is full, ***");
        overrides[0].ShouldContain("tests@here");
        var record = run.Evidence.ReadAll().Accepted.Single(evidence => evidence.Kind == EvidenceKinds.Gate);
        record.Revisions.ShouldBe(["r9"]);
        record.TreeHash.ShouldBe(GateBench.Tree);
        var facts = record.FactsAs<GateFacts>();
        facts.Boxes.Select(box => box.Box).ShouldBe(Enum.GetValues<GateBox>());
        facts.Boxes[0].ShouldBe(new PassedBox(GateBox.VerifiedBackup, false, "no record of a backup that was verified", "tests@here", "the disk is full, ***"));
        facts.Boxes[1].OverriddenBy.ShouldBeNull();
        facts.Boxes[4].Finding.ShouldBe("attested by tests@here");
        EvidenceFact.Of(record).ShouldStartWith("to r10: 4 of 6 boxes ticked; OVERRIDDEN: VerifiedBackup (the disk is full, ***), RollbackPrepared");
        var report = await new RunSummary(run).WriteAsync(new RunSummaryInput { Ending = "green", Targets = [], Next = "x" }, CancellationToken.None);
        report.Overrides.Count.ShouldBe(2);
        (await File.ReadAllTextAsync(Path.Combine(run.Folder, RunSummary.HtmlFile))).ShouldContain("OVERRIDE USED: override: VerifiedBackup");
        Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories).Where(file => Text(file).Contains("s3cret", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_override_of_a_ticked_box_is_said_and_leaves_no_trace_of_an_override()
    {
        await bench.TickAllAsync();
        var run = bench.Run();

        var passed = await new ProductionGate(run, Overriding(GateBox.VerifiedBackup)).PassAsync(Environment, GateBench.Subject, CancellationToken.None);

        passed.Boxes.ShouldAllBe(box => box.Ticked && box.OverriddenBy == null && box.Because == null);
        heard.Warnings.ShouldBeEmpty();
        heard.All.ShouldContain(line => line.Contains("The override of VerifiedBackup was not needed", StringComparison.Ordinal));
        JournalReader.Read(run.Journal.Path).Overrides.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_gate_that_refuses_uses_no_override_and_leaves_no_evidence()
    {
        var run = bench.Run();

        await Should.ThrowAsync<RefusedException>(() => new ProductionGate(run, Overriding(GateBox.VerifiedBackup)).PassAsync(Environment, GateBench.Subject, CancellationToken.None));

        JournalReader.Read(run.Journal.Path).Overrides.ShouldBeEmpty();
        JournalReader.Read(run.Journal.Path).Acts.ShouldHaveSingleItem().Result.ShouldBe("refused");
        run.Evidence.ReadAll().Accepted.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_password_that_looks_like_a_box_does_not_spoil_the_record()
    {
        await bench.TickAllAsync();
        var run = bench.Run();
        run.Secrets.Add("VerifiedBackup");

        await new ProductionGate(run, GateBench.Attested).PassAsync(Environment, GateBench.Subject, CancellationToken.None);

        run.Evidence.ReadAll().Accepted.Single(evidence => evidence.Kind == EvidenceKinds.Gate).FactsAs<GateFacts>().Boxes[0].Box.ShouldBe(GateBox.VerifiedBackup);
    }

    private static string Text(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private sealed class Heard : ILogEventSink
    {
        private readonly List<LogEvent> events = [];

        public IReadOnlyList<string> All => [.. events.Select(line => line.RenderMessage())];

        public IReadOnlyList<string> Warnings => [.. events.Where(line => line.Level == LogEventLevel.Warning).Select(line => line.RenderMessage())];

        public void Emit(LogEvent logEvent) => events.Add(logEvent);
    }
}
