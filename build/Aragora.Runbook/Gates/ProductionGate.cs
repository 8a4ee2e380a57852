using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Gates;

/// <summary>Evidence in, decision out. The gate is asked by the migration itself, so that no switch of the host passes it by.</summary>
/// <param name="run">Evidence, clock, journal.</param>
/// <param name="options">What the person says to it.</param>
public sealed class ProductionGate(RunContext run, GateOptions options)
{
    private readonly VerifiedBackupBox backup = new(run);
    private readonly StagingMigratedBox staging = new(run);
    private readonly MaintenanceWindowBox window = new(run, options.Window);
    private readonly AttestedBox[] attested = [.. Enum.GetValues<AttestableBox>().Select(box => new AttestedBox(run, box, options.Attested))];

    /// <summary>Every box, ticked or not, in the order of the runbook's checklist.</summary>
    public IReadOnlyList<BoxState> Look(GateSubject subject)
    {
        IGateBox[] boxes = [backup, staging, new RollbackPreparedBox(run), window, .. attested];
        return [.. boxes.Select(box => box.Look(subject))];
    }

    /// <summary>The boxes that would refuse now, and that no step of the runbook ticks: better known before the backup than after it.</summary>
    /// <param name="isLocalStack">Whether this is about the throwaway stack.</param>
    public IReadOnlyList<BoxState> Foresee(bool isLocalStack) =>
        [.. attested.Select(box => box.Look(isLocalStack)).Prepend(window.Look()).Where(box => !box.Ticked && !options.Overridden.Contains(box.Box))];

    /// <summary>The box of staging alone: what MigrateStaging asks before it does anything.</summary>
    /// <inheritdoc cref="StagingMigratedBox.Look(DatabaseFacts, string, string, StagingChecks?)"/>
    public BoxState LookAtStaging(DatabaseFacts staging, string revision, string treeHash, StagingChecks? checks = null) => this.staging.Look(staging, revision, treeHash, checks);

    /// <summary>Passes, or refuses with every box that is neither ticked nor overridden.</summary>
    /// <exception cref="RefusedException">There is such a box.</exception>
    public GateFacts Pass(GateSubject subject) => Decide(subject, Look(subject));

    private GateFacts Decide(GateSubject subject, IReadOnlyList<BoxState> boxes)
    {
        var open = boxes.Where(box => !box.Ticked && !options.Overridden.Contains(box.Box)).ToList();
        if (open.Count > 0)
        {
            throw Refusal(open);
        }

        return new GateFacts(subject.Revision, [.. boxes.Select(box => box.Ticked ? new PassedBox(box.Box, true, box.Finding) : new PassedBox(box.Box, false, box.Finding, run.Who, options.Because))]);
    }

    /// <summary>Passes, says so, and leaves it in journal and evidence before anything moves.</summary>
    /// <param name="production">Production.</param>
    /// <param name="subject">What the gate is asked about.</param>
    /// <param name="cancellation">Cancels the writing.</param>
    /// <exception cref="RefusedException">A box is neither ticked nor overridden.</exception>
    public async Task<GateFacts> PassAsync(DatabaseEnvironment production, GateSubject subject, CancellationToken cancellation)
    {
        var asked = new { subject.Production, subject.Staging, subject.Revision, subject.TreeHash, subject.Checks, Pending = subject.Pending.Select(step => step.Id), options.Attested, options.Overridden, options.Because, run.Who };
        var passed = await run.Journal.ActAsync("pass the gate to production", asked, async () =>
        {
            var boxes = Look(subject);

            // Only where the rest lets it through: it takes as long as the backup is large.
            return Decide(subject, Decide(subject, boxes).Boxes[0].Ticked ? [await backup.ReadAsync(subject, cancellation), .. boxes.Skip(1)] : boxes);
        });
        foreach (var box in passed.Boxes)
        {
            Tell(box);
        }

        await run.RecordAsync(EvidenceKinds.Gate, production, subject.Production, passed, TimeSpan.Zero, subject.TreeHash, cancellation);
        return passed;
    }

    private void Tell(PassedBox box)
    {
        if (!box.Ticked)
        {
            run.Log.Warning("[!] OVERRIDDEN by {Who}: {Box} is not ticked: {Finding:l}; because: {Because}", box.OverriddenBy, box.Box, box.Finding, box.Because);
            run.Journal.Note($"override: {box.Box}", new { box.Because, box.Finding, run.Who });
            return;
        }

        run.Log.Information("[x] {Box}: {Finding:l}", box.Box, box.Finding);
        if (options.Overridden.Contains(box.Box))
        {
            run.Log.Information("    The override of {Box} was not needed, and was not used", box.Box);
        }
    }

    private static RefusedException Refusal(IReadOnlyList<BoxState> open)
    {
        var names = open.Select(box => box.Box.ToString()).ToList();
        var listed = names.Count == 1 ? names[0] : $"{string.Join(", ", names[..^1])} and {names[^1]}";
        return new RefusedException(
            $"The gate to production is closed: {listed} {(open.Count == 1 ? "is" : "are")} not ticked.",
            string.Join(Environment.NewLine + "        ", open.Select(box => $"{box.Box}: {box.Finding}")),
            $"{string.Join("; then ", open.Select(box => box.Next).Distinct(StringComparer.Ordinal))}   (the last resort, loud in every record: --override {string.Join(',', names)} --because \"why\")");
    }
}
