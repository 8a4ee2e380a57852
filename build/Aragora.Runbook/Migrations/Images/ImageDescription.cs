using System.Text.Json;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Migrations.Images;

/// <summary>What <c>describe_image.py</c> saw where it ran: the migrations tree, and the database that is reached from there.</summary>
/// <param name="Tree">The tree; null where it could not be read.</param>
/// <param name="TreeError">Why not.</param>
/// <param name="Database">The database; null where it was not asked for, or could not be reached.</param>
/// <param name="DatabaseError">Why not.</param>
public sealed record ImageDescription(DescribedTree? Tree, string? TreeError, DescribedDatabase? Database, string? DatabaseError)
{
    private const string Mark = "ARAGORA-IMAGE ";

    /// <summary>Finds the answer among the lines of a log; null where there is none.</summary>
    public static ImageDescription? Find(IEnumerable<string> lines)
    {
        var line = lines.LastOrDefault(line => line.Contains(Mark, StringComparison.Ordinal));
        return line is null ? null : Parse(line[(line.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length)..]);
    }

    private static ImageDescription? Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<ImageDescription>(json, RunbookJson.Line);
        }
        catch (JsonException)
        {
            // A line that was cut off is no answer.
            return null;
        }
    }
}

/// <summary>A migrations tree, file by file.</summary>
/// <param name="Files">SHA-256 of each file, line endings normalised, by its path below the script folder; the configuration as <c>alembic.ini</c>.</param>
/// <param name="Heads">The revisions that nothing follows.</param>
public sealed record DescribedTree(IReadOnlyDictionary<string, string> Files, IReadOnlyList<string> Heads);

/// <summary>The database that is reached.</summary>
/// <param name="SystemIdentifier">The cluster's.</param>
/// <param name="Oid">The database's.</param>
/// <param name="Name">The database's.</param>
/// <param name="Role">As which it is reached.</param>
public sealed record DescribedDatabase(string SystemIdentifier, uint Oid, string Name, string Role);
