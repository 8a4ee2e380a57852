using System.Security.Cryptography;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Rollbacks;

/// <summary>After the exchange: the database is read back, and people are told what is different.</summary>
/// <param name="run">Clock, log.</param>
internal sealed class RestoreAftermath(RunContext run)
{
    private static readonly TimeSpan ReadingPatience = TimeSpan.FromSeconds(10);

    /// <summary>Reads the database back.</summary>
    /// <exception cref="NeedsPersonException">It cannot be read, or is not where the backup is.</exception>
    public async Task<DatabaseFacts> ReadBackAsync(DatabaseEnvironment environment, BackupReference backup, RestoreFacts facts)
    {
        var after = await ReadAsync(environment);
        if (after is not null && after.Revisions.Order(StringComparer.Ordinal).SequenceEqual(backup.Manifest.Revisions.Order(StringComparer.Ordinal), StringComparer.Ordinal))
        {
            return after;
        }

        throw new NeedsPersonException(
            $"{environment.Database.Database} was exchanged for its restored copy, and {(after is null ? "cannot be read" : $"is at {after.Revisions.Named()} instead of {backup.Manifest.Revisions.Named()}")}.",
            $"the old database is kept as {facts.KeptDatabase}",
            $"./build.sh Status; to go back, in the database postgres: {string.Join(' ', DatabaseSwap.ReverseSql(environment.Database.Database, facts.KeptDatabase, DatabaseNames.Undone(environment.Database.Database, run.RunId)))}");
    }

    /// <summary>Clients that come back all at once may leave no place on the server for some seconds.</summary>
    private async Task<DatabaseFacts?> ReadAsync(DatabaseEnvironment environment)
    {
        var started = run.Clock.GetTimestamp();
        while (true)
        {
            var read = await run.TryReadAsync(environment, CancellationToken.None);
            if (read is not null || run.Clock.GetElapsedTime(started) > ReadingPatience)
            {
                return read;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(100, 600)), run.Clock, CancellationToken.None);
        }
    }

    /// <summary>What is different now, and how it is taken back.</summary>
    public void Tell(DatabaseEnvironment environment, RestoreFacts facts)
    {
        var live = environment.Database.Database;
        run.Log.Information("{Database} is the restored one, at {Revision:l}; nobody was let in for {Unavailable:l}; {Lost:l} lost", live, facts.To.Named(), Measures.Duration(facts.Unavailable), facts.LostWrites is { } known ? Measures.Count(known, "write") + " were" : "an unknown number of writes was");
        run.Log.Information("The old one is kept, closed, as {Kept}. To look into it: {Sql:l}", facts.KeptDatabase, DatabaseFence.OpeningSql(facts.KeptDatabase));
        run.Log.Information("When nobody needs it any more: {Sql:l}", RestoreCopy.DroppingSql(facts.KeptDatabase) + ";");
        run.Log.Information("To take this back, in the database postgres:");
        foreach (var sql in DatabaseSwap.ReverseSql(live, facts.KeptDatabase, DatabaseNames.Undone(live, run.RunId)))
        {
            run.Log.Information("  {Sql:l}", sql);
        }
    }
}
