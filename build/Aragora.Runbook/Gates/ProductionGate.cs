using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Gates;

/// <summary>The boxes of the runbook's checklist that a machine ticks so far.</summary>
public enum GateBox
{
    /// <summary>A backup of this very database, taken since its last migration, was read back whole.</summary>
    VerifiedBackup,

    /// <summary>Staging is at the very revision asked for, brought there by this very tree, with green smoke tests and health.</summary>
    StagingMigrated,
}

/// <summary>One box.</summary>
/// <param name="Box">Which.</param>
/// <param name="Ticked">Whether it is ticked.</param>
/// <param name="Finding">By what evidence, or what is missing.</param>
/// <param name="Next">The command that ticks it.</param>
public sealed record BoxState(GateBox Box, bool Ticked, string Finding, string Next);

/// <summary>What the gate is asked about: both databases as they are now, and what is about to happen.</summary>
/// <param name="Production">Production, read live.</param>
/// <param name="Staging">Staging, read live.</param>
/// <param name="Revision">The revision that production is to be migrated to.</param>
/// <param name="TreeHash">The migrations tree that will do it.</param>
/// <param name="Checks">What staging has to have been checked with; null accepts any suite and any health URL.</param>
public sealed record GateSubject(DatabaseFacts Production, DatabaseFacts Staging, string Revision, string TreeHash, StagingChecks? Checks = null);

/// <summary>The suite and the health URL that this run would check staging with: evidence of others proves nothing to it.</summary>
/// <param name="SuiteHash">What the suite holds; null where there is none, which no evidence fits.</param>
/// <param name="HealthUrl">What is asked for health, as evidence shows it; null where none is named, which no evidence fits.</param>
public sealed record StagingChecks(string? SuiteHash, Uri? HealthUrl)
{
    /// <summary>The checks of this run.</summary>
    /// <param name="root">The root of the checkout.</param>
    /// <param name="smokeTest">Names the suite.</param>
    /// <param name="staging">Names the health URL.</param>
    public static StagingChecks Of(string root, SmokeTestOptions smokeTest, DatabaseEnvironment staging) =>
        new(Verification.SuiteHash.Of(root, smokeTest.Suite), staging.HealthUrl is { IsAbsoluteUri: true } url ? HealthProbe.Shown(url) : null);

    /// <summary>Why a green smoke test does not count; null where it does.</summary>
    internal string? ComplaintAboutSuite(SmokeTestFacts facts) =>
        SuiteHash is null ? "the suite of this run is not there"
        : facts.SuiteHash == SuiteHash ? null
        : $"it ran another suite than this run's, or an earlier state of it ({facts.Suite})";

    /// <summary>Why a green health check does not count; null where it does.</summary>
    internal string? ComplaintAboutHealth(HealthFacts facts) =>
        HealthUrl is null ? "this run has no health URL of staging"
        : facts.Url == HealthUrl ? null
        : $"it asked {facts.Url}, and this run's health URL is {HealthUrl}";
}

/// <summary>Evidence in, decision out. The gate is asked by the migration itself, so that no switch of the host passes it by.</summary>
public sealed class ProductionGate(RunContext run)
{
    private readonly EvidenceSearch search = new(run.Evidence, run.Clock);
    private readonly BackupEvidence backups = new(run);

    /// <summary>Every box, ticked or not.</summary>
    public IReadOnlyList<BoxState> Look(GateSubject subject) => [VerifiedBackup(subject), LookAtStaging(subject.Staging, subject.Revision, subject.TreeHash, subject.Checks)];

    /// <summary>Passes, or refuses with every box that is not ticked.</summary>
    /// <exception cref="RefusedException">A box is not ticked.</exception>
    public IReadOnlyList<BoxState> Pass(GateSubject subject)
    {
        var boxes = Look(subject);
        var open = boxes.Where(box => !box.Ticked).ToList();
        return open.Count == 0 ? boxes : throw new RefusedException(
            $"The gate to production is closed: {string.Join(" and ", open.Select(box => box.Box))} {(open.Count == 1 ? "is" : "are")} not ticked.",
            string.Join(Environment.NewLine + "        ", open.Select(box => $"{box.Box}: {box.Finding}")),
            string.Join("; then ", open.Select(box => box.Next)));
    }

    private BoxState VerifiedBackup(GateSubject subject)
    {
        var search = backups.FindVerification(subject.Production);
        return new BoxState(GateBox.VerifiedBackup, search.Found is not null, search.Text, "./build.sh VerifyBackup");
    }

    /// <summary>The box of staging alone: also what MigrateStaging asks before it does anything.</summary>
    /// <param name="staging">Staging, read live.</param>
    /// <param name="revision">The revision it has to be at.</param>
    /// <param name="treeHash">The tree that has to have brought it there.</param>
    /// <param name="checks">What it has to have been checked with; null accepts any suite and any health URL.</param>
    public BoxState LookAtStaging(DatabaseFacts staging, string revision, string treeHash, StagingChecks? checks = null)
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
                return new BoxState(GateBox.StagingMigrated, false, found.Text, Next);
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
