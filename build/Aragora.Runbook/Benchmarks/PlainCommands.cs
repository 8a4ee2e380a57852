using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Benchmarks;

/// <summary>The runbook's own commands, as people paste them.</summary>
internal sealed class PlainCommands(PostgresClient client, ICommandRunner commands)
{
    /// <summary><c>pg_dump -F c</c>, then <c>pg_restore -j 1</c> into a new database on the same server, then <c>pg_restore -c</c> over it.</summary>
    public async Task<PlainTimes> RunAsync(BenchmarkSubject subject, CancellationToken cancellation)
    {
        var file = Path.Combine(subject.Folder, "plain.dump");
        var copy = subject.Environment with { Database = subject.Environment.Database with { Database = "plain" } };
        await subject.AdministerAsync("CREATE DATABASE plain TEMPLATE template0", cancellation);
        try
        {
            await subject.AdministerAsync("CHECKPOINT", cancellation);
            var dump = await RunAsync("pg_dump", subject.Environment, ["--format=custom", $"--file={file}"], cancellation);
            await subject.AdministerAsync("CHECKPOINT", cancellation);
            var restore = await RunAsync("pg_restore", copy, ["--jobs=1", file], cancellation);
            await subject.AdministerAsync("CHECKPOINT", cancellation);
            var inPlace = await RunAsync("pg_restore", copy, ["--clean", "--if-exists", "--jobs=1", file], cancellation);
            return new PlainTimes(dump, restore, inPlace, new FileInfo(file).Length);
        }
        finally
        {
            await subject.AdministerAsync("DROP DATABASE plain WITH (FORCE)", CancellationToken.None);
            File.Delete(file);
        }
    }

    private async Task<TimeSpan> RunAsync(string program, DatabaseEnvironment database, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        using var password = PasswordFile.For(database.Database);
        var result = await commands.RunAsync(
            new Command
            {
                Program = client[program],
                Arguments = [.. arguments.Take(arguments.Count - 1), "--no-password", $"--dbname={ClientEnvironment.DatabaseArgument(database.Database)}", arguments[^1]],
                Environment = ClientEnvironment.For(database.Database, password, "aragora-benchmark"),
            },
            cancellation: cancellation);
        return result.Succeeded ? result.Took : throw new FailedCleanException($"{program} of the benchmark failed with exit code {result.ExitCode}.", result.Tail(), "./build.sh Benchmark");
    }
}

/// <summary>How long they took, and how large the file was.</summary>
internal sealed record PlainTimes(TimeSpan Dump, TimeSpan Restore, TimeSpan InPlace, long Bytes);

/// <summary>The database that is measured.</summary>
/// <param name="Administration">The server's maintenance database.</param>
/// <param name="Environment">The database.</param>
/// <param name="Folder">A folder for files.</param>
internal sealed record BenchmarkSubject(DatabaseEnvironment Administration, DatabaseEnvironment Environment, string Folder)
{
    /// <summary>Runs a statement in the maintenance database.</summary>
    public async Task AdministerAsync(string sql, CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(Administration, "aragora-benchmark", cancellation: cancellation);
        await session.ExecuteAsync(sql, cancellation);
    }
}
