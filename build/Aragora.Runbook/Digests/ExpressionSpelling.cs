using System.Text;

namespace Aragora.Runbook.Digests;

/// <summary>
/// PostgreSQL spells <c>column IN ('a', 'b')</c> of a varchar column in one way after CREATE TABLE, and in another once that spelling was dumped and restored:
/// <c>(ARRAY['a'::character varying])::text[]</c>, then <c>ARRAY[('a'::character varying)::text]</c>. The same with <c>number IN (1, 2)</c> and every other array that
/// is cast as a whole: its parser moves the cast to the elements. So does this, until nothing is left to move: both spellings become the second one.
/// </summary>
internal static class ExpressionSpelling
{
    private const string Opening = "(ARRAY[";

    /// <summary>The spelling that both have in common.</summary>
    public static string Normalise(string definition) => NestedConditions.Flatten(MoveCasts(definition));

    private static string MoveCasts(string definition)
    {
        if (!definition.Contains(Opening, StringComparison.Ordinal))
        {
            return definition;
        }

        var text = new StringBuilder(definition.Length);
        for (var at = 0; at < definition.Length;)
        {
            if (string.CompareOrdinal(definition, at, Opening, 0, Opening.Length) == 0 && CastArray(definition, at) is var (elements, type, end))
            {
                text.Append(Pushed(elements, type));
                at = end;
            }
            else
            {
                var next = QuotedText.Past(definition, at);
                text.Append(definition, at, next - at);
                at = next;
            }
        }

        return text.ToString();
    }

    private static string Pushed(IReadOnlyList<string> elements, string type) => "ARRAY[" + string.Join(", ", elements.Select(element =>
        element.StartsWith("ARRAY[", StringComparison.Ordinal) && Elements(element, "ARRAY[".Length) is var (inner, end) && end == element.Length ? Pushed(inner, type) : $"({MoveCasts(element)})::{type}")) + "]";

    /// <summary>What <c>(ARRAY[…])::type[]</c> consists of; null where it is something else.</summary>
    private static (IReadOnlyList<string> Elements, string Type, int End)? CastArray(string text, int at)
    {
        if (Elements(text, at + Opening.Length) is not var (elements, close) || string.CompareOrdinal(text, close, ")::", 0, 3) != 0)
        {
            return null;
        }

        var end = close + 3;
        while (end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] is '_' or '.' or '"' or ' ' or '('))
        {
            end = text[end] == '(' ? text.IndexOf(')', end) is > 0 and var closing ? closing + 1 : text.Length : QuotedText.Past(text, end);
        }

        return string.CompareOrdinal(text, end, "[]", 0, 2) == 0 ? (elements, text[(close + 3)..end], end + 2) : null;
    }

    /// <summary>The elements up to the bracket that closes the array, and the place behind that.</summary>
    private static (IReadOnlyList<string> Elements, int End)? Elements(string text, int at)
    {
        var elements = new List<string>();
        var depth = 0;
        var began = at;
        while (at < text.Length)
        {
            switch (text[at])
            {
                case ']' when depth == 0:
                    elements.Add(text[began..at]);
                    return (elements, at + 1);
                case ',' when depth == 0:
                    elements.Add(text[began..at]);
                    began = at + 2;
                    break;
                case '(' or '[':
                    depth++;
                    break;
                case ')' or ']':
                    depth--;
                    break;
            }

            at = QuotedText.Past(text, at);
        }

        return null;
    }
}
