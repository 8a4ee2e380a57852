using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Digests;

/// <summary>Reads the catalogue as sorted lines that a correct restore reproduces, free of OIDs and of the order of grants.</summary>
public static class CatalogueReader
{
    private const int Shown = 300;

    private const int Kept = 1000;

    private static readonly HashSet<string> Verbatim = new(StringComparer.Ordinal) { "comment", "security label" };

    /// <summary>Before it, a routine's definition is spelled by the server; behind it, it is the user's own text.</summary>
    private const string Body = "\nAS ";

    /// <summary>Reads it in a session with <see cref="StableSettings"/>.</summary>
    public static async Task<IReadOnlyList<CatalogueLine>> ReadAsync(PostgresSession session, CancellationToken cancellation)
    {
        string[] queries =
        [
            RelationLines.Tables, RelationLines.UnknownOptions, RelationLines.Columns, RelationLines.Sequences, RelationLines.Indexes, RelationLines.Constraints, RelationLines.Attached, RelationLines.Statistics(session.ServerVersion),
            DefinitionLines.Types, DefinitionLines.Routines, DefinitionLines.Others(session.ServerVersion), DefinitionLines.Publications(session.ServerVersion),
            RightsLines.Grants, RightsLines.Comments, RightsLines.LargeObjects, RightsLines.Database,
        ];
        var lines = new List<CatalogueLine>();
        foreach (var query in queries)
        {
            lines.AddRange(await session.QueryAsync(query, row => Line(row.GetString(0), row.GetString(1), row.GetString(2)), cancellation));
        }

        lines.Sort((one, other) =>
            string.CompareOrdinal(one.Kind, other.Kind) is not 0 and var byKind ? byKind
            : string.CompareOrdinal(one.Name, other.Name) is not 0 and var byName ? byName
            : string.CompareOrdinal(one.Definition, other.Definition));
        return lines;
    }

    private static CatalogueLine Line(string kind, string name, string definition)
    {
        var normal = Verbatim.Contains(kind) ? definition : kind is "function" or "procedure" && definition.IndexOf(Body, StringComparison.Ordinal) is > 0 and var body
            ? ExpressionSpelling.Normalise(definition[..body]) + definition[body..]
            : ExpressionSpelling.Normalise(definition);
        return new CatalogueLine(kind, name, normal.Length <= Kept ? normal : Shortened(normal));
    }

    private static string Shortened(string definition)
    {
        var cut = char.IsHighSurrogate(definition[Shown - 1]) ? Shown - 1 : Shown;
        return string.Create(CultureInfo.InvariantCulture, $"{definition[..cut]}… ({definition.Length} characters, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(definition)))})");
    }
}
