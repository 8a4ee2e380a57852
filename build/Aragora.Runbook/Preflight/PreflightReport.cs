using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Preflight;

/// <summary>Everything that the preflight found.</summary>
/// <param name="Results">One for each check and database.</param>
/// <param name="Databases">What each database is; without those that could not be asked.</param>
/// <param name="Took">From the first connection to the last answer.</param>
public sealed record PreflightReport(IReadOnlyList<PreflightResult> Results, IReadOnlyDictionary<TargetEnvironment, DatabaseFacts> Databases, TimeSpan Took)
{
    /// <summary>What stands in the way.</summary>
    public IReadOnlyList<PreflightResult> Refusals => [.. Results.Where(result => result.Finding is Finding.Refusal)];

    /// <summary>What somebody should know.</summary>
    public IReadOnlyList<PreflightResult> Warnings => [.. Results.Where(result => result.Finding is Finding.Warning)];

    /// <summary>The one fact for the run's summary.</summary>
    public string Fact => $"{Results.Count - Refusals.Count - Warnings.Count} ok, {Measures.Count(Warnings.Count, "warning")}, {Measures.Count(Refusals.Count, "refusal")}";

    /// <summary>A table of plain text, safe for a log.</summary>
    public string ToTable() => TextTable.Render(
        ["", "Where", "Check", "Finding"],
        [.. Results.Select(result => (IReadOnlyList<string>)[result.Finding.Word, Where(result), result.Title, result.Finding.Next.Length > 0 ? $"{result.Finding.Text}\n-> {result.Finding.Next}" : result.Finding.Text])]);

    /// <summary>Goes on, or does not.</summary>
    /// <exception cref="RefusedException">At least one check refuses; the message lists each with its next command.</exception>
    public void ThrowIfRefused()
    {
        if (Refusals.Count > 0)
        {
            throw new RefusedException(
                $"The preflight refuses: {Measures.Count(Refusals.Count, "finding")} in the way. Nothing was touched.",
                string.Join("\n        ", Refusals.Select(result => $"{Where(result)}, {result.Title}: {LogText.Safe(result.Finding.Text)}\n          -> {LogText.Safe(result.Finding.Next)}")),
                "mend what is listed, then ./build.sh Preflight");
        }
    }

    private static string Where(PreflightResult result) => result.Environment?.ToString().ToLowerInvariant() ?? "both";
}
