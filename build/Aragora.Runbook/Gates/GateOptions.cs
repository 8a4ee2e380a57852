namespace Aragora.Runbook.Gates;

/// <summary>What a person says to the gate.</summary>
public sealed record GateOptions
{
    /// <summary>When production may be migrated; null for always.</summary>
    public MaintenanceWindow? Window { get; init; }

    /// <summary>The boxes that the person attests.</summary>
    public IReadOnlySet<AttestableBox> Attested { get; init; } = new HashSet<AttestableBox>();

    /// <summary>The boxes that are passed by although they are not ticked.</summary>
    public IReadOnlySet<GateBox> Overridden { get; init; } = new HashSet<GateBox>();

    /// <summary>Why; required where a box is overridden.</summary>
    public string? Because { get; init; }
}

/// <summary>A gate that was passed, as evidence.</summary>
/// <param name="To">The revision it was passed for.</param>
/// <param name="Boxes">All boxes of the checklist, as they were.</param>
public sealed record GateFacts(string To, IReadOnlyList<PassedBox> Boxes);

/// <summary>One box of a gate that was passed.</summary>
/// <param name="Box">Which.</param>
/// <param name="Ticked">Whether it was ticked.</param>
/// <param name="Finding">By what evidence, or what was missing.</param>
/// <param name="OverriddenBy">Who passed it by; null where it was ticked.</param>
/// <param name="Because">Why; null where it was ticked.</param>
public sealed record PassedBox(GateBox Box, bool Ticked, string Finding, string? OverriddenBy = null, string? Because = null);
