using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Restores;

/// <summary>Compares a restored database with the digest that was taken of its source while it was dumped.</summary>
public static class RestoredContent
{
    /// <summary>Every difference; none where the copy is right.</summary>
    /// <param name="restored">The restored database; its role must not be subject to row security.</param>
    /// <param name="manifest">The backup's.</param>
    /// <param name="jobs">Sessions that read at once.</param>
    /// <param name="withDatabase">Whether the database's own owner, settings and grants count as well: a restore alone does not bring them.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task<IReadOnlyList<DigestDifference>> CompareAsync(DatabaseEnvironment restored, BackupManifest manifest, int jobs, bool withDatabase, CancellationToken cancellation)
    {
        await using var snapshot = await SnapshotSession.OpenAsync(restored, new SnapshotOptions(), cancellation);
        return DigestComparison.Compare(manifest.Digest, await new DigestReader(snapshot).ReadAsync(jobs, manifest.Digest.Method, cancellation), withDatabase);
    }

    /// <summary>What is wrong with the revision that came back; null for nothing. Tables are looked for in every schema: the search path that led to the source's belongs to the database, and no restore brings it.</summary>
    public static async Task<string?> RevisionDifferenceAsync(DatabaseEnvironment restored, BackupManifest manifest, CancellationToken cancellation)
    {
        var revisions = await RevisionsAsync(restored, cancellation);
        var claimed = manifest.Revisions.Order(StringComparer.Ordinal).ToList();

        // Without a stamp the source's search path led to no such table; there may be one elsewhere.
        var isUnversioned = claimed.Count == 0 && manifest.RevisionStamp is null;
        return isUnversioned || revisions.Any(found => found.SequenceEqual(claimed, StringComparer.Ordinal))
            ? null
            : $"{ManifestFile.Name}: says revision {Named(claimed)}, and the alembic_version that was restored holds {(revisions.Count == 0 ? "nothing" : string.Join(" / ", revisions.Select(Named)))}";

        static string Named(IReadOnlyList<string> found) => found.Count == 0 ? "none" : string.Join(", ", found);
    }

    /// <summary>The revisions in each <c>alembic_version</c> that came back, sorted; more than one list where several schemas have that table.</summary>
    public static async Task<IReadOnlyList<IReadOnlyList<string>>> RevisionsAsync(DatabaseEnvironment restored, CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(restored, "aragora-verify", cancellation: cancellation);
        var tables = await session.QueryAsync(
            """
            SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relname = 'alembic_version' AND c.relkind IN ('r', 'p')
              AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'version_num' AND NOT a.attisdropped)
            ORDER BY 1
            """,
            row => row.GetString(0),
            cancellation);
        var found = new List<IReadOnlyList<string>>();
        foreach (var table in tables)
        {
            var rows = await session.QueryAsync($"SELECT version_num::text FROM {table}", row => row.GetString(0), cancellation);
            found.Add([.. rows.Order(StringComparer.Ordinal)]);
        }

        return found;
    }
}
