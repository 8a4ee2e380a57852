using System.Text.Json;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Rollbacks;

/// <summary>The backups that may take a database's place, with what is known of each.</summary>
/// <param name="run">Evidence, clock, root.</param>
/// <param name="options">Where backups are.</param>
public sealed class RestorableBackups(RunContext run, BackupOptions options)
{
    private readonly BackupCatalog catalog = new(options.FolderBelow(run.Root), run);

    /// <summary>All of them, newest first. The database need not let anybody in.</summary>
    public async Task<IReadOnlyList<RestorableBackup>> ListAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var (identity, mark) = await LookAsync(environment, cancellation);
        return [.. catalog.List().Backups.Where(backup => backup.Manifest.Environment == environment.Name && BackupLineage.Holds(backup.Manifest, identity, mark)).Select(Describe)];
    }

    /// <summary>The one that a person named.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    /// <exception cref="RefusedException">It is unusable, or of another database.</exception>
    public async Task<RestorableBackup> NamedAsync(DatabaseEnvironment environment, string name, CancellationToken cancellation)
    {
        var backup = catalog.Resolve(name, expected: null);
        var (identity, mark) = await LookAsync(environment, cancellation);
        BackupLineage.Require(environment, backup, identity, mark);
        return Describe(backup);
    }

    /// <summary>What is known, for people: one line.</summary>
    public string Text(RestorableBackup backup)
    {
        var now = run.Clock.GetUtcNow();
        var verified = backup.Verification switch
        {
            null => "never verified",
            { Green: false } red => $"found damaged {ProgressSnapshot.Rough(now - red.MadeAt)} ago",
            { } green => $"verified {ProgressSnapshot.Rough(now - green.MadeAt)} ago",
        };
        var manifest = backup.Backup.Manifest;
        return $"{backup.Backup.Name}: at {manifest.Revisions.Named()}, made {ProgressSnapshot.Rough(now - manifest.MadeAt)} ago, {verified}, {DataSize.Text(manifest.DatabaseBytes)}";
    }

    /// <summary>What was written since, as known now; nobody is kept out meanwhile, so there may be more.</summary>
    public static async Task<LostWrites> WritesSinceAsync(DatabaseEnvironment environment, RestorableBackup backup, CancellationToken cancellation)
    {
        await using var inside = await PostgresSession.OpenAsync(environment, "aragora-inspect", cancellation: cancellation);
        var live = await ServerDatabase.FindAsync(inside, environment.Database.Database, cancellation);
        var facts = await DatabaseInspector.ReadAsync(inside, environment, cancellation);
        return live is null ? LostWrites.Unknown("the database was renamed meanwhile") : await new WritesSinceBackup(backup.Backup.Manifest, live, facts).CountAsync(inside, cancellation);
    }

    private RestorableBackup Describe(BackupReference backup) =>
        new(backup, run.Evidence.ReadAll().Accepted.FirstOrDefault(evidence => evidence.Kind == EvidenceKinds.BackupVerification && IsAbout(evidence, backup)));

    private static bool IsAbout(Evidence evidence, BackupReference backup)
    {
        try
        {
            return evidence.FactsAs<VerificationFacts>().ManifestSha256 == backup.ManifestSha256;
        }
        catch (JsonException)
        {
            // Facts of another build: they say nothing of this backup.
            return false;
        }
    }

    private static async Task<(DatabaseIdentity Identity, DatabaseMark? Mark)> LookAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        await using var maintenance = await MaintenanceDatabase.OpenAsync(environment, "aragora-inspect", cancellation);
        var name = environment.Database.Database;
        var live = await ServerDatabase.FindAsync(maintenance, name, cancellation)
            ?? throw new BadInputException($"There is no database {name} at {environment.Endpoint}.", "", $"check the name in {environment.UrlVariable}");
        var server = await maintenance.QueryAsync("SELECT s.system_identifier::text, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c", row => (Id: row.GetString(0), Timeline: row.GetInt32(1)), cancellation);
        return (new DatabaseIdentity(server[0].Id, server[0].Timeline, live.Oid, name, environment.Endpoint, environment.EnvironmentId), live.Mark);
    }
}

/// <summary>A backup that may take a database's place.</summary>
/// <param name="Backup">It.</param>
/// <param name="Verification">The newest record of its verification, green or red, expired or not; null where there is none.</param>
public sealed record RestorableBackup(BackupReference Backup, Evidence? Verification)
{
    /// <summary>Whether it was restored and compared, and found whole.</summary>
    public bool IsVerified => Verification is { Green: true };
}
