using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Snapshots;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

public sealed class SnapshotRollbackTests(RealServer server, MotoServer moto, SecondServer second) : IClassFixture<MotoServer>, IClassFixture<SecondServer>
{
    [Fact]
    public async Task A_snapshot_is_restored_beside_with_every_setting_of_the_original_and_nothing_points_at_it()
    {
        var settings = await SettingsAsync();
        var scenario = await RdsScenario.NewAsync(server, moto, second, settings: settings);
        var snapshot = await scenario.SnapshotAsync();
        var original = (await scenario.FindAsync(scenario.Instance))!;
        var run = scenario.NewRun();
        var result = await scenario.RollBackAsync(scenario.Options(snapshot: snapshot.Snapshot), run: run);

        result.Switched.ShouldBeNull();
        result.Restored.Instance.ShouldBe($"{scenario.Instance}-restored-{run.RunId}");
        result.Restored.Revisions.ShouldBe(["r1000"]);
        result.Restored.Rows.ShouldBe(201);
        result.Restored.Differences.ShouldBeEmpty();
        var restored = (await scenario.FindAsync(result.Restored.Instance)).ShouldNotBeNull();
        restored.Settings.ToTable().ShouldBe(original.Settings.ToTable());
        restored.IsEncrypted.ShouldBe(original.IsEncrypted);
        restored.Tags.Where(tag => !tag.Key.StartsWith("aragora:", StringComparison.Ordinal)).ShouldBe(original.Tags, ignoreOrder: true);
        RestoreTags.StepOf(restored).ShouldBe(RestoreStep.Checked);
        (await scenario.FindAsync(scenario.Instance))!.ShouldBeEquivalentTo(original);
        scenario.Moves.ShouldBeEmpty();
        run.Evidence.ReadAll().Accepted.Where(evidence => evidence.RunId == run.RunId).ShouldHaveSingleItem().Kind.ShouldBe(EvidenceKinds.SnapshotRestore);
        scenario.Log.ShouldContain(line => line.Contains($"change the host in PRODUCTION_DATABASE_URL, and wherever the application has it, to {restored.Address} (port 5433)", StringComparison.Ordinal));
        scenario.Log.ShouldContain(line => line.Contains("--switch Rename --accept-lost-writes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_settings_that_were_set_are_no_defaults()
    {
        var name = await moto.NewInstanceAsync(null, await SettingsAsync());
        var plain = await moto.NewInstanceAsync();
        var (set, unset) = ((await moto.Api().FindInstanceAsync(name, CancellationToken.None))!, (await moto.Api().FindInstanceAsync(plain, CancellationToken.None))!);
        set.Settings.DifferencesFrom(unset.Settings).Select(difference => difference.Name).ShouldBe(
            ["backup retention (days)", "backup window", "CA certificate", "copy tags to snapshots", "deletion protection", "IAM authentication", "log exports", "maintenance window", "maximum storage (GiB)", "minor version upgrades", "Multi-AZ", "option group", "parameter group", "public", "security groups", "storage IOPS", "storage type", "subnet group"],
            ignoreOrder: true);
    }

    [Fact]
    public async Task With_a_switch_the_restored_one_bears_the_name_and_the_original_is_kept()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        await scenario.SqlAsync("UPDATE alembic_version SET version_num = 'r2000'");
        var run = scenario.NewRun();
        var result = await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot), run: run);

        var switched = result.Switched.ShouldNotBeNull();
        switched.From.ShouldBe(["r2000"]);
        switched.To.ShouldBe(["r1000"]);
        switched.KeptInstance.ShouldBe($"{scenario.Instance}-before-{run.RunId}");
        (await scenario.InstancesAsync()).Select(instance => instance.Identifier).ShouldBe([scenario.Instance, switched.KeptInstance]);
        RestoreTags.StepOf((await scenario.FindAsync(scenario.Instance))!).ShouldBe(RestoreStep.Switched);
        (await scenario.FindAsync(switched.KeptInstance))!.Tags[RestoreTags.KeptOf].ShouldBe(scenario.Instance);
        scenario.Moves.ShouldBe(["production"]);
        run.Evidence.ReadAll().Accepted.Count(evidence => evidence.Kind == EvidenceKinds.Rollback && evidence.RunId == run.RunId).ShouldBe(1);
        scenario.Warnings.ShouldContain(line => line.Contains("are lost here, and kept in the old instance", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_rollback_to_an_older_snapshot_goes_on_from_the_first()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var older = await scenario.SnapshotAsync();
        var newer = await scenario.SnapshotAsync(anew: true, run: scenario.NewRun());
        await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, newer.Snapshot));
        await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, older.Snapshot, "unknown"));
        (await scenario.InstancesAsync()).Count.ShouldBe(3);
        (await scenario.FindAsync(scenario.Instance))!.Tags[RestoreTags.Snapshot].ShouldBe(older.Snapshot);
    }

    [Fact]
    public async Task Writes_since_the_dump_beside_the_snapshot_are_counted_and_have_to_be_accepted()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        await scenario.SqlAsync("INSERT INTO users (name) VALUES ('late'), ('later')");
        await SeenAsync(scenario, 202);
        var refused = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot, "1")));
        refused.What.ShouldBe($"A switch to {snapshot.Snapshot} would lose 2 writes, and 1 is accepted.");
        refused.Next.ShouldEndWith("--switch Rename --accept-lost-writes 2");
        var unknown = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot, "5"), hasDump: false));
        unknown.What.ShouldBe($"A switch to {snapshot.Snapshot} would lose an unknown number of writes.");
        (await scenario.InstancesAsync()).ShouldHaveSingleItem();
        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot, "2"))).Switched!.LostWrites.ShouldBe(2);
    }

    [Theory]
    [InlineData("UPDATE alembic_version SET version_num = 'r0900'", "is at r0900, and the snapshot")]
    [InlineData("DROP TABLE users", "lacks 1 table of the dump")]
    [InlineData("DO 'BEGIN EXECUTE format(''ALTER ROLE %I PASSWORD ''''other'''''', current_user); END'", "lets nobody in from here")]
    public async Task A_restored_database_that_is_not_as_it_should_be_gets_no_name(string damage, string told)
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second, RdsScenario.Content + damage + ";");
        var snapshot = await scenario.SnapshotAsync();
        var failure = await Should.ThrowAsync<FailedCleanException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot)));
        failure.What.ShouldContain(told);
        failure.What.ShouldEndWith("; production was not touched.");
        failure.Message.ShouldNotContain("plain-role-password");
        scenario.Moves.ShouldBeEmpty();
        (await scenario.FindAsync(scenario.Instance))!.Tags.Keys.ShouldNotContain(RestoreTags.RestoreOf);
    }

    [Fact]
    public async Task A_url_that_does_not_follow_the_name_is_for_a_person()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        var stuck = scenario.Options(SwitchMode.Rename, snapshot.Snapshot);
        var url = MotoServer.AddressOf(scenario.Instance);
        var failure = await Should.ThrowAsync<NeedsPersonException>(() => scenario.RollBackAsync(stuck with { ConnectPatience = TimeSpan.FromSeconds(1), Reach = (host, port) => host == url ? (scenario.Real.Database.Host, scenario.Real.Database.Port) : stuck.Reach(host, port) }));
        failure.What.ShouldBe("The names are exchanged, and PRODUCTION_DATABASE_URL does not lead to the restored database.");
        failure.Why.ShouldContain("and the restored one is");
        scenario.Moves.Count.ShouldBe(1);
        (await scenario.RollBackAsync(stuck)).Switched.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_permission_that_is_missing_midway_names_the_action_and_what_stands()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second, settings: ("MaxAllocatedStorage", "500"));
        var snapshot = await scenario.SnapshotAsync();
        await using var denying = new FakeBetween(moto.Url, request => request.Action == "ModifyDBInstance" ? Task.FromResult(FakeBetween.Error(403, "AccessDenied", "User: arn:aws:iam::1:user/ci is not authorized to perform: rds:ModifyDBInstance on resource: arn:aws:rds:eu-central-1:1:db:x")) : request.PassAsync());
        var run = scenario.NewRun();
        var failure = await Should.ThrowAsync<FailedCleanException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot), moto.Api(denying.Url), run));
        failure.What.ShouldBe("AWS does not allow rds:ModifyDBInstance on arn:aws:rds:eu-central-1:1:db:x.");
        failure.Why.ShouldEndWith($"the restored instance {RdsNames.Restored(scenario.Instance, run.RunId)} stands, and production was not touched");
        scenario.Moves.ShouldBeEmpty();
        (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot))).Switched.ShouldNotBeNull();
    }

    [Fact]
    public async Task What_cannot_be_restored_is_told_apart()
    {
        var scenario = await RdsScenario.NewAsync(server, moto);
        var snapshot = await scenario.SnapshotAsync();
        var unnamed = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options()));
        unnamed.Why.ShouldContain($"{snapshot.Snapshot}: taken ");
        unnamed.Why.ShouldContain("at r1000, available");
        (await Should.ThrowAsync<BadInputException>(() => scenario.RollBackAsync(scenario.Options(snapshot: "nothing-such")))).What.ShouldBe("There is no snapshot nothing-such.");
        var other = await RdsScenario.NewAsync(server, moto);
        var theirs = await other.SnapshotAsync();
        (await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(snapshot: theirs.Snapshot)))).Why.ShouldBe($"it is of {other.Instance}, and production's is {scenario.Instance}");
    }

    [Fact]
    public async Task A_name_that_somebody_else_has_is_not_taken_from_them()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        var run = scenario.NewRun();
        await moto.AskAsync("rds", "CreateDBInstance", ("DBInstanceIdentifier", RdsNames.Before(scenario.Instance, run.RunId)), ("DBInstanceClass", "db.t3.micro"), ("Engine", "postgres"), ("AllocatedStorage", "20"), ("MasterUsername", "root"), ("MasterUserPassword", "a-password"));
        (await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot), run: run))).What.ShouldContain("the name that");
        scenario.Moves.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_snapshot_of_a_moment_in_a_migration_asks_the_application_about_what_was_found_in_it()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        await moto.Api().TagAsync(snapshot.Arn, new Dictionary<string, string>(StringComparer.Ordinal) { [SnapshotTags.Revision] = SnapshotTags.Unknown }, CancellationToken.None);
        await scenario.RollBackAsync(scenario.Options(snapshot: snapshot.Snapshot));
        scenario.Fitted.ShouldBe(["r1000"]);
        scenario.Log.ShouldContain(line => line.EndsWith("at a revision that it does not tell", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unknown_accepts_no_number_that_is_known()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        await scenario.SqlAsync("INSERT INTO users (name) VALUES ('late')");
        await SeenAsync(scenario, 201);
        (await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot, "unknown")))).What
            .ShouldBe($"A switch to {snapshot.Snapshot} would lose 1 write, and --accept-lost-writes unknown accepts only what cannot be counted.");
    }

    [Fact]
    public async Task One_that_bears_the_name_already_is_said_so_and_what_is_not_as_it_should_be_is_not_called_untouched()
    {
        var scenario = await RdsScenario.NewAsync(server, moto, second);
        var snapshot = await scenario.SnapshotAsync();
        var switched = (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot))).Switched!;
        var refused = await Should.ThrowAsync<RefusedException>(() => scenario.RollBackAsync(scenario.Options(snapshot: snapshot.Snapshot)));
        refused.What.ShouldStartWith($"{scenario.Instance} is what run ");
        refused.Next.ShouldContain("--switch Rename   verifies it again; to restore the snapshot once more: aws rds remove-tags-from-resource");

        switched.WasOver.ShouldBeFalse();
        var again = (await scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot))).Switched!;
        (again.WasOver, again.KeptInstance).ShouldBe((true, switched.KeptInstance));
        scenario.Warnings.ShouldContain(line => line.Contains("and nothing is restored. To restore the snapshot once more: aws rds remove-tags-from-resource", StringComparison.Ordinal));

        await scenario.SqlOnRestoredAsync("UPDATE alembic_version SET version_num = 'r2000'");
        var unlike = await Should.ThrowAsync<NeedsPersonException>(() => scenario.RollBackAsync(scenario.Options(SwitchMode.Rename, snapshot.Snapshot)));
        unlike.What.ShouldBe($"The names are exchanged, and {scenario.Instance} is not as it should be.");
        unlike.Why.ShouldContain($"; it bears the name {scenario.Instance}, and the old instance is kept as {switched.KeptInstance}.");
        unlike.Message.ShouldNotContain("not touched");
    }

    /// <summary>What a session wrote last reaches the statistics only after a moment.</summary>
    private static async Task SeenAsync(RdsScenario scenario, long inserted)
    {
        while (true)
        {
            await using var session = await Adapters.Postgres.PostgresSession.OpenAsync(scenario.Real, "aragora-tests");
            if (await session.ScalarAsync<long>("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'users'", CancellationToken.None) >= inserted)
            {
                return;
            }

            await Task.Delay(100);
        }
    }

    /// <summary>Everything that moto keeps.</summary>
    private async Task<(string Name, string Value)[]> SettingsAsync()
    {
        var id = Guid.NewGuid().ToString("N")[..8];
        var vpc = Text(await moto.AskAsync("ec2", "CreateVpc", ("CidrBlock", "10.0.0.0/16")), "vpcId");
        var subnets = new List<string>();
        foreach (var zone in new[] { "a", "b" })
        {
            subnets.Add(Text(await moto.AskAsync("ec2", "CreateSubnet", ("VpcId", vpc), ("CidrBlock", $"10.0.{subnets.Count}.0/24"), ("AvailabilityZone", MotoServer.Region + zone)), "subnetId"));
        }

        var group = Text(await moto.AskAsync("ec2", "CreateSecurityGroup", ("VpcId", vpc), ("GroupName", $"g-{id}"), ("GroupDescription", "tests")), "groupId");
        await moto.AskAsync("rds", "CreateDBSubnetGroup", ("DBSubnetGroupName", $"net-{id}"), ("DBSubnetGroupDescription", "tests"), ("SubnetIds.SubnetIdentifier.1", subnets[0]), ("SubnetIds.SubnetIdentifier.2", subnets[1]));
        await moto.AskAsync("rds", "CreateDBParameterGroup", ("DBParameterGroupName", $"parameters-{id}"), ("DBParameterGroupFamily", "postgres15"), ("Description", "tests"));
        await moto.AskAsync("rds", "CreateOptionGroup", ("OptionGroupName", $"options-{id}"), ("EngineName", "postgres"), ("MajorEngineVersion", "13"), ("OptionGroupDescription", "tests"));
        return
        [
            ("DBSubnetGroupName", $"net-{id}"), ("VpcSecurityGroupIds.VpcSecurityGroupId.1", group), ("DBParameterGroupName", $"parameters-{id}"), ("OptionGroupName", $"options-{id}"),
            ("EnableIAMDatabaseAuthentication", "true"), ("DeletionProtection", "true"), ("MultiAZ", "true"), ("PubliclyAccessible", "true"), ("StorageType", "io1"), ("Iops", "3000"), ("MaxAllocatedStorage", "500"),
            ("CACertificateIdentifier", "rds-ca-rsa4096-g1"), ("EnableCloudwatchLogsExports.member.1", "postgresql"), ("EnableCloudwatchLogsExports.member.2", "upgrade"), ("CopyTagsToSnapshot", "true"),
            ("AutoMinorVersionUpgrade", "false"), ("BackupRetentionPeriod", "14"), ("PreferredBackupWindow", "03:00-03:30"), ("PreferredMaintenanceWindow", "sun:05:00-sun:05:30"), ("StorageEncrypted", "true"),
            ("Tags.Tag.1.Key", "team"), ("Tags.Tag.1.Value", "api"), ("Tags.Tag.2.Key", "cost-centre"), ("Tags.Tag.2.Value", "42"),
        ];
    }

    private static string Text(System.Xml.Linq.XElement answer, string name) => answer.Descendants().First(element => element.Name.LocalName == name).Value;
}
