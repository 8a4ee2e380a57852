using System.Text.Json;
using Aragora.Runbook.Environments;
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

    /// <summary>user@machine.</summary>
    public required string Who { get; init; }

    /// <summary>The checkout's commit; null outside of git.</summary>
    public string? GitCommit { get; init; }

    /// <summary>"Nuke.Common 10.1.0" or "Nuke.Common drop-in".</summary>
    public string? Host { get; init; }

    /// <summary>How long evidence of this run is believed. Default: 24 hours.</summary>
    public TimeSpan EvidenceLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Writes a record of what was just seen. Times, run, person and commit are filled in here.</summary>
    public Task<Evidence> RecordAsync(string kind, DatabaseEnvironment environment, DatabaseFacts seen, object facts, TimeSpan took, string? treeHash, CancellationToken cancellation) =>
        Evidence.WriteAsync(
            new Evidence
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
                MadeAt = Clock.GetUtcNow(),
                Took = took,
                ExpiresAt = Clock.GetUtcNow() + EvidenceLifetime,
                Facts = JsonSerializer.SerializeToElement(facts, facts.GetType(), RunbookJson.Line),
            },
            cancellation);
}

/// <summary>What a database said of itself at one moment.</summary>
/// <param name="Identity">What it is.</param>
/// <param name="Revisions">The rows of <c>alembic_version</c>; empty before the first migration.</param>
/// <param name="RevisionStamp">The rows' <c>xmin</c>, joined; null without the table.</param>
public sealed record DatabaseFacts(DatabaseIdentity Identity, IReadOnlyList<string> Revisions, string? RevisionStamp);
