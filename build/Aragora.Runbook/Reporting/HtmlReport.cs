using System.Net;
using System.Text;

namespace Aragora.Runbook.Reporting;

/// <summary>The report as one HTML file: no script, nothing loaded from elsewhere (a policy in it forbids both), every text encoded.</summary>
public static class HtmlReport
{
    private const string Style =
        """
        body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
        table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}
        pre{background:#f6f6f6;padding:1rem;overflow-x:auto;white-space:pre-wrap}.loud{background:#b00020;color:#fff;padding:.6rem 1rem;font-weight:bold}
        @media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}th,td{border-color:#444}pre{background:#222}}
        """;

    /// <summary>Renders the report.</summary>
    public static string Render(RunReport report)
    {
        var text = new StringBuilder();
        var title = $"Runbook {report.RunId}: {report.Ending}";
        text.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        text.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
        text.Append("<meta name=\"viewport\" content=\"width=device-width\">\n");
        text.Append($"<title>{Encoded(title)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n<h1>{Encoded(title)}</h1>\n");
        text.Append($"<p>{Encoded($"{report.Who}, {Measures.Moment(report.MadeAt)}, commit {report.GitCommit ?? "not known"}, {report.Host ?? "host not known"}")}</p>\n");
        foreach (var used in report.Overrides)
        {
            text.Append($"<p class=\"loud\">OVERRIDE USED: {Encoded(used)}</p>\n");
        }

        if (report.Failure is { } failure)
        {
            text.Append($"<pre>{Encoded(failure)}</pre>\n");
        }

        Section(text, "Targets", ["Target", "Result", "Time", "Fact"], report.Targets.Select(target => (string[])[target.Name, target.Result, Measures.Duration(target.Took), target.Fact]));
        Section(text, "Databases now", ["Environment", "State"], report.States.Select(state => (string[])[state.Environment.ToString().ToLowerInvariant(), state.ToString()]));
        Section(text, "Evidence", ["Kind", "Environment", "Database", "Fact", "Made", "Valid until", "Signed"], report.Evidence.Select(evidence => (string[])
            [evidence.Kind, evidence.Environment.ToString().ToLowerInvariant(), evidence.Database.ToString(), EvidenceFact.Of(evidence), Measures.Moment(evidence.MadeAt), evidence.Green ? Measures.Moment(evidence.ExpiresAt) : "never", evidence.Signature is null ? "NO" : "yes"]));
        text.Append($"<p>{Encoded(report.Signatures)}</p>\n");
        Section(text, "Rejected evidence", ["File", "Reason"], report.Rejected.Select(rejected => (string[])[rejected.Path, rejected.Reason]));
        Section(text, "Acts", ["Act", "Result", "Begun", "Time"], report.Acts.Select(act => (string[])[act.Act, act.Result, Measures.Moment(act.At), act.Took is { } took ? Measures.Duration(took) : ""]));
        text.Append($"<h2>Next</h2>\n<pre>{Encoded(report.Next)}</pre>\n");
        Section(text, "Emergency contacts", ["Role", "Contact"], report.Contacts.All.Select(contact => (string[])[contact.Role, contact.Address]));
        text.Append("</body>\n</html>\n");
        return text.ToString();
    }

    private static string Encoded(string text) => WebUtility.HtmlEncode(LogText.Safe(text));

    private static void Section(StringBuilder text, string title, string[] headers, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0)
        {
            return;
        }

        text.Append($"<h2>{title}</h2>\n<table>\n<tr>{string.Concat(headers.Select(header => $"<th>{header}</th>"))}</tr>\n");
        foreach (var row in all)
        {
            text.Append($"<tr>{string.Concat(row.Select(cell => $"<td{(cell.StartsWith("FAILED: ", StringComparison.Ordinal) ? " class=\"loud\"" : "")}>{Encoded(cell)}</td>"))}</tr>\n");
        }

        text.Append("</table>\n");
    }
}
