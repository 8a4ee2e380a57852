using System.Text.RegularExpressions;

namespace Aragora.Runbook.Digests;

/// <summary>
/// PostgreSQL spells <c>column IN ('a', 'b')</c> of a varchar column in one way after CREATE TABLE, and in another once that spelling was dumped and restored:
/// <c>(ARRAY['a'::character varying])::text[]</c>, then <c>ARRAY[('a'::character varying)::text]</c>. Both mean the same, and both become the plain array here.
/// </summary>
internal static partial class ExpressionSpelling
{
    /// <summary>The spelling that both have in common.</summary>
    public static string Normalise(string definition) =>
        definition.Contains("::character varying", StringComparison.Ordinal)
            ? ArrayCast().Replace(ElementCast().Replace(definition, "${kept}"), "${kept}")
            : definition;

    [GeneratedRegex(@"\((?<kept>'(?:[^']|'')*'::character varying(?:\(\d+\))?)\)::text(?!\[)", RegexOptions.CultureInvariant)]
    private static partial Regex ElementCast();

    [GeneratedRegex(@"\((?<kept>ARRAY\[(?:'(?:[^']|'')*'::character varying(?:\(\d+\))?(?:, )?)+\])\)::text\[\]", RegexOptions.CultureInvariant)]
    private static partial Regex ArrayCast();
}
