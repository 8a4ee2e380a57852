using System.Text.Json;
using Aragora.Runbook.Environments;
using Npgsql;
using Serilog;

namespace Aragora.Runbook.Journal;

/// <summary>What every step of one run shares.</summary>
public sealed record RunContext
{
    /// <summary>Unique among runs, sortable by time: <c>20261122T190455Z-3f9c</c>.</summary>
    public required string RunId { get; init; }

    /// <summary>The root of the checkout.</summary>
    public required string Root { get; init; }

    /// <summary>This run's folder: <c>artifacts/runbook/&lt;run id&gt;</c>.</summary>
    public required string Folder { get; init; }

    /// <summary>Where logs go; masked by the host.</summary>
    public required ILogger Log { get; init; }

    /// <summary>Intents and outcomes.</summary>
    public required RunJournal Journal { get; init; }

    /// <summary>Evidence, written and found.</summary>
    public required EvidenceStore Evidence { get; init; }

    /// <summary>What must never be shown.</summary>
    public required SecretMask Secrets { get; init; }

    /// <summary>The clock; tests bring their own.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>user@machine, on a CI host with the person who started the run; see <see cref="Person"/>.</summary>
    public required string Who { get; init; }

    /// <summary>The checkout's commit; null outside of git.</summary>
    public string? GitCommit { get; init; }

    /// <summary>"Nuke.Common 10.1.0" or "Nuke.Common drop-in".</summary>
    public string? Host { get; init; }

    /// <summary>How long evidence of this run is believed. Default: 24 hours.</summary>
    public TimeSpan EvidenceLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A folder beside the backups, where their records lie as well: a later job finds a backup with what was seen of it. Null for none.</summary>
    public string? BackupRecords { get; init; }

    /// <summary>Writes a record of what was just seen. Times, run, person and commit are filled in here.</summary>
    /// <param name="kind">One of <see cref="EvidenceKinds"/>.</param>
    /// <param name="environment">The environment it is about.</param>
    /// <param name="seen">The database as it was.</param>
    /// <param name="facts">What this kind of step has to say.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="treeHash">The migrations tree; null where it does not matter.</param>
    /// <param name="cancellation">Cancels the writing.</param>
    /// <param name="believedFrom">From when on the record's lifetime counts, for what is older than its record, as a backup that is verified later. Default: now.</param>
    public async Task<Evidence> RecordAsync(string kind, DatabaseEnvironment environment, DatabaseFacts seen, object facts, TimeSpan took, string? treeHash, CancellationToken cancellation, DateTimeOffset? believedFrom = null)
    {
        var written = await Evidence.WriteAsync(Make(kind, environment, seen, facts, took, treeHash, believedFrom), cancellation);
        PutBesideBackups(written);
        return written;
    }

    /// <summary>
    /// Writes a red record: it revokes older green ones. It is written although the run may be ending, and never replaces the failure that it is about: where it cannot be
    /// written, that is logged.
    /// </summary>
    /// <param name="kind">One of <see cref="EvidenceKinds"/>.</param>
    /// <param name="environment">The environment it is about.</param>
    /// <param name="seen">The database as it was; null where it could not be read: then it is known by its address and name.</param>
    /// <param name="facts">What this kind of step has to say, as far as it came.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="treeHash">The migrations tree; null where it does not matter.</param>
    /// <param name="failure">What failed.</param>
    public async Task RecordFailureAsync(string kind, DatabaseEnvironment environment, DatabaseFacts? seen, object facts, TimeSpan took, string? treeHash, Exception failure)
    {
        var told = failure is Outcomes.RunbookException { What: var what, Why: var why } ? why.Length > 0 ? $"{what} {why}" : what : failure.Message;
        var red = Make(kind, environment, seen ?? DatabaseFacts.Unread(environment), facts, took, treeHash, null) with { Failure = Reporting.LogText.SingleLine(Secrets.Apply(told), 1000) };
        try
        {
            var written = await Evidence.WriteAsync(red, CancellationToken.None);
            Log.Debug("Wrote the red record {File}", written.Path);
            PutBesideBackups(written);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            Log.Error(unwritable, "The red record of this {Kind} could not be written: older green ones of {Environment} still count", kind, environment.DisplayName);
        }
    }

