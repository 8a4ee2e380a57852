using System.Collections.Concurrent;
using System.Globalization;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Tests.Digests;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups.RandomDatabases;

/// <summary>Every run sees the same databases. Others: <c>ARAGORA_RANDOM_SEED=1000 ARAGORA_RANDOM_COUNT=500</c>; one again: its seed, and a count of 1.</summary>
public sealed class RandomDatabaseTests(RealServer server)
{
    private const int DamagesEach = 3;
    private static readonly int First = Number("ARAGORA_RANDOM_SEED", 1);
    private static readonly int Count = Number("ARAGORA_RANDOM_COUNT", 100);
    private readonly ConcurrentDictionary<string, int> seen = new(StringComparer.Ordinal);

    [Fact]
    public async Task A_hundred_random_databases_are_verified_without_a_false_alarm_and_no_damage_to_them_is_missed()
    {
        await Parallel.ForAsync(First, First + Count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var database = RandomDatabase.Of((ulong)seed);
            try
            {
                await ProveAsync(database);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"The random database of seed {database.Seed} failed. It was made of:\n{string.Join(";\n", database.Statements)}", failure);
            }
        });

        // A generator that makes less and less would prove less and less.
        if (Count >= 100)
        {
            RandomDamage.AllKinds.Except(seen.Keys, StringComparer.Ordinal).ShouldBeEmpty();
            string[] kinds = ["table", "view", "materialized view", "composite type", "column", "sequence", "index", "constraint", "trigger", "rule", "policy", "statistics", "enum", "domain", "range", "function", "procedure", "aggregate", "schema", "extension", "collation", "text search configuration", "publication", "publication table", "grant", "default privileges", "comment"];
            kinds.Except(seen.Keys, StringComparer.Ordinal).ShouldBeEmpty();
            (seen["refused"] * 100 / seen["statements"]).ShouldBeLessThan(25, "too much of what the generator writes is refused by the server");
            (seen["rows"] / Count).ShouldBeGreaterThan(20, "the databases are too empty to prove anything");
        }
    }

    private async Task ProveAsync(RandomDatabase database)
    {
        var run = RealServer.NewRun();
        var source = await server.NewDatabaseAsync();
        var copy = await server.NewDatabaseAsync();
        try
        {
            Add("refused", (await database.ApplyAsync(source)).Count);
            Add("statements", database.Statements.Count);
            var made = await BackupScenario.BackUpAsync(run, source, new BackupOptions { Jobs = 1, CompressionLevel = (int)(database.Seed % 2) });
            var manifest = made.Backup.Manifest;
            foreach (var line in manifest.Digest.Catalogue)
            {
                Add(line.Kind, 1);
            }

            Add("rows", (int)manifest.Digest.Tables.Values.Sum(table => table.Rows));
            var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(BackupScenario.Commands, null, CancellationToken.None), manifest.ClientMajor(), "tests");
            var restored = await new ArchiveRestore(run, client, BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(made.Backup, copy, 1, CancellationToken.None);
            restored.Complaints.ShouldBeEmpty();
            restored.ExitCode.ShouldBe(0);
            (await RestoredContent.CompareAsync(copy, manifest, 1, withDatabase: false, CancellationToken.None)).ShouldBeEmpty();
            await DamageAsync(copy, manifest.Digest, new Dice(database.Seed + 1_000_000));
        }
        finally
        {
            await server.DropDatabaseAsync(source);
            await server.DropDatabaseAsync(copy);
            Directory.Delete(run.Root, recursive: true);
        }
    }

    private async Task DamageAsync(DatabaseEnvironment copy, ContentDigest before, Dice dice)
    {
        var done = new List<RandomDamage>();
        while (done.Count < DamagesEach)
        {
            var damage = await RandomDamage.DoAsync(copy, dice, done);
            done.Add(damage);
            Add(damage.Kind, 1);
            var after = await DigestZoo.DigestAsync(copy, before.Method);
            DigestComparison.Compare(before, after).Select(difference => difference.ToString()).ShouldContain(difference => difference.Contains(damage.Name, StringComparison.Ordinal), $"{damage}");
            before = after;
        }
    }

    private void Add(string what, int count) => seen.AddOrUpdate(what, count, (_, sum) => sum + count);

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
