using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Digests;

/// <summary>Digest of the large objects, read in pieces as a client reads them: a hole and zeros are the same, and no role needs to be a superuser.</summary>
internal static class LargeObjectDigest
{
    private const int PieceBytes = 1 << 20;

    public static async Task<RowsDigest> ReadAsync(PostgresSession session, DigestMethod method, CancellationToken cancellation)
    {
        var hash = RowHash.Expression([new DigestColumn("oid", "oid", true), new DigestColumn("piece", "int8", true), new DigestColumn("content", "bytea", true)], method);

        // OFFSET 0 keeps the three levels apart: opened (262144 is INV_READ), measured (2 is SEEK_END), closed, one object after the other.
        var sql = string.Create(CultureInfo.InvariantCulture, $"""
            SELECT count(*) FILTER (WHERE piece = 0), coalesce(sum({hash}), 0)::text
            FROM (
                SELECT sized.oid, pieces.piece, lo_get(sized.oid, pieces.piece * {PieceBytes}, {PieceBytes}) AS content
                FROM (
                    SELECT oid, bytes, lo_close(descriptor) AS closed
                    FROM (
                        SELECT oid, descriptor, lo_lseek64(descriptor, 0, 2) AS bytes
                        FROM (SELECT oid, lo_open(oid, 262144) AS descriptor FROM pg_largeobject_metadata OFFSET 0) opened OFFSET 0) measured OFFSET 0) sized
                CROSS JOIN LATERAL generate_series(0::bigint, greatest(sized.bytes - 1, 0) / {PieceBytes}) AS pieces(piece)) content
            """);
        try
        {
            return (await session.QueryAsync(sql, row => new RowsDigest(row.GetInt64(0), row.GetString(1)), cancellation))[0];
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new RefusedException(
                "The role may not read all large objects.",
                failure.MessageText,
                "GRANT SELECT ON LARGE OBJECT … TO the role, or let their owner make the backup",
                failure);
        }
    }
}
