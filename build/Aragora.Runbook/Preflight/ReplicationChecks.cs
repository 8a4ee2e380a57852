using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Preflight;

/// <summary>Who receives the WAL that a migration is about to write.</summary>
public static class ReplicationChecks
{
    /// <summary>Replicas and how far they lag.</summary>
    public static PreflightCheck Replicas { get; } = new("replicas", "Replicas and lag", async (subject, cancellation) =>
    {
        var found = await subject.Session.QueryAsync(
            """
            SELECT coalesce(nullif(application_name, ''), '?'), coalesce(state, ''), coalesce(extract(epoch FROM replay_lag), 0)::float8,
                   coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, coalesce(replay_lsn, flush_lsn, sent_lsn)), 0)::bigint
            FROM pg_stat_replication ORDER BY 1
            """,
            row => (Name: LogText.SingleLine(row.GetString(0), 63), State: row.GetString(1), Lag: TimeSpan.FromSeconds(row.GetDouble(2)), Bytes: row.GetInt64(3)),
            cancellation);
        if (found.Count == 0)
        {
            return new Finding.Ok("no replica");
        }

        var hidden = found.Any(replica => replica.State.Length == 0);
        var text = string.Join("; ", found.Select(replica => replica.State.Length == 0 ? $"{replica.Name}: not visible" : $"{replica.Name}: {replica.State}, {Measures.Duration(replica.Lag)} and {Measures.Size(replica.Bytes)} behind"));
        return found.Any(replica => replica.Lag > subject.Options.ReplicaLag || replica.Bytes > subject.Options.RetainedBytes)
            ? new Finding.Warning(text, "wait until they caught up: a migration writes more WAL, and readers of the replica see the old schema meanwhile")
            : hidden ? new Finding.Warning(text, $"GRANT pg_monitor TO {subject.Role}")
            : new Finding.Ok(text);
    });

    /// <summary>Slots that nobody reads keep WAL until the disk is full.</summary>
    public static PreflightCheck Slots { get; } = new("replication-slots", "Replication slots", async (subject, cancellation) =>
    {
        var found = await subject.Session.QueryAsync(
            """
            SELECT slot_name::text, active,
                   coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), 0)::bigint
            FROM pg_replication_slots ORDER BY 1
            """,
            row => (Name: row.GetString(0), Active: row.GetBoolean(1), Bytes: row.GetInt64(2)),
            cancellation);
        var idle = found.Where(slot => !slot.Active).ToList();
        var text = string.Join("; ", idle.Select(slot => $"{slot.Name} is inactive and keeps {Measures.Size(slot.Bytes)} of WAL"));
        return idle.Any(slot => slot.Bytes > subject.Options.RetainedBytes)
            ? new Finding.Warning(text, $"start its reader, or drop it: SELECT pg_drop_replication_slot('{idle.MaxBy(slot => slot.Bytes).Name}')")
            : new Finding.Ok(found.Count == 0 ? "none" : idle.Count == 0 ? Measures.Count(found.Count, "active slot") : text);
    });
}
