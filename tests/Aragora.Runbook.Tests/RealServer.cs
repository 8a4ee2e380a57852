using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests;
using Serilog;
using Xunit;

[assembly: AssemblyFixture(typeof(RealServer))]

namespace Aragora.Runbook.Tests;

/// <summary>One real PostgreSQL server for all integration tests of this assembly, started by the product itself; each test makes its own databases.</summary>
public class RealServer : IAsyncLifetime
{
    private static readonly string Runs = TestFolders.New("runs");
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"aragora-tests-{Guid.NewGuid():N}");

    public ThrowawayServer Server { get; private set; } = null!;

    public ICommandRunner Commands { get; } = new CommandRunner(TimeProvider.System);

    public async ValueTask InitializeAsync()
    {
        if (await FindProgramsAsync() is not { } programs)
        {
            return;
        }

        Server = await ThrowawayServer.StartAsync(programs, new ThrowawayServerOptions { Folder = folder, Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["max_connections"] = "200", ["wal_level"] = "logical", ["max_wal_senders"] = "5", ["max_prepared_transactions"] = "5" } }, Commands, new SecretMask(), CancellationToken.None);
    }

    /// <summary>The programs that it is started with; null for no server.</summary>
    protected virtual async Task<ServerBinaries?> FindProgramsAsync()
    {
        // Not skipped without them: a suite that skipped all of this would be green without having seen anything.
        var binaries = await ServerBinaries.FindAllAsync(Commands, CancellationToken.None);
        return binaries.Count > 0 ? binaries[0] : throw new InvalidOperationException("These tests want PostgreSQL's server programs (initdb, postgres): install the package postgresql of your system.");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Server is not null)
        {
            await Server.EraseAsync(CancellationToken.None);
        }
    }

    /// <summary>A new, empty database as an environment; connected to as the superuser.</summary>
    public async Task<DatabaseEnvironment> NewDatabaseAsync(TargetEnvironment name = TargetEnvironment.Production, string? databaseName = null)
    {
        var database = databaseName ?? $"t_{Guid.NewGuid():N}";
        await using var session = await PostgresSession.OpenAsync(new DatabaseEnvironment { Name = name, Database = Server.Url }, "aragora-tests");
        await session.ExecuteAsync($"CREATE DATABASE \"{database.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", CancellationToken.None);
        return new DatabaseEnvironment { Name = name, Database = Server.Url with { Database = database } };
    }

    /// <summary>Drops a database, and whoever is still connected to it.</summary>
    public async Task DropDatabaseAsync(DatabaseEnvironment environment) =>
        await SqlAsync(environment with { Database = Server.Url }, $"DROP DATABASE IF EXISTS \"{environment.Database.Database.Replace("\"", "\"\"", StringComparison.Ordinal)}\" WITH (FORCE)");

    /// <summary>A run in a folder of its own.</summary>
    public static RunContext NewRun(ILogger? log = null, TimeProvider? clock = null)
    {
        var runId = Guid.NewGuid().ToString("N")[..12];
        var root = Directory.CreateDirectory(Path.Combine(Runs, runId)).FullName;
        var runs = Path.Combine(root, "artifacts", "runbook");
        var folder = Path.Combine(runs, runId);
        var secrets = new SecretMask();
        clock ??= TimeProvider.System;
        return new RunContext
        {
            RunId = runId,
            Root = root,
            Folder = folder,
            Log = log ?? new LoggerConfiguration().CreateLogger(),
            Journal = new RunJournal(Path.Combine(folder, "journal.ndjson"), secrets, clock),
            Evidence = new EvidenceStore(folder, [runs], secrets),
            Secrets = secrets,
            Clock = clock,
            Who = "tests@here",
        };
    }

    /// <summary>Runs SQL in an environment's database.</summary>
    public static async Task SqlAsync(DatabaseEnvironment environment, string sql)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        await session.ExecuteAsync(sql, CancellationToken.None);
    }
}
