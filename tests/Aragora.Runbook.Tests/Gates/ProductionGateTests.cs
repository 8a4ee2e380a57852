using System.Security.Cryptography;
using System.Text.Json;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Verification;
using Shouldly;
using Xunit;
using static Aragora.Runbook.Tests.Gates.GateBench;

namespace Aragora.Runbook.Tests.Gates;

public sealed class ProductionGateTests
{
    private static readonly DatabaseEnvironment Target = new() { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u@db/aragora", "test") };
    private readonly GateBench bench = new();

    [Fact]
    public async Task With_all_evidence_the_gate_opens()
    {
        await bench.TickAllAsync();

        bench.Gate().Pass(Subject).Boxes.ShouldAllBe(box => box.Ticked);
    }

    [Fact]
    public async Task What_opens_the_gate_is_read_again_and_named()
    {
        await bench.TickAllAsync();

        var box = (await bench.Gate().PassAsync(Target, Subject, CancellationToken.None)).Boxes[0];

        box.Finding.ShouldEndWith($": b1, manifest {ManifestFile.Read(Path.Combine(bench.Root, "artifacts", "backups", "b1")).ManifestSha256[..12]}, its 1 file read again and unchanged");
    }

    /// <summary>Of the same size, which a look at the folder does not show.</summary>
    [Fact]
    public async Task A_backup_that_was_changed_after_it_was_verified_closes_the_gate()
    {
        await bench.TickAllAsync();
        await File.WriteAllTextAsync(Path.Combine(bench.Root, "artifacts", "backups", "b1", "toc.dat"), "tox");

        var refusal = await Should.ThrowAsync<RefusedException>(() => bench.Gate().PassAsync(Target, Subject, CancellationToken.None));

        refusal.What.ShouldBe("The gate to production is closed: VerifiedBackup is not ticked.");
        refusal.Why.ShouldContain("was changed since it was verified: toc.dat: its content was changed");
        refusal.Next.ShouldStartWith("./build.sh Backup VerifyBackup --fresh");
        (await bench.Gate(options: Attested with { Overridden = new HashSet<GateBox> { GateBox.VerifiedBackup }, Because = "a test" }).PassAsync(Target, Subject, CancellationToken.None)).Boxes[0].Ticked.ShouldBeFalse();
    }

    [Fact]
    public void Without_evidence_every_box_is_named_with_the_command_that_ticks_it()
    {
        var refusal = Should.Throw<RefusedException>(() => bench.Gate().Pass(Subject));

        refusal.Message.ShouldContain("VerifiedBackup");
        refusal.Message.ShouldContain("./build.sh VerifyBackup");
        refusal.Message.ShouldContain("StagingMigrated");
    }

    public static TheoryData<string, string> Misfits => new()
    {
        { "expired", "expired" },
        { "another database", "another database" },
        { "migrated since", "before the last migration" },
        { "other revisions", "at revision r8, and the database is at r9" },
        { "future", "future" },
        { "files gone", "is gone" },
        { "manifest changed", "was edited since" },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public async Task A_verification_that_does_not_fit_is_refused_and_says_why(string misfit, string expected)
    {
        await bench.TickStagingAsync();
        var folder = await bench.WriteBackupAsync();
        var evidence = bench.Verification(folder);
        evidence = misfit switch
        {
            "expired" => evidence with { ExpiresAt = DateTimeOffset.Parse("2020-01-01Z") },
            "another database" => evidence with { Database = Production.Identity with { DatabaseOid = 99 } },
            "migrated since" => evidence with { RevisionStamp = "699" },
            "other revisions" => evidence with { Revisions = ["r8"] },
            "future" => evidence with { MadeAt = DateTimeOffset.Parse("2999-01-01Z"), ExpiresAt = DateTimeOffset.Parse("2999-01-02Z") },
            _ => evidence,
        };
        await bench.Store().WriteAsync(evidence, CancellationToken.None);
        if (misfit == "files gone")
        {
            Directory.Delete(Path.Combine(bench.Root, folder), recursive: true);
        }
        else if (misfit == "manifest changed")
        {
            await File.AppendAllTextAsync(Path.Combine(bench.Root, folder, "manifest.json"), " ");
        }

        Should.Throw<RefusedException>(() => bench.Gate().Pass(Subject)).Message.ShouldContain(expected);
    }

    [Fact]
    public async Task Staging_at_another_revision_is_refused()
    {
        await bench.TickAllAsync();

        Should.Throw<RefusedException>(() => bench.Gate().Pass(Subject with { Staging = Staging with { Revisions = ["r9"] } })).Message.ShouldContain("staging is at r9");
    }

    [Fact]
    public async Task Staging_migrated_by_another_tree_is_refused()
    {
        await bench.TickAllAsync();

        Should.Throw<RefusedException>(() => bench.Gate().Pass(Subject with { TreeHash = new string('f', 32) })).Message.ShouldContain("another migrations tree");
    }

    [Theory]
    [InlineData(EvidenceKinds.SmokeTest)]
    [InlineData(EvidenceKinds.HealthCheck)]
    public async Task Staging_without_its_green_tests_is_refused(string missing)
    {
        await bench.TickAllAsync(except: missing);

        Should.Throw<RefusedException>(() => bench.Gate().Pass(Subject)).Message.ShouldContain($"no record of {(missing == EvidenceKinds.SmokeTest ? "green smoke tests" : "a green health check")}");
    }

    [Fact]
    public async Task With_a_key_unsigned_records_are_refused_and_edited_ones_too()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        await bench.TickAllAsync();
        Should.Throw<RefusedException>(() => bench.Gate(key).Pass(Subject)).Message.ShouldContain("not signed");

        foreach (var file in Directory.GetFiles(Path.Combine(bench.Root, "runs"), "*.json", SearchOption.AllDirectories))
        {
            File.Delete(file);
        }

        await bench.TickAllAsync(key: key);
        bench.Gate(key).Pass(Subject).Boxes.ShouldAllBe(box => box.Ticked);
        foreach (var file in Directory.GetFiles(Path.Combine(bench.Root, "runs"), "*verification*.json", SearchOption.AllDirectories))
        {
            await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("tests@here", "mallory@there", StringComparison.Ordinal));
        }

        Should.Throw<RefusedException>(() => bench.Gate(key).Pass(Subject)).Message.ShouldContain("signature");
    }

