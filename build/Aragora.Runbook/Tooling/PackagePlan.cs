using System.Text.RegularExpressions;

namespace Aragora.Runbook.Tooling;

/// <summary>What an installation would do, as apt-get's simulation says it.</summary>
/// <param name="New">Packages that come.</param>
/// <param name="Upgrades">Packages that are there and would be replaced, or whose installation was cut short and would be finished.</param>
/// <param name="Removals">Packages that would go.</param>
internal sealed partial record PackagePlan(IReadOnlyList<string> New, IReadOnlyList<PackageUpgrade> Upgrades, IReadOnlyList<string> Removals)
{
    /// <summary>Whether all that was asked for is there already.</summary>
    public bool IsEmpty => New.Count + Upgrades.Count + Removals.Count == 0;

    /// <summary>Reads <c>Inst libpq5 [15.18] (15.20 Debian-Security:12 [amd64])</c>, <c>Inst alembic (1.8.1 …)</c>, <c>Conf alembic (1.8.1 …)</c> and <c>Remv mail-reader [1.0]</c>.</summary>
    internal static PackagePlan Parse(string simulation)
    {
        var steps = simulation.Split('\n').Select(line => Step().Match(line)).Where(match => match.Success).ToLookup(step => step.Groups["what"].Value);
        var installed = steps["Inst"].ToLookup(step => step.Groups["old"].Success);
        var unfinished = steps["Conf"].Where(step => steps["Inst"].All(other => Name(other) != Name(step)));
        return new PackagePlan(
            [.. installed[false].Select(Name)],
            [
                .. installed[true].Select(step => new PackageUpgrade(Name(step), step.Groups["old"].Value, step.Groups["new"].Value)),
                .. unfinished.Select(step => new PackageUpgrade(Name(step), "(half installed)", step.Groups["new"].Value)),
            ],
            [.. steps["Remv"].Concat(steps["Purg"]).Select(Name)]);
    }

    private static string Name(Match step) => step.Groups["name"].Value;

    [GeneratedRegex(@"^(?<what>Inst|Conf|Remv|Purg) (?<name>[^\s:]+)\S*(?: \[(?<old>[^\]]+)\])?(?: \((?<new>\S+))?")]
    private static partial Regex Step();
}

/// <summary>A package that an installation would replace.</summary>
/// <param name="Name">Its name, without architecture.</param>
/// <param name="From">The version that is there.</param>
/// <param name="To">The version that would come.</param>
internal sealed record PackageUpgrade(string Name, string From, string To)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {From} → {To}";
}
