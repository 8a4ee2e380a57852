using System.Text.Json;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Verification;
using Serilog;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Journal;

public sealed class EvidenceStoreTests
{
    private static readonly DatabaseFacts Database = new(new DatabaseIdentity("7000000000000000001", 1, 16384, "aragora", "aragora:5432"), ["abc123"], "700");
    private static readonly DatabaseEnvironment Production = new() { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u@aragora/aragora", "x") };

    [Theory]
    [InlineData("aragora")]
    [InlineData("2026")]
    [InlineData("true")]
    [InlineData("abc123")]
    [InlineData("tests@here")]
    [InlineData("databaseName")]
    [InlineData("Upgrade")]
    [InlineData("null")]
    [InlineData("00:00")]
    public async Task A_password_that_looks_like_a_part_of_the_record_changes_nothing_in_it(string password)
    {
        var run = RealServer.NewRun();
        run.Secrets.Add(password);

        await run.RecordAsync(EvidenceKinds.Migration, Production, Database, new MigrationFacts(MigrationDirection.Upgrade, [], ["abc123"], ["abc123"], "local", Moved: true), TimeSpan.Zero, "abc123", CancellationToken.None);
        await run.RecordAsync(EvidenceKinds.BackupVerification, Production, Database, new VerificationFacts("aragora/2026", "abc123", 1, 2026, 3, DateTimeOffset.UnixEpoch), TimeSpan.Zero, null, CancellationToken.None);
        await run.RecordAsync(EvidenceKinds.SmokeTest, Production, Database, new SmokeTestFacts("aragora/test.py", 1, 0, true, "aragora.xml", "abc123"), TimeSpan.Zero, null, CancellationToken.None);

        var (accepted, rejected) = run.Evidence.ReadAll();
        rejected.ShouldBeEmpty();
        accepted.Count.ShouldBe(3);
        accepted.ShouldAllBe(record => record.Database == Database.Identity && record.Who == "tests@here" && record.Revisions.Single() == "abc123");
        accepted.Single(record => record.Kind == EvidenceKinds.Migration).FactsAs<MigrationFacts>().To.ShouldBe(["abc123"]);
        accepted.Single(record => record.Kind == EvidenceKinds.BackupVerification).FactsAs<VerificationFacts>().Folder.ShouldBe("aragora/2026");
        accepted.Single(record => record.Kind == EvidenceKinds.SmokeTest).FactsAs<SmokeTestFacts>().Suite.ShouldBe("aragora/test.py");
    }

    [Fact]
    public async Task Free_text_is_masked_in_facts_and_in_the_failure()
    {
        var run = RealServer.NewRun();
        run.Secrets.Add("s3cret\"x");

        await run.RecordAsync("other", Production, Database, new { note = "it said s3cret\"x", list = new[] { new { text = "s3cret\"x" } } }, TimeSpan.Zero, null, CancellationToken.None);
        await run.RecordFailureAsync(EvidenceKinds.SmokeTest, Production, null, new { }, TimeSpan.Zero, null, new InvalidOperationException("s3cret\"x is wrong"));

        var records = run.Evidence.ReadAll().Accepted;
        records.Select(record => File.ReadAllText(record.Path!)).ShouldAllBe(text => !text.Contains("s3cret", StringComparison.Ordinal));
        records.Single(record => !record.Green).Failure.ShouldBe("*** is wrong");
        records.Single(record => record.Green).Facts.GetProperty("note").GetString().ShouldBe("it said ***");
    }

    [Fact]
    public async Task A_record_of_an_earlier_build_is_green_and_its_signature_still_fits()
    {
        var run = RealServer.NewRun();
        var store = new EvidenceStore(run.Folder, [run.Folder], run.Secrets, [1, 2, 3]);
        var written = await (run with { Evidence = store }).RecordAsync(EvidenceKinds.SmokeTest, Production, Database, new { }, TimeSpan.Zero, null, CancellationToken.None);

        File.ReadAllText(written.Path!).ShouldNotContain("green");
        File.ReadAllText(written.Path!).ShouldNotContain("failure");
        store.ReadAll().Accepted.ShouldHaveSingleItem().Green.ShouldBeTrue();
    }

    [Fact]
    public async Task Taking_the_failure_out_of_a_signed_red_record_shows()
    {
        var run = RealServer.NewRun();
        run = run with { Evidence = new EvidenceStore(run.Folder, [run.Folder], run.Secrets, [1, 2, 3]) };
        await run.RecordFailureAsync(EvidenceKinds.SmokeTest, Production, Database, new { }, TimeSpan.Zero, null, new InvalidOperationException("red"));
        var file = Directory.GetFiles(Path.Combine(run.Folder, "evidence")).ShouldHaveSingleItem();

        File.WriteAllText(file, File.ReadAllText(file).Replace("\"failure\": \"red\",", "", StringComparison.Ordinal));

        run.Evidence.ReadAll().Rejected.ShouldHaveSingleItem().Reason.ShouldContain("signature");
    }

    [Theory]
    [InlineData("2026")]
    [InlineData("intent")]
    [InlineData("true")]
    [InlineData("details")]
    public async Task A_password_that_looks_like_a_part_of_the_journal_breaks_no_line(string password)
    {
        var run = RealServer.NewRun();
        run.Secrets.Add(password);

        await run.Journal.ActAsync("act", new { password, number = 2026, isTrue = true }, () => Task.FromResult(1));

        JournalReader.Read(run.Journal.Path).Acts.ShouldHaveSingleItem().Result.ShouldBe("done");
        await using var file = new FileStream(run.Journal.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        var intent = JsonDocument.Parse((await reader.ReadLineAsync())!).RootElement.GetProperty("details");
        intent.GetProperty("password").GetString().ShouldBe("***");
        intent.GetProperty("number").GetInt32().ShouldBe(2026);
    }

    [Theory]
    [InlineData("journal")]
    [InlineData("log")]
    [InlineData("evidence")]
    public async Task Whatever_writes_first_the_runs_folder_is_its_owners_alone(string first)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no modes there");
        var run = RealServer.NewRun();
        switch (first)
        {
            case "journal": run.Journal.Note("x"); break;
            case "log": MaskingLogger.Create(new LoggerConfiguration().CreateLogger(), run.Secrets, run.Folder).Dispose(); break;
            default: await run.RecordAsync(EvidenceKinds.SmokeTest, Production, Database, new { }, TimeSpan.Zero, null, CancellationToken.None); break;
        }

        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(run.Folder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.GetUnixFileMode(Path.GetDirectoryName(run.Folder)!).HasFlag(UnixFileMode.GroupRead).ShouldBeTrue();
        }
    }
}