    [Theory]
    [InlineData(EvidenceKinds.SmokeTest)]
    [InlineData(EvidenceKinds.HealthCheck)]
    [InlineData(EvidenceKinds.BackupVerification)]
    public async Task A_newer_red_record_closes_the_gate_until_a_newer_green_one(string kind)
    {
        await bench.TickAllAsync();
        var green = kind == EvidenceKinds.BackupVerification ? bench.Verification(await bench.WriteBackupAsync()) : Record(kind, TargetEnvironment.Staging, Staging, new { });
        await bench.Store().WriteAsync(green with { Failure = "it went red" }, CancellationToken.None);

        Should.Throw<RefusedException>(() => bench.Gate().Pass(Subject)).Message.ShouldContain("the newest one failed");

        await bench.Store().WriteAsync(green with { MadeAt = TimeProvider.System.GetUtcNow() }, CancellationToken.None);
        bench.Gate().Pass(Subject).Boxes.ShouldAllBe(box => box.Ticked);
    }

    [Fact]
    public async Task A_red_record_of_a_database_that_could_not_be_reached_counts_by_its_address()
    {
        await bench.TickAllAsync();
        var unread = new DatabaseFacts(new DatabaseIdentity("", 0, 0, Staging.Identity.DatabaseName, Staging.Identity.Endpoint), [], null);
        var red = Record(EvidenceKinds.SmokeTest, TargetEnvironment.Staging, unread, new { }) with { Failure = "unreachable" };

        await bench.Store().WriteAsync(red with { Database = red.Database with { Endpoint = "other:5432" } }, CancellationToken.None);
        bench.Gate().Pass(Subject).Boxes.ShouldAllBe(box => box.Ticked);

        await bench.Store().WriteAsync(red, CancellationToken.None);
        Should.Throw<RefusedException>(() => bench.Gate().Pass(Subject)).Message.ShouldContain("unreachable");
    }

    [Fact]
    public async Task A_red_verification_of_another_backup_takes_nothing_from_this_one()
    {
        await bench.TickAllAsync();
        var other = new VerificationFacts("artifacts/backups/b2", "ab", 1, 2, 3, TimeProvider.System.GetUtcNow());
        await bench.Store().WriteAsync(Record(EvidenceKinds.BackupVerification, TargetEnvironment.Production, Production, other) with { Failure = "damaged" }, CancellationToken.None);

        bench.Gate().Pass(Subject).Boxes.ShouldAllBe(box => box.Ticked);
    }

