using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Digests;

/// <summary>Where a sequence stands.</summary>
/// <param name="LastValue">Its <c>last_value</c>.</param>
/// <param name="IsCalled">Whether that value was given out; otherwise it is the next one.</param>
/// <param name="Descends">Whether it counts downwards.</param>
/// <param name="Cycles">Whether it starts over at its end.</param>
public sealed record SequencePosition(long LastValue, bool IsCalled, bool Descends = false, bool Cycles = false)
{
    private const int AtOnce = 200;

    /// <summary>Below 0 where this position comes before the other along the sequence's own direction.</summary>
    public int OrderAgainst(SequencePosition other)
    {
        var byValue = Descends ? other.LastValue.CompareTo(LastValue) : LastValue.CompareTo(other.LastValue);
        return byValue != 0 ? byValue : IsCalled.CompareTo(other.IsCalled);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{LastValue}{(IsCalled ? "" : " (not called)")}");

    /// <summary>Every sequence that a dump holds, by its quoted name.</summary>
    public static async Task<IReadOnlyDictionary<string, SequencePosition>> ReadAllAsync(PostgresSession session, CancellationToken cancellation)
    {
        var names = await session.QueryAsync(
            """
            SELECT format('%I.%I', n.nspname, c.relname), s.seqincrement < 0, s.seqcycle
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
              AND (NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
                   OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)))
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """,
            row => (Name: row.GetString(0), Descends: row.GetBoolean(1), Cycles: row.GetBoolean(2)),
            cancellation);
        var positions = new Dictionary<string, SequencePosition>(StringComparer.Ordinal);
        foreach (var chunk in names.Chunk(AtOnce))
        {
            var sql = string.Join(" UNION ALL ", chunk.Select((sequence, index) => string.Create(CultureInfo.InvariantCulture, $"SELECT {index}, last_value, is_called FROM {sequence.Name}")));
            foreach (var (index, value, isCalled) in await session.QueryAsync(sql, row => (row.GetInt32(0), row.GetInt64(1), row.GetBoolean(2)), cancellation))
            {
                positions[chunk[index].Name] = new SequencePosition(value, isCalled, chunk[index].Descends, chunk[index].Cycles);
            }
        }

        return positions;
    }
}
