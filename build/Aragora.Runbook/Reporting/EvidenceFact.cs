using System.Text.Json;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Snapshots;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Reporting;

/// <summary>The one fact of each kind of evidence that people want to read.</summary>
public static class EvidenceFact
{
    /// <summary>One short line; for a kind that is not known here, its name.</summary>
    public static string Of(Evidence evidence)
    {
        if (evidence.Failure is { } failure)
        {
            return $"FAILED: {LogText.SingleLine(failure, 300)}";
        }

        try
        {
            return evidence.Kind switch
            {
                EvidenceKinds.Backup => Backup(evidence.FactsAs<BackupFacts>()),
                EvidenceKinds.BackupVerification => Verification(evidence.FactsAs<VerificationFacts>()),
                EvidenceKinds.Snapshot => Snapshot(evidence.FactsAs<SnapshotFacts>()),
                EvidenceKinds.SnapshotRestore => SnapshotRestore(evidence.FactsAs<SnapshotRestoreFacts>()),
                EvidenceKinds.Rollback when evidence.FactsAs<SnapshotRollbackFacts>() is { KeptInstance: not null } switched => SnapshotRollback(switched),
                EvidenceKinds.Rollback when evidence.FactsAs<RestoreFacts>() is { KeptDatabase: not null } restored => Restore(restored),
                EvidenceKinds.Migration or EvidenceKinds.Rollback => Migration(evidence.FactsAs<MigrationFacts>()),
                EvidenceKinds.Gate => Gate(evidence.FactsAs<GateFacts>()),
                EvidenceKinds.SmokeTest => SmokeTest(evidence.FactsAs<SmokeTestFacts>()),
                EvidenceKinds.HealthCheck => Health(evidence.FactsAs<HealthFacts>()),
                _ => evidence.Kind,
            };
        }
        catch (JsonException unreadable)
        {
            return $"facts that this version cannot read: {LogText.SingleLine(unreadable.Message, 100)}";
        }
    }

    private static string Backup(BackupFacts facts) => $"{Measures.Size(facts.BackupBytes)} of {Measures.Size(facts.DatabaseBytes)}, {Measures.Count(facts.Tables, "table")}, {facts.Folder}";

    private static string Snapshot(SnapshotFacts facts) => $"{facts.Snapshot}: {facts.Engine}, {facts.StorageGib} GiB, {(facts.IsEncrypted ? "encrypted" : "not encrypted")}{(facts.WasFound ? ", begun by an earlier run" : "")}";

    private static string SnapshotRestore(SnapshotRestoreFacts facts) => $"{facts.Snapshot} as {facts.Instance} at {facts.Endpoint}: at {Named(facts.Revisions)}, {Measures.Count(facts.Rows, "row")} in {Measures.Count(facts.Tables, "table")}{(facts.Differences.Count > 0 ? $"; differs in {string.Join("; ", facts.Differences)}" : "")}";

    private static string SnapshotRollback(SnapshotRollbackFacts facts) => facts.WasOver
        ? $"was restored from {facts.Snapshot} already, at {Named(facts.To)}: nothing was restored, kept {facts.KeptInstance}"
        : $"{(facts.From is { } from ? Named(from) : "?")} -> {Named(facts.To)}: restored from {facts.Snapshot}, {(facts.LostWrites is { } known ? Measures.Count(known, "write") : "an unknown number of writes")} lost, {(facts.Unavailable is { } away ? $"unavailable for {Measures.Duration(away)}" : "unavailable for a time that nobody measured")}, kept {facts.KeptInstance}";

    private static string Verification(VerificationFacts facts) => 
        $"{(facts.RestoreTook is { } took ? $"restored in {Measures.Duration(took)}, {Measures.Count(facts.RowsCompared, "row")} in {Measures.Count(facts.TablesCompared, "table")} compared" : "read, not restored")}; {Measures.Count(facts.Files, "file")}, {Measures.Size(facts.Bytes)}, {facts.Folder}";

    private static string Migration(MigrationFacts facts) => facts.Moved
        ? $"{Named(facts.From)} -> {Named(facts.To)} ({Measures.Count(facts.Applied.Count, "migration")})"
        : $"was at {Named(facts.To)} already";

    private static string Gate(GateFacts facts)
    {
        var overridden = facts.Boxes.Where(box => !box.Ticked).Select(box => $"{box.Box} ({LogText.SingleLine(box.Because ?? "no reason", 200)})").ToList();
        return $"to {facts.To}: {facts.Boxes.Count - overridden.Count} of {facts.Boxes.Count} boxes ticked{(overridden.Count == 0 ? "" : $"; OVERRIDDEN: {string.Join(", ", overridden)}")}";
    }

    private static string Restore(RestoreFacts facts) =>
        $"{Named(facts.From)} -> {Named(facts.To)}: restored from {facts.Folder}, {(facts.LostWrites is { } known ? Measures.Count(known, "write") : "an unknown number of writes")} lost, unavailable for {Measures.Duration(facts.Unavailable)}{(facts.Application is { } away ? $" (the application for {Measures.Duration(away.Unavailable)}{(away.Failure is null ? "" : $", and it is NOT BACK: {LogText.SingleLine(away.Failure, 200)}")})" : "")}, kept {facts.KeptDatabase}";

    private static string SmokeTest(SmokeTestFacts facts) => $"{Measures.Count(facts.Passed, "test")} passed{(facts.Skipped > 0 ? $", {facts.Skipped} skipped" : "")}{(facts.ReadOnly ? ", read-only" : "")}";

    private static string Health(HealthFacts facts) => $"HTTP {facts.Status} in {Measures.Duration(facts.Latency)}{(facts.Version is null ? "" : $", version {facts.Version}")}";

    private static string Named(IReadOnlyList<string> revisions) => revisions.Count == 0 ? "base" : string.Join(", ", revisions);
}
