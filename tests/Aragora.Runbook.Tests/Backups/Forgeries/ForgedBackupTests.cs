using System.Text.RegularExpressions;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups.Forgeries;

public sealed partial class ForgedBackupTests(ForgeableBackup backup) : IClassFixture<ForgeableBackup>
{
    private static readonly string[] Kinds = ["table", "large object", "large objects' list", "toc"];

    public static MatrixTheoryData<string, bool> KindsOfFiles => new(Kinds, [true, false]);

    [Theory]
    [MemberData(nameof(KindsOfFiles))]
    public async Task A_flipped_byte_in_a_mended_backup_is_found_or_changes_nothing(string kind, bool compressed)
    {
        var length = new FileInfo(backup.Copy(compressed).FileOf(kind)).Length;
        foreach (var at in new[] { 0, length / 4, length / 2, length * 3 / 4, length - 1 }.Distinct())
        {
            var forged = backup.Copy(compressed);
            forged.Edit(kind, bytes => { bytes[at] ^= 0x10; return bytes; });

            // Where nothing is found, JudgeAsync has compared the content another way. Behind the end mark of a table's rows there are line breaks that mean nothing.
            var found = await forged.JudgeAsync();
            if (!compressed && (kind == "large object" || (kind == "table" && at < length - 1)))
            {
                found.ShouldNotBeEmpty($"byte {at} of {kind}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(KindsOfFiles))]
    public async Task A_mended_backup_that_was_cut_short_is_found(string kind, bool compressed)
    {
        var length = (int)new FileInfo(backup.Copy(compressed).FileOf(kind)).Length;
        foreach (var left in new[] { 0, 1, length / 2, length - 1 }.Distinct())
        {
            var forged = backup.Copy(compressed);
            forged.Edit(kind, bytes => bytes[..left]);
            var found = await forged.JudgeAsync();
            if (left < length - 1)
            {
                found.ShouldNotBeEmpty($"{left} of {length} bytes of {kind}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(KindsOfFiles))]
    public async Task A_file_missing_from_a_mended_backup_is_found(string kind, bool compressed)
    {
        var forged = backup.Copy(compressed);
        File.Delete(forged.FileOf(kind));
        (await forged.JudgeAsync()).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_file_too_many_in_a_mended_backup_changes_nothing()
    {
        var forged = backup.Copy(compressed: true);
        File.WriteAllText(Path.Combine(forged.Folder, "9999.dat"), "1\tstranger\n\\.\n");
        (await forged.JudgeAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_tables_files_exchanged_restore_well_and_are_found_by_their_content(bool compressed)
    {
        var forged = backup.Copy(compressed);
        var (one, other) = (RowsOf(forged, "accounts"), RowsOf(forged, "archived_accounts"));
        File.Move(one, one + ".moved");
        File.Move(other, one);
        File.Move(one + ".moved", other);

        (await forged.JudgeAsync()).ShouldBe(["table public.accounts: the content of its 300 rows differs", "table public.archived_accounts: the content of its 300 rows differs"]);
    }

    [Fact]
    public async Task A_sister_databases_dump_in_its_place_is_found()
    {
        var forged = backup.Copy(compressed: true);
        foreach (var file in Directory.EnumerateFiles(backup.Sister.Folder).Where(file => Path.GetFileName(file) != ManifestFile.Name))
        {
            Directory.EnumerateFiles(forged.Folder, "*.dat*").Where(old => !File.Exists(Path.Combine(backup.Sister.Folder, Path.GetFileName(old)))).ToList().ForEach(File.Delete);
            File.Copy(file, Path.Combine(forged.Folder, Path.GetFileName(file)), overwrite: true);
        }

        var refused = await Should.ThrowAsync<FailedCleanException>(() => BackupScenario.VerifyAsync(forged.Run, backup.Source, ManifestFile.Read(forged.Folder)));
        refused.Why.ShouldContain("its content was changed");

        (await forged.JudgeAsync()).ShouldBe(["table public.accounts: the content of its 300 rows differs"]);
    }

    /// <summary>Each restores with exit code 0 and without a word.</summary>
    [Theory]
    [InlineData("CREATE INDEX payments_amount ON", "--EATE INDEX payments_amount ON", "index public.payments_amount: missing")]
    [InlineData("CHECK ((balance >= (0)::numeric))", "CHECK ((balance >=(-9)::numeric))", "constraint not_in_debt on public.accounts: is")]
    [InlineData("ALTER TABLE ONLY public.payments\n    ADD CONSTRAINT payments_pkey PRIMARY KEY (id);", "", "constraint payments_pkey on public.payments: missing")]
    [InlineData("ALTER TABLE ONLY public.payments\n    ADD CONSTRAINT payments_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id);", "", "constraint payments_account_fkey on public.payments: missing")]
    [InlineData("balance numeric(12,2) DEFAULT 100", "balance numeric(12,2) DEFAULT 900", "column public.accounts.balance: is")]
    [InlineData("'bad',\n    'fat'", "'fat',\n    'bad'", "enum public.mood: is")]
    [InlineData("low integer,\n\ttop integer", "top integer,\n\tlow integer", "composite type public.span: is")]
    [InlineData("setval('public.counter', 4711", "setval('public.counter', 4712", "sequence public.counter: at 4712 instead of 4711")]
    [InlineData("balance > (250)", "balance > (249)", "view public.rich: is")]
    [InlineData("SELECT amount / 50", "SELECT amount / 10", "function public.fee(amount integer): is")]
    [InlineData("CREATE TRIGGER no_delete BEFORE DELETE", "CREATE TRIGGER no_delete BEFORE UPDATE", "trigger no_delete on public.accounts: is")]
    [InlineData("'never delete'", "'often delete'", "comment table public.accounts: is often delete instead of never delete")]
    [InlineData("GRANT SELECT ON TABLE public.payments TO PUBLIC", "GRANT INSERT ON TABLE public.payments TO PUBLIC", "grant table public.payments: is")]
    [InlineData("owner text NOT NULL", "owner text         ", "column public.accounts.owner: is")]
    public async Task Another_word_in_the_table_of_contents_is_found_although_it_restores_well(string word, string forgedWord, string expected)
    {
        var forged = backup.Copy(compressed: false);
        forged.Replace("toc.dat", word, forgedWord.PadRight(word.Length));
        var found = await forged.JudgeAsync();
        found.ShouldContain(difference => difference.StartsWith(expected, StringComparison.Ordinal), string.Join('\n', found));
        found.ShouldNotContain(difference => difference.StartsWith("pg_restore", StringComparison.Ordinal));
    }

    /// <summary>Rows that break a rule: the rule does not come back.</summary>
    [Theory]
    [InlineData("payments", "\n200\t200\t1200", "\n199\t200\t1200", "constraint payments_pkey on public.payments: missing")]
    [InlineData("payments", "\n200\t200\t1200", "\n200\t999\t1200", "constraint payments_account_fkey on public.payments: missing")]
    [InlineData("accounts", "\n300\towner 300\t300.00", "\n300\towner 300\t-30.00", "table public.accounts: 0 rows instead of 300")]
    public async Task A_constraint_that_the_rows_no_longer_allow_is_named(string table, string row, string forgedRow, string expected)
    {
        var forged = backup.Copy(compressed: false);
        forged.Replace(Path.GetFileName(RowsOf(forged, table)), row, forgedRow);
        var found = await forged.JudgeAsync();
        found.ShouldContain(difference => difference.StartsWith("pg_restore: error", StringComparison.Ordinal));
        found.ShouldContain(difference => difference.StartsWith(expected, StringComparison.Ordinal), string.Join('\n', found));
    }

    public static TheoryData<string, string> EditsOfTheDigest => new()
    {
        { "hash", "table public.accounts: the content of its 300 rows differs" },
        { "rows", "table public.accounts: 300 rows instead of 299" },
        { "table", "table public.accounts: not expected, with 300 rows" },
        { "constraint", "constraint not_in_debt on public.accounts: not expected" },
        { "sequence", "sequence public.counter: at 4711 instead of 4712" },
        { "large objects", "large objects: 2 objects instead of 1" },
        { "method", "digest" },
        { "format", "digest: not comparable" },
    };

    [Theory]
    [MemberData(nameof(EditsOfTheDigest))]
    public async Task A_digest_that_was_edited_by_hand_is_found(string edit, string expected)
    {
        (await backup.Copy(compressed: true).JudgeAsync(manifest => manifest with { Digest = Edited(manifest.Digest, edit) }))
            .ShouldContain(difference => difference.StartsWith(expected, StringComparison.Ordinal) || (expected == "digest" && difference.Contains("differs", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("first")]
    [InlineData("middle")]
    [InlineData("last")]
    public async Task A_flipped_byte_in_the_manifest_is_found_where_there_is_evidence_of_the_dump(string place)
    {
        var manifest = Path.Combine(backup.Compressed.Folder, ManifestFile.Name);
        var untouched = await File.ReadAllBytesAsync(manifest);
        try
        {
            BackupScenario.Flip(manifest, place switch { "first" => 0, "middle" => untouched.Length / 2, _ => untouched.Length - 1 });
            var refused = await Should.ThrowAsync<RunbookException>(() => BackupScenario.VerifyAsync(backup.Run, backup.Source, ManifestFile.Read(backup.Compressed.Folder)));
            (refused is RefusedException ? "is not a usable backup" : "was edited since the backup was made").ShouldBeOneOf(refused is RefusedException ? refused.What.Split(' ', 2)[1].TrimEnd('.') : Edited().Match(refused.Why).Value);
        }
        finally
        {
            await File.WriteAllBytesAsync(manifest, untouched);
        }
    }

    private static ContentDigest Edited(ContentDigest digest, string edit)
    {
        const string Table = "public.accounts";
        Dictionary<string, RowsDigest> With(RowsDigest rows) => new(digest.Tables, StringComparer.Ordinal) { [Table] = rows };
        return edit switch
        {
            "hash" => digest with { Tables = With(digest.Tables[Table] with { Hash = "1" }) },
            "rows" => digest with { Tables = With(digest.Tables[Table] with { Rows = 299 }) },
            "table" => digest with { Tables = digest.Tables.Where(table => table.Key != Table).ToDictionary(StringComparer.Ordinal) },
            "constraint" => digest with { Catalogue = [.. digest.Catalogue.Where(line => !line.Name.StartsWith("not_in_debt on public.accounts", StringComparison.Ordinal))] },
            "sequence" => digest with { Sequences = new Dictionary<string, SequenceRange>(digest.Sequences, StringComparer.Ordinal) { ["public.counter"] = new(new(4712, true), new(4712, true)) } },
            "large objects" => digest with { LargeObjects = digest.LargeObjects with { Rows = 1 } },
            "method" => digest with { Method = DigestMethod.Text },
            _ => digest with { Format = 99 },
        };
    }

    /// <summary>The file with a table's rows, by what is in the archive's list.</summary>
    private static string RowsOf(ForgedBackup forged, string table)
    {
        var toc = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(Path.Combine(forged.Folder, "toc.dat")));
        var name = Regex.Match(toc, $@"COPY public\.{table} \([^;]*;.*?(\d+\.dat)", RegexOptions.Singleline, TimeSpan.FromSeconds(5)).Groups[1].Value;
        return Directory.EnumerateFiles(forged.Folder, name + "*").Single();
    }

    [GeneratedRegex("was edited since the backup was made")]
    private static partial Regex Edited();
}
