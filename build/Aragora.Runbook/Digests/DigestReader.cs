using System.Collections.Concurrent;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Digests;

/// <summary>Computes the content digest of what a snapshot shows: of the source while it is dumped, and of a restored copy.</summary>
/// <param name="snapshot">The moment that is read; its own session is used as well, so nothing else may be run on that until the reading is over.</param>
public sealed class DigestReader(SnapshotSession snapshot)
{
    private const string Savepoint = "one_table";

    private readonly ConcurrentDictionary<string, RowsDigest> tables = new(StringComparer.Ordinal);

    /// <summary>Reads everything.</summary>
    /// <param name="jobs">Sessions that read at once, the snapshot's own included; at least 1.</param>
    /// <param name="method">How rows are hashed: to compare with a digest, its own method; null for the fastest that this server knows.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="FailedCleanException">A table cannot be read to its end; the message names it.</exception>
    public async Task<ContentDigest> ReadAsync(int jobs = 1, DigestMethod? method = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(jobs, 1);
        tables.Clear();
        var used = method ?? RowHash.MethodFor(snapshot.Session.ServerVersion);
        var queries = await TableQuery.BuildAsync(snapshot, used, cancellation);
        var pending = new ConcurrentQueue<TableQuery>(queries.OrderByDescending(query => query.Pages).ThenBy(query => query.Table, StringComparer.Ordinal));
        var blocked = new ConcurrentQueue<TableQuery>();

        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var workers = Enumerable.Range(1, Math.Min(jobs - 1, queries.Count)).Select(_ => AllOrNoneAsync(() => WorkAsync(pending, blocked, together.Token), together)).ToList();
        IReadOnlyList<CatalogueLine> catalogue = [];
        var largeObjects = new RowsDigest(0, "0");
        var own = AllOrNoneAsync(
            async () =>
            {
                catalogue = await ReadCatalogueAsync(together.Token);
                largeObjects = await LargeObjectDigest.ReadAsync(snapshot.Session, used, together.Token);
                await DrainAsync(pending, together.Token);
            },
            together);
        await WhenAllAsync([.. workers, own], cancellation);

        // DDL queues for these: only the session that holds their locks already can still read them.
        await DrainAsync(blocked, cancellation);
        return new ContentDigest
        {
            Method = used,
            ServerMajor = snapshot.Session.ServerVersion.Major,
            Tables = tables.OrderBy(table => table.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal),
            Sequences = snapshot.SequencesBefore.ToDictionary(sequence => sequence.Key, sequence => new SequenceRange(sequence.Value, sequence.Value), StringComparer.Ordinal),
            LargeObjects = largeObjects,
            Catalogue = catalogue,
        };
    }

    /// <summary>
    /// Spelling a view's definition locks the view, until the savepoint is gone. Kept on, that lock would make DDL on the view wait for this session, and pg_dump, which wants
    /// the same lock, wait behind that DDL without end: it limits its waiting for tables only.
    /// </summary>
    private async Task<IReadOnlyList<CatalogueLine>> ReadCatalogueAsync(CancellationToken cancellation)
    {
        await snapshot.Session.ExecuteAsync("SAVEPOINT catalogue", cancellation);
        var lines = await CatalogueReader.ReadAsync(snapshot.Session, cancellation);
        await snapshot.Session.ExecuteAsync("ROLLBACK TO SAVEPOINT catalogue", cancellation);
        return lines;
    }

    private async Task DrainAsync(ConcurrentQueue<TableQuery> queue, CancellationToken cancellation)
    {
        while (queue.TryDequeue(out var query))
        {
            tables[query.Table] = await query.RunAsync(snapshot.Session, cancellation);
        }
    }

    private async Task WorkAsync(ConcurrentQueue<TableQuery> pending, ConcurrentQueue<TableQuery> blocked, CancellationToken cancellation)
    {
        await using var worker = await snapshot.OpenWorkerAsync(cancellation);
        while (pending.TryDequeue(out var query))
        {
            await worker.ExecuteAsync("SAVEPOINT " + Savepoint, cancellation);
            try
            {
                tables[query.Table] = await query.RunAsync(worker, cancellation);
                await worker.ExecuteAsync("RELEASE SAVEPOINT " + Savepoint, cancellation);
            }
            catch (PostgresException behindDdl) when (behindDdl.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                await worker.ExecuteAsync("ROLLBACK TO SAVEPOINT " + Savepoint, cancellation);
                blocked.Enqueue(query);
            }
        }
    }

    private static async Task AllOrNoneAsync(Func<Task> work, CancellationTokenSource together)
    {
        try
        {
            await work();
        }
        catch
        {
            await together.CancelAsync();
            throw;
        }
    }

    /// <summary>Of several failures, the one that cancelled the others.</summary>
    private static async Task WhenAllAsync(IReadOnlyList<Task> work, CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAll(work);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            await work.First(task => task.IsFaulted);
            throw;
        }
    }
}
