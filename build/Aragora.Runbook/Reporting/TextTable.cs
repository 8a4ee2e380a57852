using System.Text;

namespace Aragora.Runbook.Reporting;

/// <summary>A table of plain text, as wide as it needs to be; the last column is not padded, and its further lines are indented.</summary>
public static class TextTable
{
    /// <summary>Renders rows under headers. Every cell is made safe for a log.</summary>
    /// <param name="headers">One for each column; all empty leaves the header out.</param>
    /// <param name="rows">Cells; a missing one is empty.</param>
    public static string Render(IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var safe = rows.Select(row => row.Select(LogText.Safe).ToList()).ToList();
        var widths = headers.Select((header, column) => Math.Max(header.Length, safe.Select(row => column < row.Count ? FirstLine(row[column]).Length : 0).DefaultIfEmpty(0).Max())).ToList();
        var text = new StringBuilder();
        if (headers.Any(header => header.Length > 0))
        {
            AppendRow(text, headers, widths);
            AppendRow(text, [.. widths.Select(width => new string('-', width))], widths);
        }

        foreach (var row in safe)
        {
            AppendRow(text, row, widths);
        }

        return text.ToString().TrimEnd('\n');
    }

    private static void AppendRow(StringBuilder text, IReadOnlyList<string> row, IReadOnlyList<int> widths)
    {
        var indent = widths.Take(widths.Count - 1).Sum(width => width + 2);
        var line = new StringBuilder();
        for (var column = 0; column < widths.Count; column++)
        {
            var cell = column < row.Count ? row[column] : "";
            line.Append(column == widths.Count - 1
                ? cell.Replace("\n", "\n" + new string(' ', indent), StringComparison.Ordinal)
                : FirstLine(cell).PadRight(widths[column] + 2));
        }

        text.Append(line.ToString().TrimEnd()).Append('\n');
    }

    private static string FirstLine(string cell)
    {
        var end = cell.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? cell : cell[..end];
    }
}
