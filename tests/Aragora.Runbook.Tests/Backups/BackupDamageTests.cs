using Aragora.Runbook.Backups;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class BackupDamageTests(SharedBackup shared) : IClassFixture<SharedBackup>
{
    public static TheoryData<string, bool> EveryFileAndPlace()
    {
        var cases = new TheoryData<string, bool>();
        foreach (var compressed in new[] { true, false })
        {
            foreach (var kind in new[] { "table", "large object", "large objects' list", "toc", "globals" })
            {
                foreach (var place in new[] { "first", "middle", "last" })
                {
                    cases.Add($"{kind}, {place}", compressed);
                }
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(EveryFileAndPlace))]
    public async Task A_flipped_byte_is_caught_and_the_file_named(string where, bool compressed)
    {
        var (run, folder) = Copied(compressed);
        var file = FileOf(folder, where.Split(',')[0]);
        var length = new FileInfo(file).Length;
        BackupScenario.Flip(file, where.Split(", ")[1] switch { "first" => 0, "middle" => length / 2, _ => length - 1 });

        (await RefusedAsync(run, folder)).Why.ShouldContain($"{Path.GetFileName(file)}: its content was changed");
    }

    [Fact]
    public async Task Every_difference_is_named_not_only_the_first()
    {
        var (run, folder) = Copied();
        var table = BackupScenario.LargestTable(folder);
        File.WriteAllBytes(table, File.ReadAllBytes(table)[..1000]);
        File.Delete(FileOf(folder, "large object"));
        File.WriteAllText(Path.Combine(folder, "stranger.dat"), "x");
        BackupScenario.Flip(Path.Combine(folder, "toc.dat"), 200);

        var refusal = await RefusedAsync(run, folder);

        refusal.Why.ShouldContain($"{Path.GetFileName(table)}: has 1000 bytes, the manifest says ");
        refusal.Why.ShouldMatch(@"blob_\d+\.dat\.gz: is missing");
        refusal.Why.ShouldContain("stranger.dat: is not in the manifest");
        refusal.Why.ShouldContain("toc.dat: its content was changed");
    }

    [Fact]
    public async Task A_stranger_in_a_folder_within_is_found_and_so_is_a_link()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right there");
        var (run, folder) = Copied();
        Directory.CreateDirectory(Path.Combine(folder, "more"));
        File.WriteAllText(Path.Combine(folder, "more", "x"), "x");
        var table = BackupScenario.LargestTable(folder);
        File.Move(table, table + ".elsewhere");
        File.CreateSymbolicLink(table, table + ".elsewhere");

        var refusal = await RefusedAsync(run, folder);

        refusal.Why.ShouldContain("more/x: is not in the manifest");
        refusal.Why.ShouldContain($"{Path.GetFileName(table)}: is a link to");
    }

    [Theory]
    [InlineData("middle")]
    [InlineData("checksum")]
    public async Task A_flipped_byte_in_compressed_rows_is_caught_although_the_manifest_was_fixed(string where)
    {
        var (run, folder) = Copied();
        var table = BackupScenario.LargestTable(folder);
        var length = new FileInfo(table).Length;
        BackupScenario.Flip(table, where == "middle" ? length / 2 : length - 6);
        BackupScenario.FixHashes(folder);

        (await RefusedAsync(run, folder)).Why.ShouldContain(Path.GetFileName(table));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(true, 50)]
    [InlineData(true, 99)]
    [InlineData(false, 0)]
    [InlineData(false, 50)]
    [InlineData(false, 99)]
    public async Task Rows_cut_short_are_caught_although_the_manifest_was_fixed(bool compressed, int percentLeft)
    {
        var (run, folder) = Copied(compressed);
        var table = BackupScenario.LargestTable(folder);
        var bytes = File.ReadAllBytes(table);
        File.WriteAllBytes(table, bytes[..(bytes.Length * percentLeft / 100)]);
        BackupScenario.FixHashes(folder);

        (await RefusedAsync(run, folder)).Why.ShouldMatch("table public.users: .* instead of 20000|table public.users: the content");
    }

    [Fact]
    public async Task A_damaged_table_of_contents_is_caught_although_the_manifest_was_fixed()
    {
        var (run, folder) = Copied();
        var toc = Path.Combine(folder, "toc.dat");
        var bytes = File.ReadAllBytes(toc);
        File.WriteAllBytes(toc, bytes[..(bytes.Length / 2)]);
        BackupScenario.FixHashes(folder);

        (await RefusedAsync(run, folder)).Why.ShouldContain("pg_restore");
    }

    [Fact]
    public async Task A_missing_table_file_is_caught_although_the_manifest_was_fixed()
    {
        var (run, folder) = Copied();
        var table = BackupScenario.LargestTable(folder);
        File.Delete(table);
        BackupScenario.FixHashes(folder);

        (await RefusedAsync(run, folder)).Why.ShouldContain("pg_restore ended with exit code 1");
    }

    [Fact]
    public async Task A_revision_edited_into_the_manifest_is_caught_by_the_archive_itself()
    {
        var (run, folder) = Copied();
        BackupScenario.FixHashes(folder, manifest => manifest with { Revisions = ["0011"] });

        (await RefusedAsync(run, folder)).Why.ShouldContain("says revision 0011, and the alembic_version that was restored holds 0010");
    }

    [Fact]
    public async Task A_revision_edited_out_of_the_manifest_is_caught_by_the_archive_itself()
    {
        var (run, folder) = Copied();
        BackupScenario.FixHashes(folder, manifest => manifest with { Revisions = [] });

        (await RefusedAsync(run, folder)).Why.ShouldContain("says revision none, and the alembic_version that was restored holds 0010");
    }

    [Fact]
    public async Task A_count_edited_into_the_manifest_is_caught()
    {
        var (run, folder) = Copied();
        BackupScenario.FixHashes(folder, manifest => manifest with { Tables = 8 });

        (await RefusedAsync(run, folder)).Why.ShouldMatch(@"lists \d+ entries and 7 tables, the manifest says \d+ and 8");
    }

    [Fact]
    public async Task Any_edit_of_the_manifest_is_caught_where_the_evidence_of_the_dump_is_there()
    {
        var run = RealServer.NewRun();
        var made = await BackupScenario.BackUpAsync(run, shared.Environment);
        BackupScenario.FixHashes(made.Backup.Folder, manifest => manifest with { Who = "somebody else" });

        (await RefusedAsync(run, made.Backup.Folder)).Why.ShouldContain("manifest.json: was edited since the backup was made");
    }

    [Fact]
    public async Task Damage_is_not_hidden_by_a_scratch_server_that_broke_in_a_way_nobody_foresaw()
    {
        var (run, folder) = Copied();
        BackupScenario.Flip(FileOf(folder, "toc"), 200);
        var servers = new ScratchServers(run, new ServerProvider(run, BackupScenario.Commands, new ServerBinaryProvider(run, BackupScenario.Commands)), Path.Combine(run.Root, "scratch"));
        var scratch = new ScratchDatabases(run, servers, BackupScenario.Commands) { FreeBytes = _ => throw new InvalidOperationException("nobody foresaw it") };

        await Should.ThrowAsync<FailedCleanException>(() => new VerifyBackupStep(run, shared.Environment, new BackupOptions { Jobs = 2 }, scratch, BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(ManifestFile.Read(folder), CancellationToken.None));

        run.Evidence.ReadAll().Accepted.ShouldHaveSingleItem().Green.ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_undamaged_copy_is_verified(bool compressed)
    {
        var (run, folder) = Copied(compressed);

        var verified = await BackupScenario.VerifyAsync(run, shared.Environment, ManifestFile.Read(folder));

        verified.Facts.Bytes.ShouldBe(verified.Backup.Manifest.TotalBytes);
        verified.Evidence.Revisions.ShouldBe(["0010"]);
    }

    [Fact]
    public async Task With_a_key_a_backup_without_a_signed_record_of_its_dump_is_refused()
    {
        var (run, folder) = Copied();
        run = run with { Evidence = new EvidenceStore(run.Folder, [Path.GetDirectoryName(run.Folder)!], run.Secrets, [1, 2, 3]) };

        (await Should.ThrowAsync<RefusedException>(() => BackupScenario.VerifyAsync(run, shared.Environment, ManifestFile.Read(folder)))).What.ShouldContain("no signed record of its dump");

        run.Evidence.ReadAll().Accepted.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_verification_is_believed_as_long_as_its_dump_and_not_longer()
    {
        var (run, folder) = Copied();
        var dumped = run.Clock.GetUtcNow() - TimeSpan.FromHours(30);
        BackupScenario.FixHashes(folder, manifest => manifest with { MadeAt = dumped });

        var verified = await BackupScenario.VerifyAsync(run, shared.Environment, ManifestFile.Read(folder));

        verified.Evidence.ExpiresAt.ShouldBe(dumped + run.EvidenceLifetime);
        new BackupEvidence(run).FindVerification(verified.Backup.Manifest.DatabaseFacts()).Text.ShouldContain("it expired ");
    }

    [Fact]
    public async Task A_backup_that_says_it_was_made_in_the_future_is_refused_for_its_verification_would_be_believed_too_long()
    {
        var (run, folder) = Copied();
        BackupScenario.FixHashes(folder, manifest => manifest with { MadeAt = run.Clock.GetUtcNow() + TimeSpan.FromDays(400) });

        (await Should.ThrowAsync<RefusedException>(() => BackupScenario.VerifyAsync(run, shared.Environment, ManifestFile.Read(folder)))).What.ShouldContain("made in the future");

        run.Evidence.ReadAll().Accepted.ShouldBeEmpty();
    }

    private (RunContext Run, string Folder) Copied(bool compressed = true)
    {
        var run = RealServer.NewRun();
        return (run, BackupScenario.Copy((compressed ? shared.Made : shared.Uncompressed).Backup, run));
    }

    private static string FileOf(string folder, string kind) => kind switch
    {
        "table" => BackupScenario.LargestTable(folder),
        "large object" => Directory.EnumerateFiles(folder, "blob_*").Single(),
        "large objects' list" => Directory.EnumerateFiles(folder, "blobs*.toc").Single(),
        "globals" => Path.Combine(folder, GlobalsDump.FileName),
        _ => Path.Combine(folder, "toc.dat"),
    };

    private async Task<FailedCleanException> RefusedAsync(RunContext run, string folder)
    {
        var refusal = await Should.ThrowAsync<FailedCleanException>(() => BackupScenario.VerifyAsync(run, shared.Environment, ManifestFile.Read(folder)));
        var red = run.Evidence.ReadAll().Accepted.Where(evidence => evidence.Kind == EvidenceKinds.BackupVerification).ShouldHaveSingleItem();
        red.Green.ShouldBeFalse();
        red.Failure!.ShouldContain("cannot be relied on");
        return refusal;
    }
}
