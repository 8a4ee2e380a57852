using Aragora.Runbook.Contacts;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Reporting;

/// <summary>What the host knows at the end of a run, and the journal does not.</summary>
public sealed record RunSummaryInput
{
    /// <summary>How the run ended, in a word or two: "green", "refused", "failed", "needs a person".</summary>
    public required string Ending { get; init; }

    /// <summary>The targets, in the order in which they ran.</summary>
    public required IReadOnlyList<TargetOutcome> Targets { get; init; }

    /// <summary>The databases at the end.</summary>
    public IReadOnlyList<DatabaseState> States { get; init; } = [];

    /// <summary>The failure block of a run that failed.</summary>
    public string? Failure { get; init; }

    /// <summary>The next command.</summary>
    public required string Next { get; init; }

    /// <summary>Whom to call. Default: the runbook's table.</summary>
    public EmergencyContacts Contacts { get; init; } = EmergencyContacts.Default;
}

/// <summary>Writes <c>summary.md</c> and <c>report.html</c> from the run's journal and evidence.</summary>
public sealed class RunSummary(RunContext run)
{
    /// <summary>The Markdown file's name in the run's folder.</summary>
    public const string MarkdownFile = "summary.md";

    /// <summary>The HTML file's name in the run's folder.</summary>
    public const string HtmlFile = "report.html";

    /// <summary>Gathers, renders and writes both files, masked.</summary>
    public async Task<RunReport> WriteAsync(RunSummaryInput input, CancellationToken cancellation)
    {
        var report = Gather(input);
        PrivateFolder.Create(run.Folder);
        await File.WriteAllTextAsync(Path.Combine(run.Folder, MarkdownFile), run.Secrets.Apply(MarkdownReport.Render(report)), cancellation);
        await File.WriteAllTextAsync(Path.Combine(run.Folder, HtmlFile), run.Secrets.Apply(HtmlReport.Render(report)), cancellation);
        return report;
    }

    /// <summary>The table of targets for the console.</summary>
    public static string TargetsTable(IReadOnlyList<TargetOutcome> targets) => TextTable.Render(
        ["Target", "Result", "Time", "Fact"],
        [.. targets.Select(target => (IReadOnlyList<string>)[target.Name, target.Result, Measures.Duration(target.Took), target.Fact])]);

    private RunReport Gather(RunSummaryInput input)
    {
        var (acts, overrides) = JournalReader.Read(run.Journal.Path);
        var (accepted, rejected) = run.Evidence.ReadAll();
        var folder = Path.GetFullPath(run.Folder) + Path.DirectorySeparatorChar;
        return new RunReport
        {
            RunId = run.RunId,
            Who = run.Who,
            GitCommit = run.GitCommit,
            Host = run.Host,
            MadeAt = run.Clock.GetUtcNow(),
            Ending = input.Ending,
            Failure = Masked(input.Failure),
            Targets = [.. input.Targets.Select(target => target with { Fact = run.Secrets.Apply(target.Fact) })],
            Acts = acts,
            Overrides = [.. overrides.Select(run.Secrets.Apply)],
            Evidence = [.. accepted.Where(evidence => evidence.RunId == run.RunId).OrderBy(evidence => evidence.MadeAt)],
            Rejected = [.. rejected.Where(file => Path.GetFullPath(file.Path).StartsWith(folder, StringComparison.Ordinal))],
            States = [.. input.States.Select(state => state with { Unreadable = Masked(state.Unreadable) })],
            Next = run.Secrets.Apply(input.Next),
            Contacts = input.Contacts,
        };
    }

    /// <summary>Before the text is escaped: an escaped secret would not be found.</summary>
    private string? Masked(string? text) => text is null ? null : run.Secrets.Apply(text);
}
