using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Npgsql;
using Serilog;

namespace Aragora.Runbook.LocalStack;

/// <summary>Seeds from <c>seed/&lt;revision id&gt;.sql</c> beside the Alembic configuration: up to that revision, then that file, in one transaction.</summary>
/// <param name="alembicConfig">The <c>alembic.ini</c>.</param>
/// <param name="upgrade">Runs <c>alembic upgrade</c> on a database to a revision.</param>
/// <param name="log">Where progress goes.</param>
public sealed class LocalSeeder(string alembicConfig, Func<DatabaseEnvironment, string, CancellationToken, Task> upgrade, ILogger log) : ILocalSeeder
{
    /// <inheritdoc/>
    /// <exception cref="BadInputException">There are several seed files.</exception>
    /// <exception cref="FailedCleanException">The seed file failed; the database is thrown away.</exception>
    public async Task<string?> SeedAsync(DatabaseEnvironment database, CancellationToken cancellation)
    {
        var folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(alembicConfig))!, "seed");
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.sql") : [];
        if (files.Length == 0)
        {
            log.Information("No seed/<revision>.sql beside {AlembicConfig}: the local databases stay empty", alembicConfig);
            return null;
        }

        if (files.Length > 1)
        {
            throw new BadInputException($"{folder} holds {files.Length} seeds.", string.Join(", ", files.Select(Path.GetFileName).Order(StringComparer.Ordinal)), "keep one: its name is the revision that its data is for");
        }

        var revision = Path.GetFileNameWithoutExtension(files[0]);
        log.Information("Migrating the local database to {Revision}", revision);
        await upgrade(database, revision, cancellation);
        log.Information("Filling it from {Seed}", files[0]);
        await FillAsync(database, files[0], cancellation);
        return revision;
    }

    private static async Task FillAsync(DatabaseEnvironment database, string file, CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(database, "aragora-seed", cancellation: cancellation);
        try
        {
            await using var transaction = await session.Connection.BeginTransactionAsync(cancellation);
            await session.ExecuteAsync(await File.ReadAllTextAsync(file, cancellation), cancellation);
            await transaction.CommitAsync(cancellation);
            await session.ExecuteAsync("ANALYZE", cancellation);
        }
        catch (PostgresException failure)
        {
            throw new FailedCleanException($"The seed {file} failed.", $"{failure.SqlState}: {failure.MessageText} (at character {failure.Position})", "mend the file, then ./build.sh LocalUp", failure);
        }
    }
}
