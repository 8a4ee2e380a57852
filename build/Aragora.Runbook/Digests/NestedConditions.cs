namespace Aragora.Runbook.Digests;

/// <summary>
/// PostgreSQL keeps <c>a BETWEEN 1 AND 2 AND b</c> as <c>((a &gt;= 1 AND a &lt;= 2) AND b)</c>, and reads that spelling back from a dump as <c>(a &gt;= 1 AND a &lt;= 2 AND b)</c>.
/// Both mean the same, and both become the flat one here; OR likewise.
/// </summary>
internal static class NestedConditions
{
    private static readonly string[] Connectives = ["AND", "OR"];

    /// <summary>The definition with every AND directly within an AND, and OR within an OR, made part of it.</summary>
    public static string Flatten(string definition)
    {
        if (!Connectives.Any(connective => definition.Contains(connective, StringComparison.Ordinal)))
        {
            return definition;
        }

        var text = new System.Text.StringBuilder(definition.Length);
        for (var at = 0; at < definition.Length;)
        {
            var next = QuotedText.Past(definition, at);
            if (definition[at] == '(' && GroupEnd(definition, at) is { } end)
            {
                text.Append('(').Append(FlattenGroup(Flatten(definition[(at + 1)..(end - 1)]))).Append(')');
                next = end;
            }
            else
            {
                text.Append(definition, at, next - at);
            }

            at = next;
        }

        return text.ToString();
    }

    private static string FlattenGroup(string content)
    {
        foreach (var connective in Connectives)
        {
            var items = Split(content, connective);
            if (items.Count > 1)
            {
                return string.Join($" {connective} ", items.SelectMany(item => IsGroup(item) && Split(item[1..^1], connective) is { Count: > 1 } inner ? inner : [item]));
            }
        }

        return content;
    }

    private static bool IsGroup(string item) => item.Length > 1 && item[0] == '(' && GroupEnd(item, 0) == item.Length;

    /// <summary>The parts between the connectives that lie in no parentheses and no quotes.</summary>
    private static List<string> Split(string content, string connective)
    {
        var items = new List<string>();
        var (depth, began) = (0, 0);
        for (var at = 0; at < content.Length; at = QuotedText.Past(content, at))
        {
            depth += content[at] switch { '(' or '[' => 1, ')' or ']' => -1, _ => 0 };
            if (depth == 0 && at > 0 && content[at - 1] == ' ' && string.CompareOrdinal(content, at, connective, 0, connective.Length) == 0
                && at + connective.Length < content.Length && char.IsWhiteSpace(content[at + connective.Length]))
            {
                items.Add(content[began..at].Trim());
                began = at + connective.Length;
            }
        }

        items.Add(content[began..].Trim());
        return items;
    }

    /// <summary>The place behind the parenthesis that closes this one; null where none does.</summary>
    private static int? GroupEnd(string text, int at)
    {
        var depth = 0;
        for (; at < text.Length; at = QuotedText.Past(text, at))
        {
            depth += text[at] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth == 0)
            {
                return at + 1;
            }
        }

        return null;
    }
}
