using System.Text.Json;
using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Journal;

/// <summary>What a step saw with its own eyes: immutable, a JSON file, and the only thing that passes from one target to the next.</summary>
public sealed record Evidence
{
    /// <summary>The kind of step; see <see cref="EvidenceKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The run that made it.</summary>
    public required string RunId { get; init; }

    /// <summary>The environment it is about.</summary>
    public required TargetEnvironment Environment { get; init; }

    /// <summary>The database it is about, by what it is.</summary>
    public required DatabaseIdentity Database { get; init; }

    /// <summary>The database's revisions when it was made; several after a branch, none before the first migration.</summary>
    public IReadOnlyList<string> Revisions { get; init; } = [];

    /// <summary>The <c>xmin</c> of the <c>alembic_version</c> row: changes with every migration, also with one that went up and down again.</summary>
    public string? RevisionStamp { get; init; }

    /// <summary>The hash of the migrations tree that was in use.</summary>
    public string? TreeHash { get; init; }

    /// <summary>The git commit of the checkout, with <c>+changes</c> behind it if it was not clean.</summary>
    public string? GitCommit { get; init; }

    /// <summary>Who ran it, and where.</summary>
    public required string Who { get; init; }

    /// <summary>Which host ran it: the packaged Nuke.Common or the drop-in.</summary>
    public string? Host { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Took { get; init; }

    /// <summary>After this moment no gate accepts it.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What this kind of step has to say; see <see cref="FactsAs{T}"/>.</summary>
    public required JsonElement Facts { get; init; }

    /// <summary>What failed, one line; null for a green record. A red one proves nothing, and revokes older green ones of the same thing.</summary>
    public string? Failure { get; init; }

    /// <summary>Whether the step was green; not part of the file, which holds <see cref="Failure"/>.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool Green => Failure is null;

    /// <summary>HMAC-SHA-256 over everything else, when an evidence key was given.</summary>
    public string? Signature { get; init; }

    /// <summary>The file it was read from or written to; not part of the record.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string? Path { get; init; }

    /// <summary>The facts, typed.</summary>
    public T FactsAs<T>() => Facts.Deserialize<T>(RunbookJson.Line) ?? throw new JsonException($"Evidence of kind {Kind} holds no facts.");
}

/// <summary>The kinds of evidence there are.</summary>
public static class EvidenceKinds
{
    /// <summary>A dump was written; facts: <c>BackupFacts</c>.</summary>
    public const string Backup = "backup";

    /// <summary>A dump was restored and compared, or was found damaged (red); facts: <c>VerificationFacts</c>.</summary>
    public const string BackupVerification = "backup-verification";

    /// <summary>An RDS snapshot is available, as RDS describes it; facts: <c>SnapshotFacts</c>.</summary>
    public const string Snapshot = "snapshot";

    /// <summary>An RDS snapshot was restored into a new instance, which was checked; facts: <c>SnapshotRestoreFacts</c>.</summary>
    public const string SnapshotRestore = "snapshot-restore";

    /// <summary>A migration moved or confirmed a revision; facts: <c>MigrationFacts</c>.</summary>
    public const string Migration = "migration";

    /// <summary>The gate to production was passed, with every box of the checklist; facts: <c>GateFacts</c>.</summary>
    public const string Gate = "gate";

    /// <summary>A rollback moved a revision back; facts: <c>MigrationFacts</c>.</summary>
    public const string Rollback = "rollback";

    /// <summary>The smoke tests ran, green or red; facts: <c>SmokeTestFacts</c>.</summary>
    public const string SmokeTest = "smoke-test";

    /// <summary>The application was asked for its health, green or red; facts: <c>HealthFacts</c>.</summary>
    public const string HealthCheck = "health-check";
}
