using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations;

/// <summary>A tree of Alembic migrations as Alembic itself reads it.</summary>
/// <param name="ConfigFile">The <c>alembic.ini</c>.</param>
/// <param name="Hash">SHA-256 over the revision files, <c>env.py</c>, <c>alembic.ini</c> and templates, line endings normalised; hexadecimal.</param>
/// <param name="Heads">The revisions that nothing follows.</param>
/// <param name="Revisions">Every revision, newest first, as <c>alembic history</c> orders them.</param>
public sealed record MigrationsTree(string ConfigFile, string Hash, IReadOnlyList<string> Heads, IReadOnlyList<Revision> Revisions)
{
    /// <summary>The folder of <see cref="ConfigFile"/>: Alembic's working directory.</summary>
    public string Directory => Path.GetDirectoryName(ConfigFile)!;

    /// <summary>The revision of this id; null if the tree has none.</summary>
    public Revision? Find(string id) => Revisions.FirstOrDefault(revision => revision.Id == id);

    /// <summary>The only head.</summary>
    /// <exception cref="RefusedException">There are several, or none.</exception>
    public Revision SingleHead() => Heads.Count switch
    {
        1 => Find(Heads[0])!,
        0 => throw new RefusedException("The migrations tree has no revision.", $"{Directory} holds no migration", "./build.sh NewMigration --message \"...\""),
        _ => throw new RefusedException(
            $"The migrations tree has {Heads.Count} heads: {string.Join(", ", Heads)}.",
            "two branches added a migration to the same parent, and \"head\" is ambiguous",
            $"alembic -c {ConfigFile} merge -m \"merge heads\" {string.Join(' ', Heads)}   (or name one with --revision)"),
    };

    /// <summary>The revisions that an upgrade from <paramref name="current"/> to <paramref name="target"/> runs, in the order it runs them.</summary>
    public IReadOnlyList<Revision> Between(IReadOnlyList<string> current, string target)
    {
        var applied = Ancestors(current);
        return [.. Ancestors([target]).Except(applied).Select(id => Find(id)!).OrderBy(revision => -IndexOf(revision))];
    }

    /// <summary>The ids and every id below them.</summary>
    public IReadOnlySet<string> Ancestors(IEnumerable<string> ids)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(ids);
        while (open.TryPop(out var id))
        {
            if (Find(id) is { } revision && seen.Add(id))
            {
                foreach (var parent in revision.Parents)
                {
                    open.Push(parent);
                }
            }
        }

        return seen;
    }

    private int IndexOf(Revision revision) => Revisions.TakeWhile(other => other.Id != revision.Id).Count();
}

/// <summary>One migration.</summary>
/// <param name="Id">Alembic's revision id.</param>
/// <param name="Parents">The revisions it follows (and depends on): none for a base, several for a merge.</param>
/// <param name="Message">The first line of its docstring.</param>
/// <param name="File">Its file.</param>
/// <param name="HasDowngrade">Whether its downgrade exists and does something (not only <c>pass</c> or <c>raise</c>).</param>
/// <param name="DowngradeDestroys">What its downgrade says that it destroys (module variable <c>downgrade_destroys</c>, or the operations found: drop_table, drop_column, UPDATE …, or "not known: …" where something is called that is not known to be harmless); null for nothing.</param>
public sealed record Revision(string Id, IReadOnlyList<string> Parents, string Message, string File, bool HasDowngrade, string? DowngradeDestroys)
{
    /// <summary>Whether its upgrade may commit rows before it is over (an <c>autocommit_block</c> and a statement that writes): after a failure nobody can say that nothing was written.</summary>
    public bool UpgradeCommitsRows { get; init; }

    /// <summary>The same of its downgrade.</summary>
    public bool DowngradeCommitsRows { get; init; }

    /// <summary>Id and message, for people.</summary>
    public override string ToString() => Message.Length > 0 ? $"{Id} ({Message})" : Id;
}