    [Theory]
    [InlineData("s1", "http://st/health", null)]
    [InlineData("s2", "http://st/health", "another suite")]
    [InlineData(null, "http://st/health", "is not there")]
    [InlineData("s1", "http://elsewhere/health", "it asked http://st/health")]
    [InlineData("s1", null, "no health URL")]
    public async Task Staging_checked_with_another_suite_or_URL_is_refused(string? suite, string? url, string? complaint)
    {
        await bench.TickAllAsync(except: "both");
        await bench.Store().WriteAsync(Record(EvidenceKinds.SmokeTest, TargetEnvironment.Staging, Staging, new SmokeTestFacts("test_a.py", 1, 0, false, "r.xml", "s1")), CancellationToken.None);
        await bench.Store().WriteAsync(Record(EvidenceKinds.HealthCheck, TargetEnvironment.Staging, Staging, new HealthFacts(new Uri("http://st/health"), 200, TimeSpan.Zero, 1, null)), CancellationToken.None);
        var subject = Subject with { Checks = new StagingChecks(suite, url is null ? null : new Uri(url)) };

        if (complaint is null)
        {
            bench.Gate().Pass(subject).Boxes.ShouldAllBe(box => box.Ticked);
        }
        else
        {
            Should.Throw<RefusedException>(() => bench.Gate().Pass(subject)).Message.ShouldContain(complaint);
        }
    }

    [Fact]
    public void The_checks_of_a_run_are_the_suites_content_and_the_URL_without_its_secrets()
    {
        var folder = Directory.CreateDirectory(Path.Combine(bench.Root, "tests")).FullName;
        File.WriteAllText(Path.Combine(folder, "test_a.py"), "def test_a(): pass\n");
        var staging = new DatabaseEnvironment { Name = TargetEnvironment.Staging, Database = PostgresUrl.Parse("postgresql://u@h/d", "x"), HealthUrl = new Uri("https://me:secret@st/health?token=x") };
        StagingChecks Now(string suite) => StagingChecks.Of(bench.Root, new SmokeTestOptions { Suite = suite }, staging);

        Now("tests/none.py").SuiteHash.ShouldBeNull();
        Now("tests/test_a.py").HealthUrl.ShouldBe(new Uri("https://st/health"));
        var (file, all) = (Now("tests/test_a.py").SuiteHash, Now("tests").SuiteHash);
        File.WriteAllText(Path.Combine(folder, "conftest.py"), "collect_ignore = ['test_a.py']");
        Now("tests/test_a.py").SuiteHash.ShouldNotBe(file);
        Now("tests").SuiteHash.ShouldNotBe(all);
    }

    public static TheoryData<string> BadFiles =>
    [
        "not json", "", "null", "[]", """{"kind":null}""", "REVISIONS", "DATABASE", "FACTS", "TREE",
    ];

    [Theory]
    [MemberData(nameof(BadFiles))]
    public async Task One_bad_file_among_the_evidence_closes_no_gate(string content)
    {
        await bench.TickAllAsync();
        var whole = JsonSerializer.SerializeToNode(Record(EvidenceKinds.SmokeTest, TargetEnvironment.Staging, Staging, new { }) with { MadeAt = TimeProvider.System.GetUtcNow() }, RunbookJson.Line)!;
        switch (content)
        {
            case "REVISIONS": whole["revisions"] = null; break;
            case "DATABASE": whole["database"]!["systemIdentifier"] = null; break;
            case "FACTS": (whole["kind"], whole["facts"]) = (EvidenceKinds.Migration, 3); break;
            case "TREE": whole["treeHash"] = "abc"; break;
            default: whole = null; break;
        }

        await File.WriteAllTextAsync(Path.Combine(bench.Root, "runs", "this", "evidence", "bad.json"), whole?.ToJsonString() ?? content);

        bench.Gate().Pass(Subject).Boxes.ShouldAllBe(box => box.Ticked);
    }

    [Fact]
    public async Task A_folder_that_may_not_be_searched_is_told_and_the_others_are_searched()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "root may search every folder");
        await bench.TickAllAsync();
        var closed = Directory.CreateDirectory(Path.Combine(bench.Root, "runs", "closed"));
        if (!OperatingSystem.IsWindows())
        {
            closed.UnixFileMode = UnixFileMode.None;
        }

        bench.Gate().Pass(Subject).Boxes.ShouldAllBe(box => box.Ticked);
        bench.Store().ReadAll().Rejected.ShouldHaveSingleItem().Path.ShouldBe(closed.FullName);
    }
}
