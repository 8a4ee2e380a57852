using System.Text.Json.Nodes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class BackupCatalogTests(SharedBackup shared) : IClassFixture<SharedBackup>
{
    private readonly RunContext run = RealServer.NewRun();

    private string Parent => Path.Combine(run.Root, "artifacts", "backups");

    private BackupCatalog Catalog => new(Parent, run);

    [Fact]
    public void A_backup_is_found_by_name_by_relative_and_by_absolute_path()
    {
        var folder = BackupScenario.Copy(shared.Made.Backup, run);

        foreach (var name in new[] { Path.GetFileName(folder), $"artifacts/backups/{Path.GetFileName(folder)}", folder, folder + "/" })
        {
            Catalog.Resolve(name, shared.Made.Backup.Manifest.Database).Folder.ShouldBe(folder);
        }
    }

    [Theory]
    [InlineData("empty", "the folder is empty")]
    [InlineData("no manifest", "it has no manifest.json")]
    [InlineData("unfinished", "it was never finished")]
    [InlineData("half a manifest", "is not a manifest")]
    [InlineData("not json", "is not a manifest")]
    [InlineData("null", "is not a manifest")]
    [InlineData("null files", "leaves out the files")]
    [InlineData("newer format", "is of format 99")]
    [InlineData("a file outside", "names a file outside")]
    [InlineData("an absolute file", "names a file outside")]
    public void A_folder_that_is_no_backup_is_refused_with_the_reason(string fault, string reason)
    {
        var folder = BackupScenario.Copy(shared.Made.Backup, run);
        var manifest = Path.Combine(folder, ManifestFile.Name);
        var text = File.ReadAllText(manifest);
        switch (fault)
        {
            case "empty":
                Directory.Delete(folder, recursive: true);
                Directory.CreateDirectory(folder);
                break;
            case "no manifest": File.Delete(manifest); break;
            case "unfinished":
                Directory.Move(folder, folder + ".partial");
                folder += ".partial";
                break;
            case "half a manifest": File.WriteAllText(manifest, text[..(text.Length / 2)]); break;
            case "not json": File.WriteAllText(manifest, "hello"); break;
            case "null": File.WriteAllText(manifest, "null"); break;
            case "null files": BackupScenario.FixHashes(folder, good => good with { Files = [] }); File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"files\": []", "\"files\": null", StringComparison.Ordinal)); break;
            case "newer format": BackupScenario.FixHashes(folder, good => good with { Format = 99 }); break;
            case "a file outside": BackupScenario.FixHashes(folder, good => good with { Files = [new BackupFile("../../x", 1, "00")] }); break;
            default: BackupScenario.FixHashes(folder, good => good with { Files = [new BackupFile("/etc/passwd", 1, "00")] }); break;
        }

        Should.Throw<RefusedException>(() => Catalog.Resolve(Path.GetFileName(folder), null)).Why.ShouldContain(reason);
    }

    [Theory]
    [InlineData("shape")]
    [InlineData("writes")]
    [InlineData("writes.tables")]
    [InlineData("digest")]
    [InlineData("digest.tables")]
    [InlineData("digest.sequences")]
    [InlineData("digest.catalogue")]
    [InlineData("digest.largeObjects")]
    public void A_null_in_the_manifest_is_a_complaint(string path)
    {
        var folder = BackupScenario.Copy(shared.Made.Backup, run);
        var file = Path.Combine(folder, ManifestFile.Name);
        var manifest = JsonNode.Parse(File.ReadAllText(file))!;
        var names = path.Split('.');
        var parent = names[..^1].Aggregate(manifest, (node, name) => node[name]!);
        parent[names[^1]].ShouldNotBeNull();
        parent[names[^1]] = null;
        File.WriteAllText(file, manifest.ToJsonString());

        Should.Throw<RefusedException>(() => Catalog.Resolve(Path.GetFileName(folder), null)).Why.ShouldContain("leaves out the shape, the writes or the digest");
    }

    [Theory]
    [InlineData("../../../../../etc", "lies outside")]
    [InlineData("/etc", "lies outside")]
    [InlineData("..", "There is no backup|lies outside|not a usable backup")]
    [InlineData(".", "There is no backup|lies outside|not a usable backup")]
    [InlineData("", "names nothing")]
    [InlineData("no-such-backup", "There is no backup no-such-backup")]
    public void A_name_that_leads_elsewhere_or_nowhere_is_refused(string name, string reason) =>
        Should.Throw<RunbookException>(() => Catalog.Resolve(name, null)).What.ShouldMatch(reason);

    [Fact]
    public void A_link_that_leads_outside_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right there");
        Directory.CreateDirectory(Parent);
        Directory.CreateSymbolicLink(Path.Combine(Parent, "innocent"), shared.Made.Backup.Folder);

        Should.Throw<BadInputException>(() => Catalog.Resolve("innocent", null)).What.ShouldContain("lies outside");
    }

    [Fact]
    public void A_backup_of_another_database_is_refused_and_both_are_named()
    {
        var folder = BackupScenario.Copy(shared.Made.Backup, run);
        var other = shared.Made.Backup.Manifest.Database with { DatabaseName = "other_db", DatabaseOid = 1 };

        var refusal = Should.Throw<RefusedException>(() => Catalog.Resolve(folder, other));

        refusal.Why.ShouldContain(shared.Environment.Database.Database);
        refusal.Why.ShouldContain("other_db");
    }

    [Fact]
    public async Task A_backup_of_another_environment_is_not_verified_for_this_one()
    {
        var staging = shared.Environment with { Name = TargetEnvironment.Staging };

        (await Should.ThrowAsync<RefusedException>(() => BackupScenario.VerifyAsync(run, staging, shared.Made.Backup))).What.ShouldContain("is not a backup of staging");
    }

    [Fact]
    public void The_listing_tells_whole_unusable_and_unfinished_apart()
    {
        var folder = BackupScenario.Copy(shared.Made.Backup, run);
        Directory.CreateDirectory(Path.Combine(Parent, "empty"));
        Directory.CreateDirectory(Path.Combine(Parent, "x.partial"));

        var listing = Catalog.List();

        listing.Backups.Select(backup => backup.Folder).ShouldBe([folder]);
        listing.Unusable.Single().Reason.ShouldContain("it has no manifest.json");
        listing.Partial.ShouldBe([Path.Combine(Parent, "x.partial")]);
    }

    [Fact]
    public async Task Remains_of_dead_runs_are_removed_after_a_day_and_what_grows_stays()
    {
        var old = Path.Combine(Parent, "old.partial");
        var growing = Path.Combine(Parent, "growing.partial");
        foreach (var path in new[] { old, growing })
        {
            Directory.CreateDirectory(path);
            File.WriteAllText(Path.Combine(path, "1.dat"), "x");
            File.SetLastWriteTimeUtc(Path.Combine(path, "1.dat"), run.Clock.GetUtcNow().UtcDateTime.AddDays(path == old ? -2 : 0));
            Directory.SetLastWriteTimeUtc(path, run.Clock.GetUtcNow().UtcDateTime.AddDays(-2));
        }

        (await Catalog.RemoveStalePartialsAsync(TimeSpan.FromDays(1))).ShouldBe([old]);

        Directory.Exists(old).ShouldBeFalse();
        Directory.Exists(growing).ShouldBeTrue();
    }
}
