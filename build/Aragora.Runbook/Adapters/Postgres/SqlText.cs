namespace Aragora.Runbook.Adapters.Postgres;

/// <summary>Names and texts for statements that take no parameters, such as <c>ALTER DATABASE</c>.</summary>
public static class SqlText
{
    /// <summary>A name, always quoted.</summary>
    public static string Identifier(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    /// <summary>A text; safe whatever <c>standard_conforming_strings</c> is.</summary>
    public static string Literal(string text)
    {
        var quoted = "'" + text.Replace("'", "''", StringComparison.Ordinal).Replace("\\", "\\\\", StringComparison.Ordinal) + "'";
        return text.Contains('\\', StringComparison.Ordinal) ? "E" + quoted : quoted;
    }
}
