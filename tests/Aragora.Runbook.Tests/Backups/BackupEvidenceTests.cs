using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class BackupEvidenceTests(SharedBackup shared) : IClassFixture<SharedBackup>
{
    [Fact]
    public async Task A_fresh_backup_and_its_verification_are_found_and_said()
    {
        var (run, now, made) = await VerifiedAsync();

        var backup = new BackupEvidence(run).FindBackup(now);
        var verification = new BackupEvidence(Later(run, TimeSpan.FromMinutes(40))).FindVerification(now, made);

        backup.Backup!.Folder.ShouldBe(made.Folder);
        verification.Text.ShouldMatch("^verified 40 min ago, dumped .+ ago, still this database, these revisions$");
        verification.Found!.FactsAs<VerificationFacts>().ManifestSha256.ShouldBe(made.ManifestSha256);
    }

    [Fact]
    public async Task Another_job_finds_the_records_of_a_backup_beside_it()
    {
        var parent = TestFolders.New("backups");
        var run = RealServer.NewRun() with { BackupRecords = Path.Combine(parent, BackupCatalog.RecordsFolder) };
        var made = await BackupScenario.BackUpAsync(run, shared.Environment, new BackupOptions { Jobs = 2, Folder = parent });
        await BackupScenario.VerifyAsync(run, shared.Environment, made.Backup);
        var later = RealServer.NewRun();
        later = later with { Evidence = new EvidenceStore(later.Folder, [run.BackupRecords!], later.Secrets) };

        var found = new BackupEvidence(later).FindVerification(await DatabaseInspector.ReadAsync(shared.Environment, CancellationToken.None));

        found.Backup!.Folder.ShouldBe(made.Backup.Folder);
        var listing = new BackupCatalog(parent, later).List();
        listing.Backups.Count.ShouldBe(1);
        listing.Unusable.ShouldBeEmpty();
        Directory.Delete(parent, recursive: true);
    }

    [Fact]
    public async Task Nothing_made_is_nothing_found() =>
        new BackupEvidence(RealServer.NewRun()).FindBackup(await DatabaseInspector.ReadAsync(shared.Environment, CancellationToken.None)).Text.ShouldBe("no record of a backup");

    [Theory]
    [InlineData("expired", "it expired ")]
    [InlineData("clock set back", "a clock is wrong")]
    [InlineData("another database", "it is of another database")]
    [InlineData("migrated", "it was taken at revision 0010, and the database is at 0011")]
    [InlineData("migrated and back", "it was taken before the last migration")]
    [InlineData("folder gone", "is gone")]
    [InlineData("manifest edited", "was edited since")]
    [InlineData("server set back", "which the server (0/1) has not reached")]
    [InlineData("failed over", "it failed over or was set back since")]
    [InlineData("file gone", "is gone or has another size")]
    [InlineData("file cut", "is gone or has another size")]
    public async Task Evidence_that_no_longer_holds_says_why(string fault, string reason)
    {
        var (run, now, made) = await VerifiedAsync();
        var table = BackupScenario.LargestTable(made.Folder);
        switch (fault)
        {
            case "expired": run = Later(run, run.EvidenceLifetime); break;
            case "clock set back": run = Later(run, TimeSpan.FromHours(-1)); break;
            case "another database": now = now with { Identity = now.Identity with { DatabaseOid = 1 } }; break;
            case "migrated": now = now with { Revisions = ["0011"], RevisionStamp = now.RevisionStamp + "1" }; break;
            case "migrated and back": now = now with { RevisionStamp = now.RevisionStamp + "1" }; break;
            case "folder gone": Directory.Delete(made.Folder, recursive: true); break;
            case "manifest edited": BackupScenario.FixHashes(made.Folder, manifest => manifest with { Who = "x" }); break;
            case "server set back": now = now with { WalPosition = "0/1" }; break;
            case "failed over": now = now with { Identity = now.Identity with { Timeline = now.Identity.Timeline + 1 } }; break;
            case "file gone": File.Delete(table); break;
            default: File.WriteAllBytes(table, File.ReadAllBytes(table)[..10]); break;
        }

        foreach (var search in new[] { new BackupEvidence(run).FindBackup(now), new BackupEvidence(run).FindVerification(now) })
        {
            search.Found.ShouldBeNull();
            search.Rejected.Single().ShouldContain(reason);
            search.Text.ShouldContain(reason);
        }
    }

    [Fact]
    public async Task A_newer_backup_is_not_verified_by_the_verification_of_an_older_one()
    {
        var (run, now, _) = await VerifiedAsync();
        var newer = await BackupScenario.BackUpAsync(run, shared.Environment);

        new BackupEvidence(run).FindBackup(now).Backup!.Folder.ShouldBe(newer.Backup.Folder);
        new BackupEvidence(run).FindVerification(now, newer.Backup).Found.ShouldBeNull();
        new BackupEvidence(run).FindVerification(now).Found.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_backup_that_was_found_damaged_is_neither_verified_nor_a_backup_until_it_is_read_back_again()
    {
        var (run, now, made) = await VerifiedAsync();
        var table = BackupScenario.LargestTable(made.Folder);
        BackupScenario.Flip(table, 100);
        await Should.ThrowAsync<FailedCleanException>(() => BackupScenario.VerifyAsync(run, shared.Environment, made));

        new BackupEvidence(run).FindVerification(now).Text.ShouldContain("the newest one failed");
        new BackupEvidence(run).FindBackup(now).Text.ShouldContain("it was found damaged");

        BackupScenario.Flip(table, 100);
        await BackupScenario.VerifyAsync(run, shared.Environment, made);
        new BackupEvidence(run).FindVerification(now).Found.ShouldNotBeNull();
        new BackupEvidence(run).FindBackup(now).Found.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_databases_facts_hold_its_WAL_position_and_a_backup_lies_not_beyond_it()
    {
        var now = await DatabaseInspector.ReadAsync(shared.Environment, CancellationToken.None);

        WalPosition.IsBeyond(shared.Made.Backup.Manifest.WalPosition, now.WalPosition).ShouldBeFalse();
        WalPosition.IsBeyond(now.WalPosition, "0/1").ShouldBeTrue();
    }

    [Theory]
    [InlineData("1/0", "0/FFFFFFFF", true)]
    [InlineData("0/10", "0/9", true)]
    [InlineData("0/9", "0/9", false)]
    [InlineData(null, "0/9", false)]
    [InlineData("0/9", null, false)]
    [InlineData("nonsense", "0/9", false)]
    public void WAL_positions_are_compared_as_numbers(string? recorded, string? now, bool expected) => WalPosition.IsBeyond(recorded, now).ShouldBe(expected);

    private static RunContext Later(RunContext run, TimeSpan by) => run with { Clock = new ShiftedClock(by) };

    /// <summary>A copy of the backup, with the records that the two steps would have written of it.</summary>
    private async Task<(RunContext Run, DatabaseFacts Now, BackupReference Backup)> VerifiedAsync()
    {
        var run = RealServer.NewRun();
        var backup = ManifestFile.Read(BackupScenario.Copy(shared.Made.Backup, run));
        var now = backup.Manifest.DatabaseFacts();
        var facts = shared.Made.Evidence.FactsAs<BackupFacts>();
        await run.RecordAsync(EvidenceKinds.Backup, shared.Environment, now, facts with { Folder = BackupLocation.Relative(backup.Folder, run.Root) }, TimeSpan.Zero, null, CancellationToken.None);
        await BackupScenario.VerifyAsync(run, shared.Environment, backup);
        return (run, now, backup);
    }

    private sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
