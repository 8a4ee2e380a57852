using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>The database that a backup is restored into, beside the live one.</summary>
/// <param name="run">Its id is in the copy's name.</param>
/// <param name="maintenance">A session of the maintenance database.</param>
public sealed class RestoreCopy(RunContext run, PostgresSession maintenance)
{
    /// <summary>Makes it, empty, with the live one's encoding, locale, tablespace and owner. Nobody but the owner and superusers may connect.</summary>
    /// <param name="live">The live database.</param>
    /// <param name="backup">The backup's name.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="RefusedException">The role may not.</exception>
    public async Task<ServerDatabase> CreateAsync(ServerDatabase live, string backup, CancellationToken cancellation)
    {
        var name = DatabaseNames.Copy(live.Name, run.RunId);
        try
        {
            await maintenance.ExecuteAsync($"CREATE DATABASE {SqlText.Identifier(name)} TEMPLATE template0 OWNER {SqlText.Identifier(live.Owner)} {live.CreateOptions}", cancellation);
        }
        catch (PostgresException failure)
        {
            throw Explain(live, failure);
        }

        var mark = new DatabaseMark(MarkState.Copy, live.Name, run.RunId, run.Clock.GetUtcNow()) { Backup = backup };
        await maintenance.ExecuteAsync(DatabaseFence.CommentSql(name, DatabaseMark.Compose(null, mark)), cancellation);
        await maintenance.ExecuteAsync($"REVOKE ALL ON DATABASE {SqlText.Identifier(name)} FROM PUBLIC", cancellation);
        return await ServerDatabase.FindAsync(maintenance, name, cancellation) ?? throw new FailedCleanException($"The copy {name} vanished right after it was made.", "somebody dropped it", "repeat the command");
    }

    /// <summary>Drops a copy with whatever is in it.</summary>
    public static Task DropAsync(PostgresSession maintenance, string name, CancellationToken cancellation) => maintenance.ExecuteAsync(DroppingSql(name), cancellation);

    /// <summary>Drops a copy that nobody is connected to.</summary>
    /// <exception cref="PostgresException">Somebody is, and it stays.</exception>
    public static Task DropUnusedAsync(PostgresSession maintenance, string name, CancellationToken cancellation) => maintenance.ExecuteAsync($"DROP DATABASE IF EXISTS {SqlText.Identifier(name)}", cancellation);

    /// <summary>The statement that drops it.</summary>
    public static string DroppingSql(string name) => $"DROP DATABASE IF EXISTS {SqlText.Identifier(name)} WITH (FORCE)";

    private static RunbookException Explain(ServerDatabase live, PostgresException failure) => failure.SqlState switch
    {
        PostgresErrorCodes.InsufficientPrivilege => new RefusedException(
            $"A copy of {live.Name} cannot be made beside it.",
            failure.MessageText,
            $"ALTER ROLE … CREATEDB, and membership in {SqlText.Identifier(live.Owner)}, the database's owner (docs/permissions.md)",
            failure),
        PostgresErrorCodes.DiskFull => new FailedCleanException($"A copy of {live.Name} cannot be made beside it.", failure.MessageText, "free disk on the server, then repeat the command", failure),
        _ => new FailedCleanException($"A copy of {live.Name} cannot be made beside it.", failure.MessageText, "./build.sh Status", failure),
    };
}
