namespace Aragora.Runbook.Digests;

/// <summary>
/// The expression that hashes a row to 64 bits. Learned by trying:
/// the server's hash of a record is linear in the hashes of its fields, so that sums of it do not notice when two rows exchange a value: it is hashed once more, as text;
/// the hash of a bigint or timestamp knows 32 bits only (0 and 4294967297 are one to it): their binary form is hashed instead;
/// record hashes of enums use OIDs, and equate 1.0 with 1.00: everything but a few plain types goes in as text.
/// </summary>
public static class RowHash
{
    /// <summary>Types whose own hash tells all their values apart and is the same on every server of a major version.</summary>
    private static readonly HashSet<string> Native = new(StringComparer.Ordinal) { "bool", "char", "int2", "int4", "oid", "date", "uuid", "bytea", "name", "text", "varchar" };

    /// <summary>Types of eight bytes, by the function that gives their binary form.</summary>
    private static readonly Dictionary<string, string> Binary = new(StringComparer.Ordinal)
    {
        ["int8"] = "int8send",
        ["timestamp"] = "timestamp_send",
        ["timestamptz"] = "timestamptz_send",
        ["time"] = "time_send",
    };

    /// <summary>The method for a server: <see cref="DigestMethod.Record"/> needs PostgreSQL 14.</summary>
    public static DigestMethod MethodFor(Version server) => server.Major >= 14 ? DigestMethod.Record : DigestMethod.Text;

    /// <summary>The expression. A row of text quotes its fields and tells null from empty, so it is one unambiguous text of all columns in it.</summary>
    /// <param name="columns">The table's columns, ordered by name: a restored child of a partition may hold them in another order.</param>
    /// <param name="method">Which expression.</param>
    public static string Expression(IReadOnlyList<DigestColumn> columns, DigestMethod method)
    {
        if (columns.Count == 0)
        {
            return "0::bigint";
        }

        if (method == DigestMethod.Text)
        {
            return $"pg_catalog.hashtextextended(ROW({string.Join(", ", columns.Select(column => column.Name))})::text, 0)";
        }

        var fields = columns.Where(column => !IsText(column)).Select(Field).ToList();
        var texts = columns.Where(IsText).Select(column => column.Name).ToList();
        if (texts.Count > 0)
        {
            fields.Add($"ROW({string.Join(", ", texts)})::text");
        }

        return $"pg_catalog.hashtextextended(pg_catalog.hash_record_extended(ROW({string.Join(", ", fields)}), 0)::text, 0)";
    }

    /// <summary>Whether a column goes in as text.</summary>
    public static bool IsText(DigestColumn column) => column.BuiltInType is not { } type || !column.IsDeterministic || (!Native.Contains(type) && !Binary.ContainsKey(type));

    private static string Field(DigestColumn column) => Binary.TryGetValue(column.BuiltInType!, out var send) ? $"pg_catalog.{send}({column.Name})" : column.Name;
}

/// <summary>A column, as far as hashing cares.</summary>
/// <param name="Name">Quoted where SQL wants it.</param>
/// <param name="BuiltInType">The name of its type in <c>pg_catalog</c>; null for every other type, domains included.</param>
/// <param name="IsDeterministic">Whether its collation tells all byte sequences apart.</param>
public sealed record DigestColumn(string Name, string? BuiltInType, bool IsDeterministic);

/// <summary>How rows are hashed. Digests compare only where both sides used the same.</summary>
public enum DigestMethod
{
    /// <summary>Every column as text: the same on all major versions.</summary>
    Text,

    /// <summary>Plain types by their binary hash, the others as text: faster, for servers of one major version.</summary>
    Record,
}