    /// <summary>The database as it is; null, and a line in the log, where it cannot be read.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="cancellation">Cancels the reading.</param>
    public async Task<DatabaseFacts?> TryReadAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        try
        {
            return await DatabaseInspector.ReadAsync(environment, cancellation);
        }
        catch (Exception unreadable) when (unreadable is Outcomes.RunbookException or NpgsqlException or TimeoutException)
        {
            Log.Debug(unreadable, "The {Environment} database could not be read for a record", environment.DisplayName);
            return null;
        }
    }

    /// <summary>The record in the run's own folder counts; without the copy a later job has to be told where that is.</summary>
    private void PutBesideBackups(Evidence written)
    {
        if (BackupRecords is null || written.Path is null || written.Kind is not (EvidenceKinds.Backup or EvidenceKinds.BackupVerification))
        {
            return;
        }

        var copy = Path.Combine(BackupRecords, $"{RunId}-{Path.GetFileName(written.Path)}");
        try
        {
            PrivateFolder.Create(BackupRecords);
            File.Copy(written.Path, copy + ".partial", overwrite: true);
            File.Move(copy + ".partial", copy, overwrite: true);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            Log.Warning("The record of the backup could not be put beside it ({Why}): other jobs need --evidence-directory {Folder}", unwritable.Message, Path.GetDirectoryName(written.Path));
        }
    }

    private Evidence Make(string kind, DatabaseEnvironment environment, DatabaseFacts seen, object facts, TimeSpan took, string? treeHash, DateTimeOffset? believedFrom)
    {
        var now = Clock.GetUtcNow();
        return new Evidence
        {
            Kind = kind,
            RunId = RunId,
            Environment = environment.Name,
            Database = seen.Identity,
            Revisions = seen.Revisions,
            RevisionStamp = seen.RevisionStamp,
            TreeHash = treeHash,
            GitCommit = GitCommit,
            Who = Who,
            Host = Host,
            MadeAt = now,
            Took = took,
            ExpiresAt = (believedFrom < now ? believedFrom.Value : now) + EvidenceLifetime,
            Facts = JsonSerializer.SerializeToElement(facts, facts.GetType(), RunbookJson.Line),
        };
    }
}

/// <summary>What a database said of itself at one moment.</summary>
/// <param name="Identity">What it is.</param>
/// <param name="Revisions">The rows of <c>alembic_version</c>; empty before the first migration.</param>
/// <param name="RevisionStamp">The rows' <c>xmin</c>, joined; null without the table.</param>
public sealed record DatabaseFacts(DatabaseIdentity Identity, IReadOnlyList<string> Revisions, string? RevisionStamp)
{
    /// <summary>The server's WAL position at that moment, such as <c>0/15D6F48</c>; on a standby, the one replayed. Null where it was not read.</summary>
    public string? WalPosition { get; init; }

    /// <summary>What is known of a database that could not be read: its name and address. It is the same database as none; see <see cref="MayBe"/>.</summary>
    public static DatabaseFacts Unread(DatabaseEnvironment environment) =>
        new(new DatabaseIdentity("", 0, 0, environment.Database.Database, environment.Endpoint, environment.EnvironmentId), [], null);

    /// <summary>Whether a record of this database may be meant: the same one, or one that could not be read, of the same name at the same address.</summary>
    public bool MayBe(DatabaseIdentity recorded) =>
        recorded.IsSameDatabaseAs(Identity)
        || (recorded.SystemIdentifier.Length == 0 && recorded.DatabaseName == Identity.DatabaseName && recorded.Endpoint == Identity.Endpoint && recorded.EnvironmentId == Identity.EnvironmentId);
}
