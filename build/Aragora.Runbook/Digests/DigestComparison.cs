using System.Globalization;

namespace Aragora.Runbook.Digests;

/// <summary>What tells a copy from what it should be.</summary>
/// <param name="Kind">table, sequence, large objects, or the kind of the catalogue's line.</param>
/// <param name="Name">Which one.</param>
/// <param name="What">What is different, for people.</param>
public sealed record DigestDifference(string Kind, string Name, string What)
{
    /// <inheritdoc/>
    public override string ToString() => Name.Length > 0 ? $"{Kind} {Name}: {What}" : $"{Kind}: {What}";
}

/// <summary>Compares two digests; every difference is named.</summary>
public static class DigestComparison
{
    private const string DatabaseKinds = "database ";

    private const string NotDumped = "invalid index";

    /// <summary>Every difference, sorted by kind and name; none where the copy is right.</summary>
    /// <param name="expected">The source's digest.</param>
    /// <param name="actual">The copy's.</param>
    /// <param name="withDatabase">Whether the database's own settings, grants, owner and comment count as well: a restore into another database does not bring them. Default: no.</param>
    public static IReadOnlyList<DigestDifference> Compare(ContentDigest expected, ContentDigest actual, bool withDatabase = false)
    {
        if (expected.Format != actual.Format || expected.Method != actual.Method || (expected.Method == DigestMethod.Record && expected.ServerMajor != actual.ServerMajor))
        {
            return [new DigestDifference("digest", "", string.Create(CultureInfo.InvariantCulture, $"not comparable: format {expected.Format}, method {expected.Method}, PostgreSQL {expected.ServerMajor} against format {actual.Format}, method {actual.Method}, PostgreSQL {actual.ServerMajor}"))];
        }

        return [.. Rows(expected, actual)
            .Concat(Sequences(expected, actual))
            .Concat(Catalogue(expected, actual, withDatabase))
            .OrderBy(difference => difference.Kind, StringComparer.Ordinal).ThenBy(difference => difference.Name, StringComparer.Ordinal)];
    }

    private static IEnumerable<DigestDifference> Rows(ContentDigest expected, ContentDigest actual)
    {
        foreach (var (name, rows) in expected.Tables)
        {
            if (!actual.Tables.TryGetValue(name, out var found))
            {
                yield return new DigestDifference("table", name, $"missing, with {Counted(rows.Rows)}");
            }
            else if (Difference(rows, found, "row") is { } what)
            {
                yield return new DigestDifference("table", name, what);
            }
        }

        foreach (var (name, rows) in actual.Tables.Where(table => !expected.Tables.ContainsKey(table.Key)))
        {
            yield return new DigestDifference("table", name, $"not expected, with {Counted(rows.Rows)}");
        }

        if (Difference(expected.LargeObjects, actual.LargeObjects, "object") is { } difference)
        {
            yield return new DigestDifference("large objects", "", difference);
        }
    }

    private static string? Difference(RowsDigest expected, RowsDigest actual, string unit) =>
        expected.Rows != actual.Rows ? string.Create(CultureInfo.InvariantCulture, $"{Counted(actual.Rows, unit)} instead of {expected.Rows}")
        : expected.Hash != actual.Hash ? string.Create(CultureInfo.InvariantCulture, $"the content of its {Counted(expected.Rows, unit)} differs")
        : null;

    private static string Counted(long count, string unit = "row") => string.Create(CultureInfo.InvariantCulture, $"{count} {unit}{(count == 1 ? "" : "s")}");

    private static IEnumerable<DigestDifference> Sequences(ContentDigest expected, ContentDigest actual)
    {
        foreach (var (name, range) in expected.Sequences)
        {
            if (!actual.Sequences.TryGetValue(name, out var found))
            {
                yield return new DigestDifference("sequence", name, "missing");
            }
            else if (!range.Holds(found.Before))
            {
                yield return new DigestDifference("sequence", name, range.Before == range.After ? $"at {found.Before} instead of {range.Before}" : $"at {found.Before}, outside of {range.Before} to {range.After}");
            }
        }

        foreach (var name in actual.Sequences.Keys.Where(name => !expected.Sequences.ContainsKey(name)))
        {
            yield return new DigestDifference("sequence", name, "not expected");
        }
    }

    private static IEnumerable<DigestDifference> Catalogue(ContentDigest expected, ContentDigest actual, bool withDatabase)
    {
        var wanted = Lines(expected, withDatabase);
        var found = Lines(actual, withDatabase);
        foreach (var (key, definitions) in wanted)
        {
            if (!found.TryGetValue(key, out var there))
            {
                yield return new DigestDifference(key.Kind, key.Name, $"missing: {definitions}");
            }
            else if (there != definitions)
            {
                yield return new DigestDifference(key.Kind, key.Name, Contrast(definitions, there));
            }
        }

        // An option that this build does not know, and that no dump brought, is a note of the copy's own server.
        foreach (var (key, definitions) in found.Where(line => !wanted.ContainsKey(line.Key) && line.Key.Kind != CatalogueOptions.UnknownKind))
        {
            yield return new DigestDifference(key.Kind, key.Name, $"not expected: {definitions}");
        }
    }

    /// <summary>Only where they differ, with a little around it: a function's body is long.</summary>
    private static string Contrast(string expected, string actual)
    {
        const int Around = 20;
        var shorter = Math.Min(expected.Length, actual.Length);
        var same = 0;
        while (same < shorter && expected[same] == actual[same])
        {
            same++;
        }

        var sameAtEnd = 0;
        while (sameAtEnd < shorter - same && expected[^(sameAtEnd + 1)] == actual[^(sameAtEnd + 1)])
        {
            sameAtEnd++;
        }

        return $"is {Part(actual)} instead of {Part(expected)}";

        string Part(string text)
        {
            var (from, to) = (Math.Max(0, same - Around), Math.Min(text.Length, text.Length - sameAtEnd + Around));
            return to - from > text.Length / 2 && text.Length <= 200 ? text : $"{(from > 0 ? "…" : "")}{text[from..to]}{(to < text.Length ? "…" : "")}";
        }
    }

    /// <summary>Should two lines share kind and name, they are compared together.</summary>
    private static Dictionary<(string Kind, string Name), string> Lines(ContentDigest digest, bool withDatabase) => digest.Catalogue
        .Where(line => line.Kind != NotDumped && (withDatabase || !line.Kind.StartsWith(DatabaseKinds, StringComparison.Ordinal)))
        .GroupBy(line => (line.Kind, line.Name))
        .ToDictionary(group => group.Key, group => string.Join(" | ", group.Select(line => line.Definition).Order(StringComparer.Ordinal)));
}
