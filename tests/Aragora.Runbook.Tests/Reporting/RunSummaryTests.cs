using Aragora.Runbook.Backups;
using Aragora.Runbook.Contacts;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Verification;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Reporting;

public sealed class RunSummaryTests(RealServer server)
{
    private static readonly DatabaseFacts Facts = new(new DatabaseIdentity("7123456789", 1, 16400, "aragora", "db:5432"), ["0010"], "900");

    private static readonly DatabaseEnvironment Production = new()
    {
        Name = TargetEnvironment.Production,
        Database = new PostgresUrl { Host = "db", Port = 5432, Database = "aragora", User = "migrator" },
    };

    [Fact]
    public async Task Both_files_tell_targets_evidence_overrides_states_next_command_and_contacts()
    {
        var run = RealServer.NewRun();
        await run.Journal.ActAsync("migrate production", new { to = "0010" }, () => Task.FromResult("done"));
        run.Journal.Note("override: unverified backup accepted", new { option = "--accept-unverified-backup" });
        await run.RecordAsync(EvidenceKinds.Migration, Production, Facts, new MigrationFacts(MigrationDirection.Upgrade, ["0007"], ["0010"], ["0008", "0009", "0010"], "local", Moved: true), TimeSpan.FromSeconds(3), "tree", CancellationToken.None);

        await new RunSummary(run).WriteAsync(Input(), CancellationToken.None);

        foreach (var (name, text) in await ReadBothAsync(run))
        {
            var plain = name == RunSummary.MarkdownFile ? text.Replace("\\", "", StringComparison.Ordinal) : text;
            plain.ShouldContain("MigrateProduction");
            plain.ShouldContain("0007 -&gt; 0010 (3 migrations)");
            plain.ShouldContain("migrate production");
            plain.ShouldContain("OVERRIDE USED");
            plain.ShouldContain("--accept-unverified-backup");
            plain.ShouldContain("at revision 0010");
            plain.ShouldContain("is NOT signed");
            plain.ShouldContain("./build.sh Status");
            plain.ShouldContain("DBA On-Call");
        }
    }

