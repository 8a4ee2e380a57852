using Aragora.Runbook.Contacts;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Reporting;

/// <summary>One target of the run.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Result">"done", "found" (valid evidence was there), "skipped", "failed", "refused", "not run".</param>
/// <param name="Took">How long it took.</param>
/// <param name="Fact">The one fact that matters; empty where there is none.</param>
public sealed record TargetOutcome(string Name, string Result, TimeSpan Took, string Fact);

/// <summary>Everything that the run's report says; the two renderings differ in their form only.</summary>
public sealed record RunReport
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>Who ran it.</summary>
    public required string Who { get; init; }

    /// <summary>The checkout's commit; null outside of git.</summary>
    public string? GitCommit { get; init; }

    /// <summary>The host.</summary>
    public string? Host { get; init; }

    /// <summary>When the report was made, UTC.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>How the run ended, in a word or two for the title: "green", "refused", "failed", "needs a person".</summary>
    public required string Ending { get; init; }

    /// <summary>The failure block of a run that failed; see <see cref="FailureReport.Render"/>.</summary>
    public string? Failure { get; init; }

    /// <summary>The targets, in the order in which they ran.</summary>
    public IReadOnlyList<TargetOutcome> Targets { get; init; } = [];

    /// <summary>The journal's acts.</summary>
    public IReadOnlyList<ActOutcome> Acts { get; init; } = [];

    /// <summary>Overrides that were used: the journal's notes whose act begins with "override".</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>The run's evidence, oldest first.</summary>
    public IReadOnlyList<Evidence> Evidence { get; init; } = [];

    /// <summary>Files among the run's evidence that no gate believes.</summary>
    public IReadOnlyList<RejectedEvidence> Rejected { get; init; } = [];

    /// <summary>The databases at the end.</summary>
    public IReadOnlyList<DatabaseState> States { get; init; } = [];

    /// <summary>The next command.</summary>
    public required string Next { get; init; }

    /// <summary>Whom to call.</summary>
    public required EmergencyContacts Contacts { get; init; }

    /// <summary>Whether the evidence is signed, as a sentence.</summary>
    public string Signatures => Evidence.Count == 0 ? "This run made no evidence."
        : Evidence.All(evidence => evidence.Signature is not null) ? "All evidence of this run is signed (HMAC-SHA-256)."
        : Evidence.Any(evidence => evidence.Signature is not null) ? "Part of the evidence of this run is NOT signed."
        : "The evidence of this run is NOT signed: anybody who can write to the folder can change it. Give --evidence-key to sign.";
}
