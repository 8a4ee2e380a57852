using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Preflight;

namespace Aragora.Runbook.Tests.Preflight;

/// <summary>What the preflight's tests share: options that are well, roles with few rights, one check at a time.</summary>
internal static class PreflightBench
{
    public static MigrationsTree Tree { get; } = new("/app/migrations/alembic.ini", "hash", ["0002"],
    [
        new Revision("0002", ["0001"], "second", "0002.py", HasDowngrade: true, null),
        new Revision("0001", [], "first", "0001.py", HasDowngrade: true, null),
    ]);

    public static PreflightOptions Options { get; } = new()
    {
        LoadTree = _ => Task.FromResult(Tree),
        FindPgDump = (major, _) => Task.FromResult<ClientProgram?>(new ClientProgram("/usr/bin/pg_dump", new Version(major, 1))),
        BackupFolder = Path.Combine(Path.GetTempPath(), "not", "yet", "there"),
        FreeBytes = _ => 1_000_000_000_000,
    };

    public static async Task<Finding> AskAsync(PreflightCheck check, DatabaseEnvironment environment, PreflightOptions? options = null, MigrationsTree? tree = null)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        return await check.Run(
            new PreflightSubject
            {
                Environment = environment,
                Session = session,
                Options = options ?? Options,
                Tree = tree ?? Tree,
                Facts = await DatabaseInspector.ReadAsync(session, environment, CancellationToken.None),
                IsReadOnlyByDefault = await IdentityChecks.IsReadOnlyByDefaultAsync(session, CancellationToken.None),
            },
            CancellationToken.None);
    }

    /// <summary>A new role that may do nothing but log in, as an environment of the same database.</summary>
    public static async Task<DatabaseEnvironment> AsNewRoleAsync(DatabaseEnvironment environment, string attributes = "")
    {
        var role = $"r_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(environment, $"CREATE ROLE {role} LOGIN PASSWORD 'limited' {attributes}");
        return environment with { Database = environment.Database with { User = role, Password = "limited" } };
    }

    public static Task<PostgresSession> OpenAsync(DatabaseEnvironment environment, string name = "somebody") => PostgresSession.OpenAsync(environment, name);
}