    [Fact]
    public async Task Text_of_others_is_text_in_both_files_and_no_secret_is_in_them()
    {
        var run = RealServer.NewRun();
        run.Secrets.Add("hunter2*&");
        var input = Input() with
        {
            Targets = [new TargetOutcome("Migrate<script>alert(1)</script>", "failed", TimeSpan.Zero, "[x](http://evil) | `code` ![i](u) @somebody\n# heading hunter2*&")],
            Failure = "```\n<img src=x onerror=alert(1)> hunter2*&",
            States = [new DatabaseState(TargetEnvironment.Production, null, "gone <b> hunter2*&")],
        };

        await new RunSummary(run).WriteAsync(input, CancellationToken.None);

        var files = await ReadBothAsync(run);
        files[RunSummary.HtmlFile].ShouldNotContain("<script");
        files[RunSummary.HtmlFile].ShouldNotContain("<img");
        files[RunSummary.HtmlFile].ShouldContain("&lt;script&gt;");
        var markdown = files[RunSummary.MarkdownFile];
        markdown.ShouldNotContain("<script");
        markdown.ShouldContain(@"\[x\]\(http&#58;//evil\) \| \`code\` \!\[i\]\(u\) &#64;somebody \# heading ***".Replace("***", @"\*\*\*", StringComparison.Ordinal));
        markdown.ShouldContain("\n````text\n```\n<img src=x onerror=alert(1)> ***\n````\n");
        files.Values.ShouldAllBe(text => !text.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_act_that_was_cut_off_is_told_as_interrupted()
    {
        var run = RealServer.NewRun();
        Directory.CreateDirectory(run.Folder);
        await File.WriteAllTextAsync(run.Journal.Path, """
            {"id":1,"kind":"intent","act":"migrate production","at":"2026-01-01T00:00:00+00:00"}
            {"id":2,"kind":"intent","act":"backup","at":"2026-01-01T00:00:00+00:00"}
            {"id":2,"kind":"outcome","act":"backup","result":"failed","took":"00:00:01","at":"2026-01-01T00:00:01+00:00"}
            {"id":1,"kind":"outco
            """);

        var (acts, overrides) = JournalReader.Read(run.Journal.Path);

        acts.Select(act => (act.Act, act.Result)).ShouldBe([("migrate production", "interrupted"), ("backup", "failed")]);
        overrides.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_red_record_is_shown_as_red()
    {
        var run = RealServer.NewRun();
        await run.RecordFailureAsync(EvidenceKinds.SmokeTest, Production, Facts, new SmokeTestFacts("s.py", 0, 0, ReadOnly: true, "r.xml"), TimeSpan.Zero, null, new InvalidOperationException("2 tests failed"));

        await new RunSummary(run).WriteAsync(new RunSummaryInput { Ending = "failed", Targets = [], Next = "x" }, CancellationToken.None);

        (await File.ReadAllTextAsync(Path.Combine(run.Folder, RunSummary.HtmlFile))).ShouldContain("<td class=\"loud\">FAILED: 2 tests failed</td>");
        (await File.ReadAllTextAsync(Path.Combine(run.Folder, RunSummary.MarkdownFile))).ShouldContain("FAILED: 2 tests failed |");
    }

    [Fact]
    public async Task Evidence_that_is_signed_is_said_to_be()
    {
        var run = RealServer.NewRun();
        run = run with { Evidence = new EvidenceStore(run.Folder, [run.Folder], run.Secrets, [1, 2, 3]) };
        await run.RecordAsync(EvidenceKinds.SmokeTest, Production, Facts, new SmokeTestFacts("s.py", 4, 1, ReadOnly: true, "r.xml"), TimeSpan.Zero, null, CancellationToken.None);

        var report = await new RunSummary(run).WriteAsync(Input(), CancellationToken.None);

        report.Signatures.ShouldBe("All evidence of this run is signed (HMAC-SHA-256).");
        report.Evidence.Select(EvidenceFact.Of).ShouldBe(["4 tests passed, 1 skipped, read-only"]);
    }

    [Fact]
    public async Task Each_kind_of_evidence_has_its_one_fact()
    {
        var run = RealServer.NewRun();

        (await FactAsync(EvidenceKinds.Backup, new BackupFacts("artifacts/b", "ab", 2_000_000, 500_000, 9))).ShouldBe("500 kB of 2.0 MB, 9 tables, artifacts/b");
        (await FactAsync(EvidenceKinds.BackupVerification, new VerificationFacts("artifacts/b", "ab", 12, 500_000, 40, DateTimeOffset.UnixEpoch, 7, 1234, TimeSpan.FromSeconds(3)))).ShouldBe("restored in 3.0 s, 1234 rows in 7 tables compared; 12 files, 500 kB, artifacts/b");
        (await FactAsync(EvidenceKinds.Rollback, new MigrationFacts(MigrationDirection.Downgrade, ["0002"], [], ["0002"], "local", Moved: true))).ShouldBe("0002 -> base (1 migration)");
        (await FactAsync(EvidenceKinds.Migration, new MigrationFacts(MigrationDirection.Upgrade, ["0002"], ["0002"], [], "local", Moved: false))).ShouldBe("was at 0002 already");
        (await FactAsync(EvidenceKinds.HealthCheck, new HealthFacts(new Uri("http://x/health"), 200, TimeSpan.FromMilliseconds(12), 1, "1.2.3"))).ShouldBe("HTTP 200 in 12 ms, version 1.2.3");
        (await FactAsync("other", new { })).ShouldBe("other");

        async Task<string> FactAsync(string kind, object facts) => EvidenceFact.Of(await run.RecordAsync(kind, Production, Facts, facts, TimeSpan.Zero, null, CancellationToken.None));
    }

    [Fact]
    public void A_failure_says_what_happened_the_state_the_next_command_and_whom_to_call()
    {
        var report = new FailureReport(
            new NeedsPersonException("Migration 0009 failed half-way.", "column exists hunter2\n::error::owned", "./build.sh Rollback"),
            5,
            null,
            [new DatabaseState(TargetEnvironment.Staging, Facts, null), new DatabaseState(TargetEnvironment.Production, null, "nothing listens")],
            EmergencyContacts.Default,
            "/runs/1");
        var secrets = new SecretMask();
        secrets.Add("hunter2");

        report.Render(secrets).ReplaceLineEndings("\n").ShouldBe(
            """
            WHAT HAPPENED (exit code 5: somebody has to look before anything else runs)
              Migration 0009 failed half-way.
              why: column exists ***
              \::error::owned

            THE DATABASES NOW
              staging     at revision 0010; aragora at db:5432 (system …456789, oid 16400)
              production  not known: nothing listens

            NEXT
              ./build.sh Rollback

            WHOM TO CALL
              Role              Contact
              ----------------  ------------------------
              DBA On-Call       dba-oncall@company.com
              Platform Team     #platform-oncall (Slack)
              Incident Manager  incident@company.com

            Details: /runs/1

            """);
    }

    [Fact]
    public void A_refusal_after_a_move_is_told_as_what_it_is_to_the_caller()
    {
        var text = new FailureReport(new RefusedException("No health URL.", "", "give one"), 5, "production was moved, and HealthCheck did not run green afterwards", [], EmergencyContacts.Default, "/r").Render(new SecretMask());

        text.ShouldContain("exit code 5");
        text.ShouldContain("NOT VERIFIED");
        text.ShouldNotContain("changed nothing");
    }

    [Fact]
    public async Task The_state_of_a_database_is_read_or_the_reason_is_given()
    {
        var good = await server.NewDatabaseAsync();
        var bad = good with { Database = good.Database with { Port = 1 } };

        var read = await DatabaseState.ReadAsync(good, TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);
        var unread = await DatabaseState.ReadAsync(bad, TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);

        read.ToString().ShouldStartWith("never migrated (no alembic_version); t_");
        unread.Facts.ShouldBeNull();
        unread.ToString().ShouldContain("nothing listens");
    }

    private static RunSummaryInput Input() => new()
    {
        Ending = "green",
        Targets = [new TargetOutcome("MigrateProduction", "done", TimeSpan.FromSeconds(3), "0007 -> 0010")],
        States = [new DatabaseState(TargetEnvironment.Production, Facts, null)],
        Next = "./build.sh Status",
    };

    private static async Task<Dictionary<string, string>> ReadBothAsync(RunContext run) => new()
    {
        [RunSummary.MarkdownFile] = await File.ReadAllTextAsync(Path.Combine(run.Folder, RunSummary.MarkdownFile)),
        [RunSummary.HtmlFile] = await File.ReadAllTextAsync(Path.Combine(run.Folder, RunSummary.HtmlFile)),
    };
}
