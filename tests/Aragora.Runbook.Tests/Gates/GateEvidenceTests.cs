using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Gates;

/// <summary>Evidence that other processes left in other folders: believed where it fits, refused with the very reason where it does not.</summary>
public sealed class GateEvidenceTests
{
    private static readonly byte[] Key = [1, 2, 3];
    private readonly GateBench bench = new();

    private string Elsewhere => Path.Combine(bench.Root, "downloaded", "evidence-backup");

    /// <summary>As another job writes: another run, in another folder.</summary>
    private EvidenceStore Job(byte[]? key) => new(Path.Combine(Elsewhere, "20260101T000000Z-aaaa"), [], new SecretMask(), key);

    private ProductionGate Gate(byte[]? key) => new(
        bench.Run() with { Evidence = new EvidenceStore(Path.Combine(bench.Root, "runs", "this"), [Path.Combine(bench.Root, "runs"), Path.Combine(bench.Root, "downloaded")], new SecretMask(), key) },
        GateBench.Attested);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Evidence_of_other_jobs_opens_the_gate(bool isSigned)
    {
        await bench.TickAllAsync(store: Job(isSigned ? Key : null));

        Gate(isSigned ? Key : null).Pass(GateBench.Subject).Boxes.ShouldAllBe(box => box.Ticked);
    }

    [Theory]
    [InlineData("expired", "VerifiedBackup: no record of a backup that was verified that holds: verified ", "it expired 2026-")]
    [InlineData("edited", "VerifiedBackup: ", "its signature does not fit: it was edited, or signed with another key")]
    [InlineData("another key", "VerifiedBackup: ", "its signature does not fit: it was edited, or signed with another key")]
    [InlineData("unsigned", "VerifiedBackup: ", "it is not signed, and an evidence key was given")]
    [InlineData("another database", "VerifiedBackup: ", "it is of another database, aragora at db:5432 (system …000001, oid 99)")]
    [InlineData("other revisions", "VerifiedBackup: ", "it was taken at revision r8, and the database is at r9")]
    [InlineData("before the last migration", "VerifiedBackup: ", "it was taken before the last migration")]
    [InlineData("server set back", "VerifiedBackup: ", "the server was set back since")]
    [InlineData("clock set back", "VerifiedBackup: ", "a clock is wrong, or was set back")]
    [InlineData("only read", "VerifiedBackup: ", "it was only read, not restored and compared")]
    public async Task A_verification_that_does_not_fit_says_which_reason_it_is_and_what_to_type(string misfit, string box, string reason)
    {
        await bench.TickStagingAsync(store: Job(Key));
        var folder = await bench.WriteBackupAsync(misfit == "server set back" ? "1/0" : "0/1");
        var evidence = bench.Verification(folder, restored: misfit != "only read");
        var written = await Job(misfit switch { "unsigned" => null, "another key" => [9], _ => Key }).WriteAsync(
            misfit switch
            {
                "expired" => evidence with { MadeAt = evidence.MadeAt.AddDays(-2), ExpiresAt = DateTimeOffset.Parse("2026-01-01Z") },
                "another database" => evidence with { Database = evidence.Database with { DatabaseOid = 99 } },
                "other revisions" => evidence with { Revisions = ["r8"] },
                "before the last migration" => evidence with { RevisionStamp = "699" },
                "clock set back" => evidence with { MadeAt = evidence.MadeAt.AddMinutes(2) },
                _ => evidence,
            },
            CancellationToken.None);
        if (misfit == "edited")
        {
            await File.WriteAllTextAsync(written.Path!, (await File.ReadAllTextAsync(written.Path!)).Replace("\"tests@here\"", "\"somebody@else\"", StringComparison.Ordinal));
        }

        var refusal = Should.Throw<RefusedException>(() => Gate(Key).Pass(GateBench.Subject with { Production = GateBench.Production with { WalPosition = "0/2" } }));

        refusal.What.ShouldBe("The gate to production is closed: VerifiedBackup and RollbackPrepared are not ticked.");
        refusal.Why.ShouldContain(box);
        refusal.Why.ShouldContain(reason);
        refusal.Next.ShouldStartWith("./build.sh VerifyBackup ");
        refusal.Next.Split("--override").Length.ShouldBe(2);
        refusal.Next.ShouldContain("--override VerifiedBackup,RollbackPrepared --because");
    }

    [Theory]
    [InlineData("expired", "it expired 2026-")]
    [InlineData("another database", "it is of another database")]
    [InlineData("before the last migration", "it was taken before the last migration")]
    [InlineData("another tree", "it is of another migrations tree (ffffffff")]
    [InlineData("clock set back", "a clock is wrong, or was set back")]
    public async Task Green_tests_of_staging_that_do_not_fit_say_which_reason_it_is(string misfit, string reason)
    {
        await bench.TickAllAsync(except: EvidenceKinds.SmokeTest, store: Job(Key));
        var evidence = GateBench.Record(EvidenceKinds.SmokeTest, TargetEnvironment.Staging, GateBench.Staging, new { });
        await Job(Key).WriteAsync(
            misfit switch
            {
                "expired" => evidence with { MadeAt = evidence.MadeAt.AddDays(-2), ExpiresAt = DateTimeOffset.Parse("2026-01-01Z") },
                "another database" => evidence with { Database = evidence.Database with { SystemIdentifier = "1" } },
                "before the last migration" => evidence with { RevisionStamp = "799" },
                "another tree" => evidence with { TreeHash = new string('f', 32) },
                _ => evidence with { MadeAt = evidence.MadeAt.AddMinutes(2) },
            },
            CancellationToken.None);

        var refusal = Should.Throw<RefusedException>(() => Gate(Key).Pass(GateBench.Subject));

        refusal.What.ShouldBe("The gate to production is closed: StagingMigrated is not ticked.");
        refusal.Why.ShouldContain(reason);
        refusal.Next.ShouldStartWith("./build.sh MigrateStaging ");
    }

    [Fact]
    public async Task A_clock_that_is_a_few_seconds_off_closes_no_gate()
    {
        await bench.TickStagingAsync();
        var evidence = bench.Verification(await bench.WriteBackupAsync());
        await bench.Store().WriteAsync(evidence with { MadeAt = evidence.MadeAt.AddSeconds(30) }, CancellationToken.None);

        bench.Gate().Pass(GateBench.Subject).Boxes.ShouldAllBe(box => box.Ticked);
    }

    [Fact]
    public async Task The_reason_of_the_newest_record_is_told_although_many_others_are_refused_too()
    {
        await bench.TickStagingAsync(store: Job(Key));
        for (var i = 0; i < 5; i++)
        {
            await Job(null).WriteAsync(GateBench.Record(EvidenceKinds.SmokeTest, TargetEnvironment.Staging, GateBench.Staging, new { }), CancellationToken.None);
            var old = bench.Verification(await bench.WriteBackupAsync());
            await Job(null).WriteAsync(old with { MadeAt = old.MadeAt.AddDays(-3) }, CancellationToken.None);
        }

        var newest = bench.Verification(await bench.WriteBackupAsync());
        await Job(Key).WriteAsync(newest with { MadeAt = newest.MadeAt.AddDays(-2), ExpiresAt = newest.MadeAt.AddDays(-1) }, CancellationToken.None);

        var finding = Gate(Key).Look(GateBench.Subject)[0].Finding;

        finding.ShouldStartWith("no record of a backup that was verified that holds: verified ");
        finding.ShouldContain("it expired ");
        finding.ShouldNotContain("smoke-test");
        finding.ShouldEndWith("and 3 older");
    }
}
