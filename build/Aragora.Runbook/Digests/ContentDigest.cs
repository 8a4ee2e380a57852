namespace Aragora.Runbook.Digests;

/// <summary>What two correct copies of a database share, and two different ones do not.</summary>
public sealed record ContentDigest
{
    /// <summary>The newest format that this code writes and reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The format.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>How rows were hashed.</summary>
    public required DigestMethod Method { get; init; }

    /// <summary>The server's major version; hashes of <see cref="DigestMethod.Record"/> compare within one only.</summary>
    public required int ServerMajor { get; init; }

    /// <summary>Rows of each table, by its quoted name: partitioned ones at the root, inheritance children apart, unlogged ones included.</summary>
    public required IReadOnlyDictionary<string, RowsDigest> Tables { get; init; }

    /// <summary>Sequences, by quoted name.</summary>
    public required IReadOnlyDictionary<string, SequenceRange> Sequences { get; init; }

    /// <summary>Large objects: their number, and a digest over number and content.</summary>
    public required RowsDigest LargeObjects { get; init; }

    /// <summary>The catalogue, sorted.</summary>
    public required IReadOnlyList<CatalogueLine> Catalogue { get; init; }

    /// <summary>Names of options in the catalogue that this build does not know.</summary>
    public IReadOnlyList<string> UnknownOptions() =>
        [.. Catalogue.Where(IsUnknownOption).Select(CatalogueOptions.NameOf).Distinct(StringComparer.Ordinal)];

    /// <summary>The same digest, of its unknown options with those alone that the dump carries: the others are the server's own, and no restore brings them.</summary>
    public ContentDigest WithUnknownOptions(IReadOnlyCollection<string> carried) =>
        this with { Catalogue = [.. Catalogue.Where(line => !IsUnknownOption(line) || carried.Contains(CatalogueOptions.NameOf(line)))] };

    private static bool IsUnknownOption(CatalogueLine line) => line.Kind == CatalogueOptions.UnknownKind;

    /// <summary>The same digest with the sequences' positions after the dump.</summary>
    public ContentDigest WithSequencesAfter(IReadOnlyDictionary<string, SequencePosition> after) => this with
    {
        Sequences = Sequences.ToDictionary(
            sequence => sequence.Key,
            sequence => after.TryGetValue(sequence.Key, out var later) ? sequence.Value with { After = later } : sequence.Value,
            StringComparer.Ordinal),
    };
}

/// <summary>A set of rows, whatever their order.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Hash">The sum of the rows' signed 64-bit hashes, decimal; "0" where there are none.</param>
public sealed record RowsDigest(long Rows, string Hash);

/// <summary>A sequence before and after a dump.</summary>
/// <param name="Before">Its position when the snapshot was taken.</param>
/// <param name="After">Its position after the dump; the same where nobody read it again.</param>
public sealed record SequenceRange(SequencePosition Before, SequencePosition After)
{
    /// <summary>Whether a dump made in between can hold this position. Where the sequence was set back meanwhile, the range is turned round; one that cycles and moved can be anywhere.</summary>
    public bool Holds(SequencePosition restored)
    {
        if (Before.Cycles && Before != After)
        {
            // It may have gone round more than once.
            return true;
        }

        var (first, last) = Before.OrderAgainst(After) <= 0 ? (Before, After) : (After, Before);
        return first.OrderAgainst(restored) <= 0 && restored.OrderAgainst(last) <= 0;
    }
}

/// <summary>One line of the catalogue.</summary>
/// <param name="Kind">table, column, constraint, index, grant, comment …; kinds that begin with "database" are not part of a dump.</param>
/// <param name="Name">Which one: quoted and qualified as SQL wants it.</param>
/// <param name="Definition">What it is, normalised; a long one by its beginning and its SHA-256.</param>
public sealed record CatalogueLine(string Kind, string Name, string Definition)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind} {Name} -> {Definition}";
}
