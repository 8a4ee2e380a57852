using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Servers;
using Serilog.Core;

namespace Aragora.Runbook.Benchmarks;

/// <summary>Measures what proof costs, against the runbook's own commands, on an ordinary server of its own.</summary>
/// <param name="run">The run.</param>
/// <param name="options">How large, how often.</param>
/// <param name="backup">How backups are made.</param>
/// <param name="servers">Where the server comes from.</param>
/// <param name="scratch">Where backups are verified.</param>
/// <param name="commands">Starts pg_dump and pg_restore.</param>
public sealed class BenchmarkStep(RunContext run, BenchmarkOptions options, BackupOptions backup, ScratchServers servers, ScratchDatabases scratch, ICommandRunner commands)
{
    /// <summary>What PostgreSQL has without anybody's help: a throwaway's settings would flatter the other side.</summary>
    private static readonly Dictionary<string, string> Ordinary = new(StringComparer.Ordinal)
    {
        ["fsync"] = "on", ["full_page_writes"] = "on", ["wal_level"] = "replica", ["max_wal_senders"] = "10", ["synchronous_commit"] = "on",
    };

    /// <summary>Measures, and writes the page where there are runs enough.</summary>
    public async Task<BenchmarkReport> RunAsync(CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("aragora-benchmark-").FullName;
        try
        {
            await using var server = await servers.StartAsync("benchmark", new ThrowawayServerOptions { Folder = "", Settings = Ordinary }, major: null, cancellation);
            var subject = await MakeSubjectAsync(server.Server.Url, folder, cancellation);
            var report = await MeasureAsync(subject, cancellation);
            var file = Path.Combine(run.Root, options.File);
            if (options.Runs < BenchmarkOptions.LeastRunsToPublish)
            {
                run.Log.Warning("{File} is left as it is: {Runs} runs are too few to publish, {Least} are wanted", file, options.Runs, BenchmarkOptions.LeastRunsToPublish);
                return report;
            }

            await run.Journal.ActAsync("write the benchmarks", new { file }, async () =>
            {
                await File.WriteAllTextAsync(file, report.ToMarkdown(), cancellation);
                return file;
            });
            return report;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<BenchmarkSubject> MakeSubjectAsync(PostgresUrl administration, string folder, CancellationToken cancellation)
    {
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = administration with { Database = "aragora" }, IsLocalStack = true };
        var subject = new BenchmarkSubject(environment with { Database = administration }, environment, folder);
        run.Log.Information("Filling a database of some {Size} MB", options.Megabytes);
        await subject.AdministerAsync("CREATE DATABASE aragora TEMPLATE template0", cancellation);
        await BenchmarkDatabase.FillAsync(environment, options.Megabytes, cancellation);
        return subject;
    }

    private async Task<BenchmarkReport> MeasureAsync(BenchmarkSubject subject, CancellationToken cancellation)
    {
        var (version, bytes) = await DescribeAsync(subject, cancellation);
        var client = PostgresClients.Choose(await PostgresClients.FindAllAsync(commands, backup.ClientFolders, cancellation), version.Major, "the benchmark's server");
        var plain = new PlainCommands(client, commands);
        var proofs = new List<ProofTimes>();
        var others = new List<PlainTimes>();
        var digests = new List<(TimeSpan Ours, TimeSpan Other)>();
        for (var number = 1; number <= options.Runs; number++)
        {
            if (number % 2 == 1)
            {
                others.Add(await plain.RunAsync(subject, cancellation));
                proofs.Add(await ProveAsync(subject, cancellation));
            }
            else
            {
                proofs.Add(await ProveAsync(subject, cancellation));
                others.Add(await plain.RunAsync(subject, cancellation));
            }

            digests.Add(await DigestAsync(subject, cancellation));
            run.Log.Information(
                "Run {Number} of {Runs}: Backup {Backup:0.00} s, VerifyBackup {Verify:0.00} s; pg_dump {Dump:0.00} s, pg_restore {Restore:0.00} s",
                number, options.Runs, proofs[^1].Backup.TotalSeconds, proofs[^1].Verify.TotalSeconds, others[^1].Dump.TotalSeconds, others[^1].Restore.TotalSeconds);
        }

        return new BenchmarkReport(
            run.Clock.GetUtcNow(),
            bytes,
            proofs[0].Rows,
            proofs[0].Bytes,
            others[0].Bytes,
            version.ToString(),
            client.Version,
            $"{Environment.ProcessorCount} cores, {DataSize.Text(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)} of memory, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}",
            [
                new Measurement("the dump", "pg_dump -F d, parallel, level 1, with the digest beside it", "`pg_dump -F c`", [.. proofs.Zip(others, (proof, other) => (proof.Dump, other.Dump))]),
                new Measurement("backup with proof", "Backup and VerifyBackup", "`pg_dump -F c`, then `pg_restore -j 1` into an ordinary database", [.. proofs.Zip(others, (proof, other) => (proof.Backup + proof.Verify, other.Dump + other.Restore))], Goal: 0.8),
                new Measurement("the restore", "pg_restore, parallel, into the scratch server", "`pg_restore -j 1`", [.. proofs.Zip(others, (proof, other) => (proof.Restore, other.Restore))]),
                new Measurement("the digest", "of everything, one session", "`count(*)` of every table", digests),
                new Measurement("unavailability of a restore", "from the fence to the exchange of names", "`pg_restore -c` in place", [.. proofs.Zip(others, (proof, other) => (proof.Unavailable, other.InPlace))], OursGoal: TimeSpan.FromSeconds(1)),
            ]);
    }

    private static async Task<(Version Version, long Bytes)> DescribeAsync(BenchmarkSubject subject, CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(subject.Environment, "aragora-benchmark", cancellation: cancellation);
        return (session.ServerVersion, await session.ScalarAsync<long>("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())", cancellation));
    }

    private async Task<ProofTimes> ProveAsync(BenchmarkSubject subject, CancellationToken cancellation)
    {
        await subject.AdministerAsync("CHECKPOINT", cancellation);
        var folder = Path.Combine(subject.Folder, "proof");
        var quiet = run with
        {
            Root = folder,
            Folder = folder,
            Log = Logger.None,
            Journal = new RunJournal(Path.Combine(folder, "journal.ndjson"), run.Secrets, run.Clock),
            Evidence = new EvidenceStore(folder, [folder], run.Secrets),
            BackupRecords = null,
        };
        var here = backup with { Folder = Path.Combine(folder, "backups") };
        try
        {
            var started = run.Clock.GetTimestamp();
            var made = await new BackupStep(quiet, subject.Environment, here, commands).RunAsync(cancellation);
            var backedUp = run.Clock.GetElapsedTime(started);
            started = run.Clock.GetTimestamp();
            var verified = await new VerifyBackupStep(quiet, subject.Environment, here, scratch, commands).RunAsync(made.Backup, cancellation);
            var proved = run.Clock.GetElapsedTime(started);
            var restored = await new RestoreRollback(quiet, commands, new RestoreOptions { Backup = here }).RunAsync(subject.Environment, made.Backup, cancellation);
            await subject.AdministerAsync($"DROP DATABASE {SqlText.Identifier(restored.Facts.KeptDatabase)}", cancellation);
            return new ProofTimes(backedUp, proved, made.Backup.Manifest.Took, verified.Facts.RestoreTook ?? TimeSpan.Zero, restored.Facts.Unavailable, verified.Facts.RowsCompared, made.Backup.Manifest.TotalBytes);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<(TimeSpan Ours, TimeSpan Other)> DigestAsync(BenchmarkSubject subject, CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(subject.Environment, "aragora-benchmark", cancellation: cancellation);
        await using var snapshot = await SnapshotSession.OpenAsync(subject.Environment, new SnapshotOptions(), cancellation);
        var started = run.Clock.GetTimestamp();
        await new DigestReader(snapshot).ReadAsync(jobs: 1, method: null, cancellation);
        var digest = run.Clock.GetElapsedTime(started);
        started = run.Clock.GetTimestamp();
        foreach (var table in snapshot.Tables)
        {
            await session.ScalarAsync<long>($"SELECT count(*) FROM {table.Name}", cancellation);
        }

        return (digest, run.Clock.GetElapsedTime(started));
    }

    private sealed record ProofTimes(TimeSpan Backup, TimeSpan Verify, TimeSpan Dump, TimeSpan Restore, TimeSpan Unavailable, long Rows, long Bytes);
}
