using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Rollbacks;
using Npgsql;

namespace Aragora.Runbook.Snapshots;

/// <summary>What a switch to a snapshot loses: at most what the old database has counted since the dump that was made just before the snapshot. Without that dump nobody knows.</summary>
/// <param name="run">Journal and log.</param>
/// <param name="options">What was accepted.</param>
/// <param name="snapshot">The snapshot.</param>
/// <param name="manifest">The manifest of the dump beside it; null where none is at hand.</param>
public sealed class WritesSinceSnapshot(RunContext run, RdsOptions options, RdsSnapshot snapshot, BackupManifest? manifest)
{
    /// <summary>Counts, where that can be.</summary>
    public async Task<LostWrites> CountAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        if (manifest is null)
        {
            return LostWrites.Unknown("the dump that was made beside the snapshot, with what the server had counted then, is not here");
        }

        try
        {
            var live = options.Live(environment);
            await using var inside = await PostgresSession.OpenAsync(live, "aragora-inspect", cancellation: cancellation);
            var facts = await DatabaseInspector.ReadAsync(inside, live, cancellation);
            return await ServerDatabase.FindAsync(inside, live.Database.Database, cancellation) is { } database
                ? await new WritesSinceBackup(manifest, database, facts).CountAsync(inside, cancellation)
                : LostWrites.Unknown("the database was renamed meanwhile");
        }
        catch (Exception unreachable) when (unreachable is BadInputException or NpgsqlException)
        {
            return LostWrites.Unknown($"the old database cannot be asked: {LogText.SingleLine(unreachable is RunbookException told ? told.Why : unreachable.Message)}");
        }
    }

    /// <summary>Counts, and refuses where more would be lost than was accepted.</summary>
    public async Task<LostWrites> RequireAcceptedAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var lost = await CountAsync(environment, cancellation);
        if (options.Accepted.Covers(lost.Total))
        {
            return lost;
        }

        Show(lost);
        throw new RefusedException(
            lost.Total is { } known ? $"A switch to {snapshot.Identifier} would lose {Measures.Count(known, "write")}, and {(options.Accepted.Most is { } most ? $"{most} {(most == 1 ? "is" : "are")} accepted" : $"--accept-lost-writes {AcceptedWrites.UnknownWord} accepts only what cannot be counted")}." : $"A switch to {snapshot.Identifier} would lose an unknown number of writes.",
            $"{lost.WhyUnknown ?? "the lines above say where"}; the snapshot was taken {(snapshot.TakenAt is { } taken ? Measures.Moment(taken) : "before")}, a migration's own writes count as well, and so does what is written until the switch (stop the application first). Nothing was moved",
            $"./build.sh Rollback --target-environment Production --strategy Snapshot {RdsOptions.InstanceSwitch} {options.InstanceIdentifier} --snapshot-identifier {snapshot.Identifier} --switch Rename --accept-lost-writes {lost.Total?.ToString(CultureInfo.InvariantCulture) ?? AcceptedWrites.UnknownWord}");
    }

    /// <summary>What was accepted is remembered.</summary>
    public void Accept(DatabaseEnvironment environment, LostWrites lost)
    {
        if (lost.Total != 0)
        {
            run.Log.Warning("Accepted: {Lost:l} since {Snapshot:l} are lost here, and kept in the old instance", lost.Text, snapshot.Identifier);
            Show(lost);
            run.Journal.Note("override: accept lost writes", new { Environment = environment.DisplayName, Snapshot = snapshot.Identifier, Accepted = options.Accepted.ToString(), lost.Total, lost.Tables, run.Who });
        }
    }

    private void Show(LostWrites lost)
    {
        foreach (var line in lost.ToTable().Split('\n').Where(line => line.Length > 0))
        {
            run.Log.Information("  {Line:l}", line);
        }
    }
}
