using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Restores;

/// <summary>What a server and a database must have so that a dump of the source can be restored there as it was. Part of a backup's manifest.</summary>
public sealed record SourceShape
{
    /// <summary>The server's major version.</summary>
    public required int ServerMajor { get; init; }

    /// <summary>The database's encoding, such as UTF8.</summary>
    public required string Encoding { get; init; }

    /// <summary><c>LC_COLLATE</c> of the database.</summary>
    public required string Collate { get; init; }

    /// <summary><c>LC_CTYPE</c> of the database.</summary>
    public required string Ctype { get; init; }

    /// <summary>Reads it in a session of the source.</summary>
    public static async Task<SourceShape> ReadAsync(PostgresSession session, CancellationToken cancellation) =>
        (await session.QueryAsync(
            "SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()",
            row => new SourceShape { ServerMajor = session.ServerVersion.Major, Encoding = row.GetString(0), Collate = row.GetString(1), Ctype = row.GetString(2) },
            cancellation))[0];
}
