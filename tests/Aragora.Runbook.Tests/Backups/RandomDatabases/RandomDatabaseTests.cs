using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Restores;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups.RandomDatabases;

public sealed class RandomDatabaseTests(RealServer server)
{
    private const int Databases = 100;

    /// <summary>Where to begin: set it to see other databases than every run sees.</summary>
    private static readonly ulong First = ulong.TryParse(Environment.GetEnvironmentVariable("ARAGORA_RANDOM_SEED"), CultureInfo.InvariantCulture, out var first) ? first : 1;

    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("ARAGORA_RANDOM_COUNT"), CultureInfo.InvariantCulture, out var count) ? count : Databases;

    [Fact]
    public async Task A_hundred_random_databases_are_verified_without_a_false_alarm()
    {
        var failures = new ConcurrentQueue<string>();
        var refused = new ConcurrentQueue<string>();
        var statements = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Count).Select(index => First + (ulong)index), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var database = RandomDatabase.Of(seed);
            Interlocked.Add(ref statements, database.Statements.Count);
            try
            {
                var (complaints, left) = await ProveAsync(database);
                foreach (var one in left)
                {
                    refused.Enqueue(one);
                }

                foreach (var complaint in complaints)
                {
                    failures.Enqueue($"seed {seed}: {complaint}");
                }
            }
            catch (Exception failure)
            {
                failures.Enqueue($"seed {seed}: {failure}");
            }
        });
        if (Environment.GetEnvironmentVariable("ARAGORA_RANDOM_LOG") is { } log)
        {
            await File.WriteAllTextAsync(log, string.Join("\n----\n", failures) + "\n==== refused\n" + string.Join("\n", refused) + $"\n{statements}");
        }

        failures.ShouldBeEmpty();
    }

    private async Task<(IReadOnlyList<string> Complaints, IReadOnlyList<string> Refused)> ProveAsync(RandomDatabase database)
    {
        var run = RealServer.NewRun();
        var source = await server.NewDatabaseAsync();
        var refused = await database.ApplyAsync(source);
        var made = await BackupScenario.BackUpAsync(run, source, new BackupOptions { Jobs = 1, CompressionLevel = database.Seed % 2 == 0 ? 1 : 0 });
        var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(BackupScenario.Commands, null, CancellationToken.None), made.Backup.Manifest.ClientMajor(), "tests");
        var copy = await server.NewDatabaseAsync();
        var restored = await new ArchiveRestore(run, client, BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(made.Backup, copy, 1, CancellationToken.None);
        var differences = await RestoredContent.CompareAsync(copy, made.Backup.Manifest, 1, withDatabase: false, CancellationToken.None);
        return ([.. restored.Complaints, .. differences.Select(difference => difference.ToString())], refused);
    }
}
