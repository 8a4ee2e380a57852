using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Gives a restored copy its statistics: without them its plans would collapse on the first busy minute.</summary>
/// <param name="run">Log.</param>
/// <param name="copy">The copy.</param>
internal sealed class CopyStatistics(RunContext run, DatabaseEnvironment copy)
{
    /// <summary>A parent is sampled over all its children: one that is a foreign table asks the server that it is on.</summary>
    private const string Tables =
        """
        WITH RECURSIVE reaching AS (
            SELECT i.inhparent AS oid FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'f'
            UNION
            SELECT i.inhparent FROM reaching r JOIN pg_catalog.pg_inherits i ON i.inhrelid = r.oid)
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.oid IN (SELECT oid FROM reaching)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' ORDER BY c.oid
        """;

    /// <summary>Analyses every table, but for parents of foreign ones: a rollback does not depend on another server.</summary>
    /// <returns>The copy's name.</returns>
    public async Task<string> GatherAsync(CancellationToken cancellation)
    {
        await using var session = await PostgresSession.OpenAsync(copy, "aragora-analyse", settings: StableSettings.AtConnect, cancellation: cancellation);
        await StableSettings.ApplyAsync(session, TimeSpan.Zero, cancellation);
        var tables = await session.QueryAsync(Tables, row => (Name: row.GetString(0), IsReaching: row.GetBoolean(1)), cancellation);
        var reaching = tables.Where(table => table.IsReaching).Select(table => table.Name).ToList();
        if (reaching.Count > 0)
        {
            run.Log.Warning("Not analysed, since a part of each is on another server: {Tables:l}. Afterwards: ANALYZE {Tables:l}", string.Join(", ", reaching), string.Join(", ", reaching));
        }

        await session.ExecuteAsync(reaching.Count == 0 ? "ANALYZE" : $"ANALYZE {string.Join(", ", tables.Where(table => !table.IsReaching).Select(table => table.Name))}", cancellation);
        return copy.Database.Database;
    }
}
