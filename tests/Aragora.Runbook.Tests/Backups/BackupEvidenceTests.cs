using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
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
        verification.Text.ShouldBe("verified 40 min ago, still this database, these revisions");
        verification.Found!.FactsAs<VerificationFacts>().ManifestSha256.ShouldBe(made.ManifestSha256);
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
