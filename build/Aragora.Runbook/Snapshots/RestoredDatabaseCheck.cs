using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Snapshots;

/// <summary>Looks into a restored database before anything points at it.</summary>
/// <param name="run">Clock and log.</param>
/// <param name="options">Patience.</param>
public sealed class RestoredDatabaseCheck(RunContext run, RdsOptions options)
{
    private const string ListTables = """
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), greatest(c.reltuples, 0)::bigint
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        ORDER BY 1
        """;

    private const string WrongPassword = "28P01";

    /// <summary>The name of its sessions, and of nobody else's in that database.</summary>
    internal const string SessionName = "aragora-restore-check";

    /// <summary>Asked in the session that looks, before anything is read. Default: nothing is asked.</summary>
    public Func<PostgresSession, CancellationToken, Task> First { get; init; } = (_, _) => Task.CompletedTask;

    /// <summary>The instance that is looked into.</summary>
    public required string Instance { get; init; }

    /// <summary>How production stands while it is looked, said with every failure.</summary>
    public string Standing { get; init; } = "production was not touched";

    /// <summary>Looks.</summary>
    /// <param name="restored">The database at the new endpoint, with production's role and password.</param>
    /// <param name="snapshot">The snapshot: its tags say which revision it holds.</param>
    /// <param name="manifest">The manifest of the dump that was made beside the snapshot; null where none is at hand.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="FailedCleanException">It lets nobody in, is at another revision, or lacks tables.</exception>
    public Task<RestoredDatabase> RunAsync(DatabaseEnvironment restored, RdsSnapshot snapshot, BackupManifest? manifest, CancellationToken cancellation) => InsideAsync(
        restored,
        async session =>
        {
            await First(session, cancellation);
            var facts = await DatabaseInspector.ReadAsync(session, restored, cancellation);
            RequireRevision(snapshot, facts, restored);
            var address = await session.ScalarAsync<string>("SELECT pg_catalog.inet_server_addr()::text || ':' || pg_catalog.inet_server_port()::text", cancellation);
            var tables = await CountAsync(session, cancellation);
            Compare(tables, manifest, restored);
            return new RestoredDatabase(facts, tables, address);
        },
        cancellation);

    /// <summary>Asks <see cref="First"/> alone.</summary>
    /// <param name="restored">The database at the new endpoint.</param>
    /// <param name="cancellation">Ends it.</param>
    public Task AskFirstAsync(DatabaseEnvironment restored, CancellationToken cancellation) => InsideAsync(
        restored,
        async session =>
        {
            await First(session, cancellation);
            return true;
        },
        cancellation);

    private async Task<T> InsideAsync<T>(DatabaseEnvironment restored, Func<PostgresSession, Task<T>> look, CancellationToken cancellation)
    {
        await using var session = await OpenAsync(restored, cancellation);
        try
        {
            return await look(session);
        }
        catch (NpgsqlException broken)
        {
            throw new FailedCleanException($"The restored database at {restored.Database.Endpoint} could not be looked into; {Standing}.", LogText.SingleLine(broken.Message), "repeat the command: the restored instance is found", broken);
        }
    }

