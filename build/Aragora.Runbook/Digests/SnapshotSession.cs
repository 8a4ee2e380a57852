using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Digests;

/// <summary>
/// A read-only view of one moment of a database, which others can share (<c>pg_dump --snapshot</c>). Every table is locked against DDL before the first query
/// reads: a TRUNCATE in between would leave a dump and a digest that agree on nothing. Kept until disposed; meanwhile CREATE INDEX CONCURRENTLY of others waits.
/// </summary>
public sealed class SnapshotSession : IAsyncDisposable
{
    private readonly DatabaseEnvironment environment;
    private readonly SnapshotOptions options;

    private SnapshotSession(DatabaseEnvironment environment, SnapshotOptions options, PostgresSession session)
    {
        this.environment = environment;
        this.options = options;
        Session = session;
    }

    /// <summary>The session that holds the snapshot and the locks.</summary>
    public PostgresSession Session { get; }

    /// <summary>The exported snapshot, for <c>pg_dump --snapshot</c>.</summary>
    public string SnapshotId { get; private set; } = "";

    /// <summary>The server's clock when the snapshot was taken.</summary>
    public DateTimeOffset TakenAt { get; private set; }

    /// <summary>The server's WAL position just after the snapshot was taken; on a standby, the one replayed.</summary>
    public string WalPosition { get; private set; } = "";

    /// <summary>The tables of the snapshot, all locked; by name.</summary>
    public IReadOnlyList<SnapshotTable> Tables { get; private set; } = [];

    /// <summary>The sequences when the snapshot was taken: they ignore snapshots, so a dump that starts now holds these values or later ones.</summary>
    public IReadOnlyDictionary<string, SequencePosition> SequencesBefore { get; private set; } = new Dictionary<string, SequencePosition>(StringComparer.Ordinal);

    /// <summary>How many times tables were listed and locked: 1 where nothing came in between.</summary>
    public int Attempt { get; private set; }

