using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Backups;

namespace Aragora.Runbook.Tests.Rollbacks;

/// <summary>A small shop that belongs to a plain role, as on a managed server: it may log in, make databases and end other sessions, and nothing else.</summary>
internal sealed class RestoreScenario
{
    private const string Content =
        """
        CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('r1000');
        CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
        INSERT INTO users (name) SELECT md5(i::text) FROM generate_series(1, 2000) i;
        CREATE TABLE generation (n int NOT NULL);
        INSERT INTO generation VALUES (1);
        """;

    private RestoreScenario(DatabaseEnvironment administrator, DatabaseEnvironment environment, RunContext run, BackupReference backup) =>
        (Administrator, Environment, Run, Backup) = (administrator, environment, run, backup);

    /// <summary>The same database, as the superuser sees it.</summary>
    public DatabaseEnvironment Administrator { get; }

    public DatabaseEnvironment Environment { get; }

    public RunContext Run { get; }

    public BackupReference Backup { get; }

    public static async Task<RestoreScenario> NewAsync(RealServer server, string? databaseName = null, string more = "")
    {
        var role = await PlainRoleAsync(server);
        var administrator = await server.NewDatabaseAsync(databaseName: databaseName);
        await RealServer.SqlAsync(administrator, $"ALTER DATABASE {SqlText.Identifier(administrator.Database.Database)} OWNER TO {role}");
        var environment = administrator with { Database = administrator.Database with { User = role, Password = "plain-role-password" } };
        await RealServer.SqlAsync(environment, Content + more);
        var run = RealServer.NewRun();
        var made = await BackupScenario.BackUpAsync(run, environment);
        return new RestoreScenario(administrator, environment, run, made.Backup);
    }

    public static async Task<string> PlainRoleAsync(RealServer server)
    {
        var role = $"plain_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = server.Server.Url }, $"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'plain-role-password' IN ROLE pg_signal_backend");
        return role;
    }

    public RestoreRollback Rollback(string accepted = "0", RunContext? run = null) =>
        new(run ?? Run, BackupScenario.Commands, new RestoreOptions { Backup = new BackupOptions { Jobs = 2 }, Accepted = AcceptedWrites.Parse(accepted) }, new BackupScenario.SilentProgress());

    public Task<RestoreResult> RestoreAsync(string accepted = "0", RunContext? run = null) => Rollback(accepted, run).RunAsync(Environment, Backup, CancellationToken.None);

    /// <summary>What a migration and its users did since the backup: three writes of rows, and a table.</summary>
    public Task MoveOnAsync() => RealServer.SqlAsync(Environment, "UPDATE generation SET n = 2; UPDATE alembic_version SET version_num = 'r2000'; CREATE TABLE r2000 (i int); INSERT INTO users (name) VALUES ('late')");

    public Task SqlAsync(string sql) => RealServer.SqlAsync(Environment, sql);

    public async Task<T?> AskAsync<T>(string sql, string? database = null)
    {
        await using var session = await PostgresSession.OpenAsync(Administrator, "aragora-tests", database);
        return await session.ScalarAsync<T>(sql, CancellationToken.None);
    }

    public Task<int> GenerationAsync() => AskAsync<int>("SELECT n FROM generation");

    /// <summary>Every database whose name begins with the live one's, with whether it lets anybody in.</summary>
    public async Task<IReadOnlyList<(string Name, bool Open)>> DatabasesAsync()
    {
        await using var session = await PostgresSession.OpenAsync(Administrator, "aragora-tests", "postgres");
        return await session.QueryAsync("SELECT datname::text, datallowconn FROM pg_database WHERE starts_with(datname, left($1, 30)) ORDER BY 1", row => (row.GetString(0), row.GetBoolean(1)), CancellationToken.None, Environment.Database.Database);
    }
}
