using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class BackupEvidenceTests(RealServer server)
{
    [Fact]
    public async Task A_fresh_backup_and_its_verification_are_found_and_said()
    {
        var (run, environment, made) = await VerifiedAsync();
        var now = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);

        var backup = new BackupEvidence(run).FindBackup(now);
        var verification = new BackupEvidence(Later(run, TimeSpan.FromMinutes(40))).FindVerification(now, made.Backup);

        backup.Backup!.Folder.ShouldBe(made.Backup.Folder);
        verification.Text.ShouldBe("verified 40 s ago, still this database, these revisions".Replace("40 s", "40 min", StringComparison.Ordinal));
        verification.Found!.FactsAs<VerificationFacts>().ManifestSha256.ShouldBe(made.Backup.ManifestSha256);
    }

    [Fact]
    public async Task Nothing_made_is_nothing_found() =>
        new BackupEvidence(RealServer.NewRun()).FindBackup(await DatabaseInspector.ReadAsync(await server.NewDatabaseAsync(), CancellationToken.None)).Text.ShouldBe("no record of a backup that was backed up");

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
        var (run, environment, made) = await VerifiedAsync();
        var now = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);
        var table = BackupScenario.LargestTable(made.Backup.Folder);
        switch (fault)
        {
            case "expired": run = Later(run, run.EvidenceLifetime); break;
            case "clock set back": run = Later(run, TimeSpan.FromHours(-1)); break;
            case "another database": now = now with { Identity = now.Identity with { DatabaseOid = 1 } }; break;
            case "migrated":
                await RealServer.SqlAsync(environment, "UPDATE alembic_version SET version_num = '0011'");
                now = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);
                break;
            case "migrated and back":
                await RealServer.SqlAsync(environment, "UPDATE alembic_version SET version_num = '0011'");
                await RealServer.SqlAsync(environment, "UPDATE alembic_version SET version_num = '0010'");
                now = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);
                break;
            case "folder gone": Directory.Delete(made.Backup.Folder, recursive: true); break;
            case "manifest edited": BackupScenario.FixHashes(made.Backup.Folder, manifest => manifest with { Who = "x" }); break;
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
        var (run, environment, _) = await VerifiedAsync();
        var newer = await BackupScenario.BackUpAsync(run, environment);
        var now = await DatabaseInspector.ReadAsync(environment, CancellationToken.None);

        new BackupEvidence(run).FindBackup(now).Backup!.Folder.ShouldBe(newer.Backup.Folder);
        new BackupEvidence(run).FindVerification(now, newer.Backup).Found.ShouldBeNull();
        new BackupEvidence(run).FindVerification(now).Found.ShouldNotBeNull();
    }

    private static RunContext Later(RunContext run, TimeSpan by) => run with { Clock = new ShiftedClock(by) };

    private async Task<(RunContext Run, DatabaseEnvironment Environment, MadeBackup Made)> VerifiedAsync()
    {
        var environment = await BackupScenario.NewFilledAsync(server);
        var run = RealServer.NewRun();
        var made = await BackupScenario.BackUpAsync(run, environment);
        await BackupScenario.VerifyAsync(run, environment, made.Backup);
        return (run, environment, made);
    }

    private sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
