using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Gates;

/// <summary>Staging is at the very revision asked for, by this very tree, with green smoke tests and health. Its revision is read live, not believed from a file.</summary>
internal sealed class StagingMigratedBox(RunContext run) : IGateBox
{
    private readonly EvidenceSearch search = new(run.Evidence, run.Clock);

    /// <inheritdoc/>
    public BoxState Look(GateSubject subject) => Look(subject.Staging, subject.Revision, subject.TreeHash, subject.Checks);

    /// <summary>Looks: also what MigrateStaging asks before it does anything.</summary>
    /// <param name="staging">Staging, read live.</param>
    /// <param name="revision">The revision it has to be at.</param>
    /// <param name="treeHash">The tree that has to have brought it there.</param>
    /// <param name="checks">What it has to have been checked with; null accepts any suite and any health URL.</param>
    public BoxState Look(DatabaseFacts staging, string revision, string treeHash, StagingChecks? checks = null)
    {
        const string Next = "./build.sh MigrateStaging";
        if (!staging.Revisions.SequenceEqual([revision], StringComparer.Ordinal))
        {
            var at = staging.Revisions.Count == 0 ? "no revision" : string.Join(", ", staging.Revisions);
            return new BoxState(GateBox.StagingMigrated, false, $"staging is at {at}, and production is to go to {revision}", $"{Next} --revision {revision}");
        }

        var migration = search.Find(
            new EvidenceQuery(EvidenceKinds.Migration, staging, treeHash) { MayBeExpired = true },
            evidence => evidence.FactsAs<MigrationFacts>().Moved ? null : "it only found staging at this revision");
        if (migration.Found is null)
        {
            return new BoxState(
                GateBox.StagingMigrated,
                false,
                $"nothing shows that this migrations tree brought staging to {revision}: {migration.Text}",
                $"./build.sh Rollback --target-environment Staging --strategy Downgrade --revision -1   and {Next}   (or name the other job's records with --evidence-directory)");
        }

        foreach (var (kind, complaint) in Greens(checks))
        {
            var found = search.Find(new EvidenceQuery(kind, staging, treeHash), complaint);
            if (found.Found is null)
            {
                return new BoxState(GateBox.StagingMigrated, false, found.Text, kind == EvidenceKinds.HealthCheck && checks is { HealthUrl: null } ? $"{Next}   with --staging-health-url https://host/health, and that switch here too" : Next);
            }
        }

        return new BoxState(GateBox.StagingMigrated, true, $"staging is at {revision} by this tree, smoke tests and health are green ({search.Age(migration.Found)} ago)", Next);
    }

    private static (string Kind, Func<Evidence, string?>? Complaint)[] Greens(StagingChecks? checks) =>
    [
        (EvidenceKinds.SmokeTest, checks is null ? null : evidence => checks.ComplaintAboutSuite(evidence.FactsAs<SmokeTestFacts>())),
        (EvidenceKinds.HealthCheck, checks is null ? null : evidence => checks.ComplaintAboutHealth(evidence.FactsAs<HealthFacts>())),
    ];
}
