using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Backups;
using Aragora.Runbook.Tests.Migrations;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

public sealed class AutoStrategyTests(RealServer server)
{
    private const string Lossy = "op.execute('DROP TABLE votes')";

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task At_the_target_already_there_is_nothing_to_choose()
    {
        var scene = await MigratedAsync(Lossy);

        var choice = await scene.ChooseAsync("r2000");

        choice.Strategy.ShouldBe(RollbackStrategy.Downgrade);
        choice.Why.ShouldBe("the database is at r2000 already");
    }

    [Fact]
    public async Task A_downgrade_that_destroys_nothing_is_taken_and_no_backup_asked_for()
    {
        var scene = await MigratedAsync("op.execute('DROP VIEW v')", "op.execute('CREATE VIEW v AS SELECT 1')", "downgrade_destroys = None");

        var choice = await scene.ChooseAsync("-1");

        choice.ShouldBe(new StrategyChoice(RollbackStrategy.Downgrade, "every step has a downgrade, and none destroys data", "r1000", null));
    }

    [Fact]
    public async Task Where_both_cost_something_a_person_chooses_between_two_commands()
    {
        var scene = await MigratedAsync(Lossy);
        var backup = await scene.VerifiedBackupAsync("r1000");

        var refusal = await Should.ThrowAsync<RefusedException>(() => scene.ChooseAsync("-1"));

        refusal.Why.ShouldContain("Downgrade keeps what was written since, and destroys r2000 (Step r2000): ");
        refusal.Why.ShouldMatch("Restore loses what was written since its backup, [0-9]+ writes? so far");
        refusal.Why.ShouldMatch(", verified [0-9]+ s ago, ");
        var commands = refusal.Next.Split('\n', StringSplitOptions.TrimEntries);
        commands[0].ShouldBe("./build.sh Rollback --target-environment Production --strategy Downgrade --revision r1000 --accept-data-loss");
        commands[1].ShouldMatch($"^\\./build\\.sh Rollback --target-environment Production --strategy Restore --backup {backup.Name} --accept-lost-writes [0-9]+$");
    }

    [Fact]
    public async Task What_was_accepted_is_what_is_done()
    {
        var scene = await MigratedAsync(Lossy);
        var backup = await scene.VerifiedBackupAsync("r1000");

        (await scene.ChooseAsync("-1", acceptDataLoss: true)).Strategy.ShouldBe(RollbackStrategy.Downgrade);
        var restore = await scene.ChooseAsync("-1", accepted: new AcceptedWrites(100));

        restore.Strategy.ShouldBe(RollbackStrategy.Restore);
        restore.Backup!.Backup.Name.ShouldBe(backup.Name);
        restore.Why.ShouldBe("the downgrades destroy data, and what the restore may lose was accepted (100)");
    }

    [Fact]
    public async Task Without_a_way_back_by_downgrades_accepted_data_loss_does_not_help()
    {
        var scene = await MigratedAsync("pass");
        await scene.VerifiedBackupAsync("r1000");

        var refusal = await Should.ThrowAsync<RefusedException>(() => scene.ChooseAsync("-1", acceptDataLoss: true));
        var restore = await scene.ChooseAsync("-1", accepted: AcceptedWrites.Unknown);

        refusal.Why.ShouldContain("Downgrade is not possible: r2000 (Step r2000) has no downgrade");
        refusal.Next.ShouldNotContain("--strategy Downgrade");
        restore.Why.ShouldStartWith("there is no way back by downgrades");
    }

    [Fact]
    public async Task Without_a_verified_backup_there_the_restore_is_said_to_be_impossible()
    {
        var scene = await MigratedAsync(Lossy);
        await scene.VerifiedBackupAsync("r1000", verified: false);

        var refusal = await Should.ThrowAsync<RefusedException>(() => scene.ChooseAsync("-1", accepted: new AcceptedWrites(100)));

        refusal.Why.ShouldContain("Restore is not possible: there is no verified backup of production at r1000");
        refusal.Next.ShouldBe("./build.sh Rollback --target-environment Production --strategy Downgrade --revision r1000 --accept-data-loss");
    }

    [Fact]
    public async Task A_backup_that_was_named_is_restored_whatever_else_would_do()
    {
        var scene = await MigratedAsync("op.execute('DROP VIEW v')", "op.execute('CREATE VIEW v AS SELECT 1')", "downgrade_destroys = None");
        var backup = await scene.VerifiedBackupAsync("r1000");

        var choice = await scene.ChooseAsync("-1", backup: backup.Name);

        choice.Strategy.ShouldBe(RollbackStrategy.Restore);
        choice.Backup!.Backup.Name.ShouldBe(backup.Name);
        choice.Why.ShouldBe("a backup was named (--backup)");
    }

