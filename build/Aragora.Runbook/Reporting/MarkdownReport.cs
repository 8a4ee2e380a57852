using System.Text;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Reporting;

/// <summary>The report as Markdown, for a pull request or a CI job's summary page.</summary>
public static partial class MarkdownReport
{
    /// <summary>Renders the report. Every text is escaped: a revision's message cannot make a heading, a link or an image.</summary>
    public static string Render(RunReport report)
    {
        var text = new StringBuilder();
        text.Append($"# Runbook {Escaped(report.RunId)}: {Escaped(report.Ending)}\n\n");
        text.Append($"{Escaped(report.Who)}, {Measures.Moment(report.MadeAt)}, commit {Escaped(report.GitCommit ?? "not known")}, {Escaped(report.Host ?? "host not known")}\n");
        foreach (var used in report.Overrides)
        {
            text.Append($"\n> **OVERRIDE USED** — {Escaped(used)}\n");
        }

        if (report.Failure is { } failure)
        {
            var fence = new string('`', Math.Max(3, Backticks().Matches(failure).Select(match => match.Length + 1).DefaultIfEmpty(0).Max()));
            text.Append($"\n{fence}text\n{LogText.Safe(failure).TrimEnd('\n')}\n{fence}\n");
        }

        Section(text, "Targets", ["Target", "Result", "Time", "Fact"], report.Targets.Select(target => (string[])[target.Name, target.Result, Measures.Duration(target.Took), target.Fact]));
        Section(text, "Databases now", ["Environment", "State"], report.States.Select(state => (string[])[state.Environment.ToString().ToLowerInvariant(), state.ToString()]));
        Section(text, "Evidence", ["Kind", "Environment", "Fact", "Made", "Valid until", "Signed"], report.Evidence.Select(evidence => (string[])
            [evidence.Kind, evidence.Environment.ToString().ToLowerInvariant(), EvidenceFact.Of(evidence), Measures.Moment(evidence.MadeAt), evidence.Green ? Measures.Moment(evidence.ExpiresAt) : "never", evidence.Signature is null ? "NO" : "yes"]));
        text.Append($"\n{Escaped(report.Signatures)}\n");
        Section(text, "Rejected evidence", ["File", "Reason"], report.Rejected.Select(rejected => (string[])[rejected.Path, rejected.Reason]));
        Section(text, "Acts", ["Act", "Result", "Begun", "Time"], report.Acts.Select(act => (string[])[act.Act, act.Result, Measures.Moment(act.At), act.Took is { } took ? Measures.Duration(took) : ""]));
        text.Append($"\n## Next\n\n{Escaped(report.Next)}\n");
        Section(text, "Emergency contacts", ["Role", "Contact"], report.Contacts.All.Select(contact => (string[])[contact.Role, contact.Address]));
        return text.ToString();
    }

    /// <summary>One line in which no character means anything to Markdown or HTML.</summary>
    internal static string Escaped(string text) => Special().Replace(LogText.SingleLine(text, 1000), match => match.Value switch
    {
        "<" => "&lt;",
        ">" => "&gt;",
        "&" => "&amp;",
        "@" => "&#64;",
        ":" => "&#58;",
        _ => "\\" + match.Value,
    });

    private static void Section(StringBuilder text, string title, string[] headers, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0)
        {
            return;
        }

        text.Append($"\n## {title}\n\n| {string.Join(" | ", headers)} |\n|{string.Concat(headers.Select(_ => "---|"))}\n");
        foreach (var row in all)
        {
            text.Append($"| {string.Join(" | ", row.Select(Escaped))} |\n");
        }
    }

    // "@" would notify a person, "://" would become a link.
    [GeneratedRegex(@"[\\`*_{}\[\]()#!|<>&~@$]|:(?=//)")]
    private static partial Regex Special();

    [GeneratedRegex("`+")]
    private static partial Regex Backticks();
}