    /// <summary>Takes a snapshot.</summary>
    /// <exception cref="BadInputException">The server cannot be reached.</exception>
    /// <exception cref="RefusedException">The role may not read a table, or row security would hide rows from it.</exception>
    /// <exception cref="FailedCleanException">The tables changed at every attempt, or a lock was not had in time.</exception>
    public static async Task<SnapshotSession> OpenAsync(DatabaseEnvironment environment, SnapshotOptions options, CancellationToken cancellation)
    {
        var session = await PostgresSession.OpenAsync(environment, options.ApplicationName, settings: StableSettings.AtConnect, cancellation: cancellation);
        try
        {
            await StableSettings.ApplyAsync(session, options.LockWaitTimeout, cancellation);
            var snapshot = new SnapshotSession(environment, options, session);
            while (!await snapshot.TryTakeAsync(cancellation))
            {
                await session.ExecuteAsync("ROLLBACK", cancellation);
                if (snapshot.Attempt >= options.Attempts)
                {
                    throw new FailedCleanException(
                        string.Create(CultureInfo.InvariantCulture, $"Tables of the {environment.DisplayName} database were made, dropped or renamed at each of {options.Attempts} attempts to lock them."),
                        "a digest and a dump of different tables could not be compared",
                        "wait until nothing changes the schema, then repeat the command; ./build.sh Preflight shows who is at work");
                }
            }

            return snapshot;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Another session in the same snapshot, for reading in parallel. It waits for no lock longer than two seconds: behind DDL that waits for us, it would wait for ever.</summary>
    public async Task<PostgresSession> OpenWorkerAsync(CancellationToken cancellation)
    {
        var worker = await PostgresSession.OpenAsync(environment, options.ApplicationName, settings: StableSettings.AtConnect, cancellation: cancellation);
        try
        {
            await StableSettings.ApplyAsync(worker, TimeSpan.FromSeconds(2), cancellation);
            await worker.ExecuteAsync("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", cancellation);
            await worker.ExecuteAsync($"SET TRANSACTION SNAPSHOT '{SnapshotId}'", cancellation);
            return worker;
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    /// <summary>The sequences now. After a dump: no value in it can be later than these.</summary>
    public Task<IReadOnlyDictionary<string, SequencePosition>> ReadSequencesAsync(CancellationToken cancellation) => SequencePosition.ReadAllAsync(Session, cancellation);

    /// <summary>Ends the snapshot and frees the locks.</summary>
    public ValueTask DisposeAsync() => Session.DisposeAsync();

    private async Task<bool> TryTakeAsync(CancellationToken cancellation)
    {
        Attempt++;
        var before = await ListAsync(cancellation);
        if (!await TryLockAsync(before, cancellation))
        {
            return false;
        }

        // The first query since BEGIN: the snapshot begins here, behind the locks.
        var taken = (await Session.QueryAsync(
            """
            SELECT pg_catalog.pg_export_snapshot(), pg_catalog.clock_timestamp(),
                   (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END)::text
            """,
            row => (Id: row.GetString(0), At: row.GetFieldValue<DateTimeOffset>(1), Wal: row.GetString(2)),
            cancellation))[0];
        var after = await ListAsync(cancellation);
        if (!before.Select(table => (table.Oid, table.Name)).SequenceEqual(after.Select(table => (table.Oid, table.Name))))
        {
            return false;
        }

        RefuseHiddenRows(after);
        Tables = after;
        (SnapshotId, TakenAt, WalPosition) = taken;
        SequencesBefore = await ReadSequencesAsync(cancellation);
        return true;
    }

    private Task<IReadOnlyList<SnapshotTable>> ListAsync(CancellationToken cancellation) => Session.QueryAsync(
        SnapshotTable.Sql,
        row => new SnapshotTable(
            row.GetFieldValue<uint>(0),
            row.GetString(1),
            row.GetBoolean(2) ? SnapshotTableKind.Partitioned : SnapshotTableKind.Ordinary,
            row.GetBoolean(3),
            row.GetInt64(4),
            row.GetBoolean(5),
            row.IsDBNull(6) ? null : row.GetString(6)),
        cancellation);

    /// <summary>One round trip: nothing (no keep-alive either) may query between BEGIN and LOCK.</summary>
    private async Task<bool> TryLockAsync(IReadOnlyList<SnapshotTable> tables, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(Session.Connection) { Timeout = 0 };
        batch.BatchCommands.Add(new NpgsqlBatchCommand("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
        if (tables.Count > 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"LOCK TABLE {string.Join(", ", tables.Select(table => $"ONLY {table.Name}"))} IN ACCESS SHARE MODE"));
        }

        try
        {
            await batch.ExecuteNonQueryAsync(cancellation);
            return true;
        }
        catch (PostgresException gone) when (gone.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.WrongObjectType)
        {
            return false;
        }
        catch (PostgresException failure) when (failure.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.OutOfMemory)
        {
            throw Explain(failure, tables.Count);
        }
    }

    private RunbookException Explain(PostgresException failure, int tables)
    {
        var what = $"The tables of the {environment.DisplayName} database could not be locked against DDL for the backup.";
        return failure.SqlState switch
        {
            PostgresErrorCodes.InsufficientPrivilege => new RefusedException(
                what,
                $"role \"{environment.Database.User}\" may not read all of them: {failure.MessageText}",
                $"GRANT SELECT on what is named to \"{environment.Database.User}\"   (or, from PostgreSQL 14 on, all at once: GRANT pg_read_all_data TO …)",
                failure),
            PostgresErrorCodes.LockNotAvailable => new FailedCleanException(
                what,
                string.Create(CultureInfo.InvariantCulture, $"somebody holds, or waits for, an exclusive lock on one of them for longer than {options.LockWaitTimeout.TotalSeconds:0.#} s"),
                "./build.sh Preflight names the session; repeat the command when it is done",
                failure),
            _ => new FailedCleanException(what, string.Create(CultureInfo.InvariantCulture, $"the server has no room for {tables} locks: {failure.MessageText}"), "raise max_locks_per_transaction on the server", failure),
        };
    }

    private void RefuseHiddenRows(IReadOnlyList<SnapshotTable> tables)
    {
        var hidden = tables.Where(table => table.RowSecurity).Select(table => table.Name).ToList();
        if (hidden.Count > 0)
        {
            var role = "\"" + environment.Database.User.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
            throw new RefusedException(
                $"Row security would hide rows of {string.Join(", ", hidden.Take(10))}{(hidden.Count > 10 ? string.Create(CultureInfo.InvariantCulture, $" and {hidden.Count - 10} more") : "")} from role {role}.",
                "a backup and a digest without them would prove nothing",
                $"ALTER ROLE {role} BYPASSRLS;   (or let the tables' owner make the backup, where row security is not forced)");
        }
    }
}
