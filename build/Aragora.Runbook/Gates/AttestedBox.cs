using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Gates;

/// <summary>A box that no machine can tick yet: somebody says so, by name, and is remembered.</summary>
/// <param name="run">Who.</param>
/// <param name="box">Which.</param>
/// <param name="attested">What was attested.</param>
internal sealed class AttestedBox(RunContext run, AttestableBox box, IReadOnlySet<AttestableBox> attested) : IGateBox
{
    private static readonly string All = string.Join(',', Enum.GetNames<AttestableBox>());

    /// <inheritdoc/>
    public BoxState Look(GateSubject subject) => Look(subject.IsLocalStack);

    /// <summary>Looks, before there is anything to migrate.</summary>
    public BoxState Look(bool isLocalStack) =>
        isLocalStack ? State(true, "not asked on the local stack")
        : attested.Contains(box) ? State(true, $"attested by {run.Who}")
        : State(false, "nobody attested it");

    private BoxState State(bool ticked, string finding) =>
        new(Enum.Parse<GateBox>(box.ToString()), ticked, finding, $"notify the team and open the dashboards; then repeat the command with --attest {All}");
}
