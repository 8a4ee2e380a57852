using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Npgsql;

namespace Aragora.Runbook.Restores;

/// <summary>A new database is not quite empty: it has a schema <c>public</c> and the extension <c>plpgsql</c>. Where the source had dropped them, a dump does not say so.</summary>
public static class EmptyDatabase
{
    /// <summary>Drops what the source no longer had.</summary>
    /// <param name="into">The new database.</param>
    /// <param name="source">The source's digest.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="PostgresException">Something hangs on it: the database is not empty.</exception>
    public static async Task PrepareAsync(DatabaseEnvironment into, ContentDigest source, CancellationToken cancellation)
    {
        var kept = source.Catalogue.Where(line => line.Kind is "schema" or "extension").Select(line => (line.Kind, line.Name)).ToHashSet();
        await using var session = await PostgresSession.OpenAsync(into, "aragora-restore", cancellation: cancellation);
        if (!kept.Contains(("schema", "public")))
        {
            await session.ExecuteAsync("DROP SCHEMA IF EXISTS public RESTRICT", cancellation);
        }

        if (!kept.Contains(("extension", "plpgsql")))
        {
            await session.ExecuteAsync("DROP EXTENSION IF EXISTS plpgsql RESTRICT", cancellation);
        }
    }
}