    [Fact]
    public async Task Where_this_checkout_lacks_the_revision_the_refusal_says_how_to_get_it()
    {
        var scene = await MigratedAsync("pass");
        await RealServer.SqlAsync(scene.Environment, "UPDATE alembic_version SET version_num = 'r9999'");

        var refusal = await Should.ThrowAsync<RefusedException>(() => scene.ChooseAsync("r1000"));

        refusal.What.ShouldBe("As it stands, there is no way back to r1000 for the production database.");
        refusal.Next.ShouldContain("git fetch --all");
    }

    [Fact]
    public async Task A_restore_without_a_backup_takes_the_newest_verified_one_at_the_revision_or_lists_what_there_is()
    {
        var scene = await MigratedAsync(Lossy);
        await scene.VerifiedBackupAsync("r1000");
        var newest = await scene.VerifiedBackupAsync("r1000");
        var unverified = await scene.VerifiedBackupAsync("r1000", verified: false);
        var choice = new BackupChoice(scene.Backups);

        (await choice.ChooseAsync(scene.Environment, null, "r1000", None)).Backup.Name.ShouldBe(newest.Name);
        (await choice.ChooseAsync(scene.Environment, unverified.Name, null, None)).IsVerified.ShouldBeFalse();
        (await Should.ThrowAsync<BadInputException>(() => choice.ChooseAsync(scene.Environment, newest.Name, "r2000", None))).What.ShouldBe($"{newest.Name} is not at revision r2000.");
        (await Should.ThrowAsync<RefusedException>(() => choice.ChooseAsync(scene.Environment, null, "base", None))).What.ShouldContain("no verified backup of production at revision base");
        var nothingNamed = await Should.ThrowAsync<RefusedException>(() => choice.ChooseAsync(scene.Environment, null, null, None));
        nothingNamed.Why.ShouldContain($"{unverified.Name}: at r1000, made ");
        nothingNamed.Why.ShouldContain("never verified");
    }

    [Fact]
    public async Task Staging_has_no_backups_and_its_refusals_say_so_and_name_the_way_there_is()
    {
        var (run, staging) = (RealServer.NewRun(), await server.NewDatabaseAsync(TargetEnvironment.Staging));

        var refusal = await Should.ThrowAsync<RefusedException>(() => new BackupChoice(new RestorableBackups(run, new BackupOptions())).ChooseAsync(staging, null, null, None));

        refusal.Why.ShouldBe("there is no backup of this database here, and there never is one of staging: Backup is for production");
        refusal.Next.ShouldBe("./build.sh Rollback --target-environment Staging --strategy Downgrade --revision -1");
    }

    private async Task<Scene> MigratedAsync(string downgrade, string upgrade = "op.execute('CREATE TABLE votes (a int)')", string header = "")
    {
        var (tree, run, environment) = (await TestTree.NewAsync(server), RealServer.NewRun(), await server.NewDatabaseAsync());
        var definition = await tree.AddTables(1).Add("r2000", "r1000", upgrade, downgrade, header).ReadAsync();
        await tree.Migrator(run).MigrateAsync(environment, definition, "head", gate: null, None);
        return new Scene(server, run, environment, definition);
    }

    private sealed record Scene(RealServer Server, RunContext Run, DatabaseEnvironment Environment, MigrationsTree Tree)
    {
        public RestorableBackups Backups => new(Run, new BackupOptions());

        public Task<StrategyChoice> ChooseAsync(string revision, bool acceptDataLoss = false, AcceptedWrites? accepted = null, string? backup = null) =>
            new AutoStrategy(Run, Server.Commands, Backups).ChooseAsync(Environment, Tree, revision, backup, acceptDataLoss, accepted, None);

        /// <summary>A backup whose manifest says that it was taken at an older revision.</summary>
        public async Task<BackupReference> VerifiedBackupAsync(string revision, bool verified = true)
        {
            var made = await BackupScenario.BackUpAsync(RealServer.NewRun(), Environment);
            var folder = BackupScenario.Copy(made.Backup, Run);
            BackupScenario.FixHashes(folder, manifest => manifest with { Revisions = [revision] });
            await RealServer.SqlAsync(Environment, "UPDATE alembic_version SET version_num = version_num");
            var backup = ManifestFile.Read(folder);
            if (verified)
            {
                var facts = new VerificationFacts(folder, backup.ManifestSha256, 1, 1, 1, backup.Manifest.MadeAt);
                await Run.RecordAsync(EvidenceKinds.BackupVerification, Environment, backup.Manifest.DatabaseFacts(), facts, TimeSpan.Zero, null, None);
            }

            return backup;
        }
    }
}