    /// <summary>A new host name takes a while to be known, and a new instance to let people in; a wrong password stays wrong.</summary>
    private async Task<PostgresSession> OpenAsync(DatabaseEnvironment restored, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                return await PostgresSession.OpenAsync(restored, SessionName, cancellation: cancellation);
            }
            catch (BadInputException unreachable)
            {
                var refused = unreachable.InnerException is PostgresException { SqlState: WrongPassword };
                if (refused || run.Clock.GetElapsedTime(started) > options.ConnectPatience)
                {
                    throw new FailedCleanException(
                        $"The restored instance is available, and its database at {restored.Database.Endpoint} lets nobody in from here; {Standing}.",
                        unreachable.Why + (refused ? ": it has the roles and passwords that it had when the snapshot was taken" : "; security groups and subnets are the original's"),
                        refused ? $"put the password of that time into {DatabaseEnvironment.UrlVariableOf(restored.Name)}, or change the role's there (the master's: aws rds modify-db-instance --db-instance-identifier {Instance} --manage-master-user-password   has AWS make one and keep it); then repeat the command" : "run it from where production can be reached; then repeat the command: the restored instance is found",
                        unreachable);
                }

                run.Log.Debug("The restored database cannot be reached yet: {Why:l}", unreachable.Why);
                await Task.Delay(options.PollInterval < TimeSpan.FromSeconds(5) ? options.PollInterval : TimeSpan.FromSeconds(5), run.Clock, cancellation);
            }
        }
    }

    private void RequireRevision(RdsSnapshot snapshot, DatabaseFacts facts, DatabaseEnvironment restored)
    {
        if (snapshot.Tags.TryGetValue(SnapshotTags.Revision, out var tagged) && tagged != SnapshotTags.Unknown && tagged != SnapshotTags.RevisionOf(facts.Revisions))
        {
            throw new FailedCleanException(
                $"The restored database is at {facts.Revisions.Named()}, and the snapshot {snapshot.Identifier} says that it holds {tagged}; {Standing}.",
                $"looked into was {restored.Database}",
                "aws rds describe-db-snapshots   tells of what it is; restore another one");
        }
    }

    private async Task<IReadOnlyDictionary<string, RestoredRows>> CountAsync(PostgresSession session, CancellationToken cancellation)
    {
        var tables = await session.QueryAsync(ListTables, row => (Name: row.GetString(0), Estimate: row.GetInt64(1)), cancellation);
        await session.ExecuteAsync($"SET statement_timeout = {((long)options.CountPatience.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)}", cancellation);
        await session.ExecuteAsync("SET default_transaction_read_only = on", cancellation);
        var counted = new Dictionary<string, RestoredRows>(StringComparer.Ordinal);
        foreach (var (name, estimate) in tables)
        {
            try
            {
                // The name comes from format('%I.%I').
                counted[name] = new RestoredRows(await session.ScalarAsync<long>($"SELECT count(*) FROM {name}", cancellation), IsExact: true);
            }
            catch (PostgresException slow) when (slow.SqlState is PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.InsufficientPrivilege)
            {
                // Too large to be read through from a new volume, or not ours to read: the planner's number has to do, and is named as what it is.
                counted[name] = new RestoredRows(estimate, IsExact: false);
            }
        }

        return counted;
    }

    private void Compare(IReadOnlyDictionary<string, RestoredRows> tables, BackupManifest? manifest, DatabaseEnvironment restored)
    {
        run.Log.Information("The restored database holds {Rows} rows in {Tables} tables{Estimated:l}", tables.Values.Sum(table => table.Rows), tables.Count, tables.Values.All(table => table.IsExact) ? "" : " (some estimated)");
        if (manifest is null)
        {
            run.Log.Information("No dump of the same run is here: the numbers are told, and compared with nothing");
            return;
        }

        var missing = manifest.Digest.Tables.Keys.Where(name => !tables.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();
        if (missing.Count > 0)
        {
            throw new FailedCleanException(
                $"The restored database lacks {Measures.Count(missing.Count, "table")} of the dump that was made beside its snapshot; {Standing}.",
                string.Join(", ", missing.Take(20)),
                $"look into it: psql at {restored.Database.Endpoint}; or restore another snapshot");
        }

        foreach (var (name, dumped) in manifest.Digest.Tables.Where(table => tables[table.Key].Rows != table.Value.Rows))
        {
            // The two were made one after the other, so what was written in between is in one alone.
            run.Log.Write(
                tables[name] is { IsExact: true, Rows: 0 } ? Serilog.Events.LogEventLevel.Warning : Serilog.Events.LogEventLevel.Information,
                "{Table:l}: {Rows} rows{Estimated:l}, and {Dumped} in the dump beside the snapshot", name, tables[name].Rows, tables[name].IsExact ? "" : " (estimated)", dumped.Rows);
        }
    }
}

/// <summary>What was seen in a restored database.</summary>
/// <param name="Facts">Identity and revision.</param>
/// <param name="Tables">Rows of each table, by quoted name.</param>
/// <param name="ServerAddress">The server's own address, to know it again; null over a socket.</param>
public sealed record RestoredDatabase(DatabaseFacts Facts, IReadOnlyDictionary<string, RestoredRows> Tables, string? ServerAddress);

/// <summary>Rows of a table.</summary>
/// <param name="Rows">How many.</param>
/// <param name="IsExact">Whether they were counted; otherwise the planner's estimate.</param>
public sealed record RestoredRows(long Rows, bool IsExact);
