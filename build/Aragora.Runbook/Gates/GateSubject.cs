using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;

namespace Aragora.Runbook.Gates;

/// <summary>What the gate is asked about: both databases as they are now, and what is about to happen.</summary>
/// <param name="Production">Production, read live.</param>
/// <param name="Staging">Staging, read live.</param>
/// <param name="Revision">The revision that production is to be migrated to.</param>
/// <param name="TreeHash">The migrations tree that will do it.</param>
/// <param name="Checks">What staging has to have been checked with; null accepts any suite and any health URL.</param>
public sealed record GateSubject(DatabaseFacts Production, DatabaseFacts Staging, string Revision, string TreeHash, StagingChecks? Checks = null)
{
    /// <summary>The revisions that are about to run, in their order.</summary>
    public required IReadOnlyList<Revision> Pending { get; init; }

    /// <summary>What a restore of the verified backup would be refused for today; see <see cref="Rollbacks.RestoreForesight"/>.</summary>
    public IReadOnlyList<string> RestoreLacks { get; init; } = [];

    /// <summary>Whether this is the throwaway stack that the build made itself: there is no team to notify.</summary>
    public bool IsLocalStack { get; init; }
}
