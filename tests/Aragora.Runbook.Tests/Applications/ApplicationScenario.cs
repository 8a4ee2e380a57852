using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Backups;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>A database with a backup of generation 1, moved on to generation 2, that an application of the test's choice uses.</summary>
internal sealed class ApplicationScenario
{
    private ApplicationScenario(DatabaseEnvironment environment, RunContext run, BackupReference backup) => (Environment, Run, Backup) = (environment, run, backup);

    public DatabaseEnvironment Environment { get; }

    public RunContext Run { get; }

    public BackupReference Backup { get; }

    public List<string> Lines { get; private init; } = [];

    public static async Task<ApplicationScenario> NewAsync(LabDatabase database)
    {
        var environment = await database.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('r1000'); CREATE TABLE generation AS SELECT 1 AS n");
        var lines = new List<string>();
        var run = RealServer.NewRun(LogLines.To(lines));
        var made = await BackupScenario.BackUpAsync(run, environment);
        await RealServer.SqlAsync(environment, "UPDATE generation SET n = 2");
        return new ApplicationScenario(environment, run, made.Backup) { Lines = lines };
    }

    public Task<RestoreResult> RestoreAsync(IReadOnlyList<IApplicationPart> parts, RunContext? run = null, string accepted = "1", ApplicationOptions? options = null, Func<Task>? moved = null, CancellationToken cancellation = default) =>
        new RestoreRollback(
            run ?? Run,
            BackupScenario.Commands,
            new RestoreOptions { Backup = new BackupOptions { Jobs = 2 }, Accepted = AcceptedWrites.Parse(accepted), Application = environment => Control(parts, run, options), Moved = _ => moved?.Invoke().GetAwaiter().GetResult() },
            new BackupScenario.SilentProgress()).RunAsync(Environment, Backup, cancellation);

    public ApplicationControl Control(IReadOnlyList<IApplicationPart> parts, RunContext? run = null, ApplicationOptions? options = null) =>
        new(run ?? Run, Environment, parts, options ?? ClusterBench.Quick);

    public async Task<int> GenerationAsync()
    {
        await using var session = await PostgresSession.OpenAsync(Environment, "aragora-tests");
        return await session.ScalarAsync<int>("SELECT n FROM generation", CancellationToken.None);
    }

    public async Task<int> ApplicationSessionsAsync()
    {
        await using var session = await PostgresSession.OpenAsync(Environment, "aragora-tests", "postgres");
        return await session.ScalarAsync<int>("SELECT count(*)::int FROM pg_stat_activity WHERE datname = $1 AND application_name = 'aragora-api'", CancellationToken.None, Environment.Database.Database);
    }
}
