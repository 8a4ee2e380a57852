using System.Globalization;
using Aragora.Runbook.Inputs;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations;

/// <summary>Where a migration goes, resolved against a tree and a database's revisions.</summary>
/// <param name="Direction">Which way.</param>
/// <param name="Revision">The target: a revision id, or <c>base</c>.</param>
/// <param name="Steps">The revisions that run, in the order they run; empty where there is nothing to do.</param>
/// <param name="Applied">Every revision that is applied afterwards: what the database is compared with.</param>
public sealed record RevisionTarget(MigrationDirection Direction, string Revision, IReadOnlyList<Revision> Steps, IReadOnlySet<string> Applied)
{
    /// <summary>Alembic's word for "before the first migration".</summary>
    public const string Base = "base";

    /// <summary>Resolves what a person asked for.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="current">The database's revisions; each must be in the tree (see <see cref="RevisionOrigin"/>).</param>
    /// <param name="requested"><c>head</c>, <c>base</c>, <c>+N</c>, <c>-N</c>, a revision id, or the unique beginning of one (four characters or more).</param>
    /// <param name="direction">Which way it has to be.</param>
    /// <exception cref="BadInputException">There is no such revision, or it lies the other way.</exception>
    /// <exception cref="RefusedException">It is ambiguous: two heads, several current revisions.</exception>
    public static RevisionTarget Resolve(MigrationsTree tree, IReadOnlyList<string> current, string requested, MigrationDirection direction)
    {
        var text = requested.Trim();
        RequireNoOverlap(tree, current);
        var target = text switch
        {
            "head" => tree.SingleHead().Id,
            "heads" => throw new BadInputException("\"heads\" is not a target.", "a migration ends at one revision, so that it can be compared with the database", "use head, or name a revision"),
            Base => Base,
            ['+', ..] => Forward(tree, current, Count(text)),
            ['-', ..] => Back(tree, current, Count(text)),
            _ => Find(tree, text),
        };
        return direction == MigrationDirection.Upgrade ? Up(tree, current, target) : Down(tree, current, target);
    }

    private static RevisionTarget Up(MigrationsTree tree, IReadOnlyList<string> current, string target)
    {
        var applied = tree.Ancestors(current);
        if (target == Base || (applied.Contains(target) && !current.Contains(target, StringComparer.Ordinal)))
        {
            throw new BadInputException(
                $"The database is past {target}: it is at {current.Named()}.",
                "a migrate target only goes forward",
                $"./build.sh Rollback --target-environment <environment> --strategy Downgrade --revision {target}   goes back");
        }

        return new RevisionTarget(MigrationDirection.Upgrade, target, tree.Between(current, target), tree.Ancestors([.. current, target]));
    }

    private static RevisionTarget Down(MigrationsTree tree, IReadOnlyList<string> current, string target)
    {
        var applied = tree.Ancestors(current);
        if (target != Base && !applied.Contains(target))
        {
            throw new BadInputException(
                $"{target} is not applied: the database is at {current.Named()}.",
                "a downgrade only goes back",
                $"./build.sh MigrateStaging --revision {target}   goes forward");
        }

        var removed = tree.Revisions
            .Where(revision => applied.Contains(revision.Id) && (target == Base || (revision.Id != target && tree.Ancestors([revision.Id]).Contains(target))))
            .ToList();
        return new RevisionTarget(MigrationDirection.Downgrade, target, removed, applied.Except(removed.Select(revision => revision.Id)).ToHashSet(StringComparer.Ordinal));
    }

    private static string Find(MigrationsTree tree, string text)
    {
        if (tree.Find(text) is { } exact)
        {
            return exact.Id;
        }

        const int ShortestPrefix = 4;
        var matches = text.Length < ShortestPrefix ? [] : tree.Revisions.Where(revision => revision.Id.StartsWith(text, StringComparison.Ordinal)).ToList();
        if (matches.Count == 1)
        {
            return matches[0].Id;
        }

        if (matches.Count > 1)
        {
            throw new BadInputException($"\"{text}\" is the beginning of {matches.Count} revisions.", string.Join(", ", matches), "write more of it");
        }

        var near = tree.Revisions.Where(revision => IsNear(revision.Id, text)).Take(3).ToList();
        throw new BadInputException(
            $"There is no revision \"{text}\" in {tree.Directory}.",
            near.Count > 0 ? $"near misses: {string.Join(", ", near)}" : "neither an id nor the beginning of one (four characters or more)",
            "./build.sh History   lists them");
    }

    private static string Forward(MigrationsTree tree, IReadOnlyList<string> current, int count)
    {
        var at = Single(current);
        for (var step = 0; step < count; step++)
        {
            var next = tree.Revisions.Where(revision => at is null ? revision.Parents.Count == 0 : revision.Parents.Contains(at, StringComparer.Ordinal)).ToList();
            at = next.Count switch
            {
                1 => next[0].Id,
                0 => throw new BadInputException($"There are only {step} revisions after {current.Named()}.", $"+{count} asks for more", "./build.sh Status   shows what is pending"),
                _ => throw new RefusedException($"+{count} is ambiguous.", $"{string.Join(" and ", next)} both follow {at ?? Base}", "name a revision"),
            };
        }

        return at ?? Base;
    }

    private static string Back(MigrationsTree tree, IReadOnlyList<string> current, int count)
    {
        var at = Single(current) ?? throw new BadInputException("There is nothing to go back from.", "the database is at base: no migration is applied", "./build.sh Status");
        for (var step = 0; step < count; step++)
        {
            if (at == Base)
            {
                throw new BadInputException($"Only {step} revisions are applied.", $"-{count} asks for more", "use base to go back before the first");
            }

            var parents = tree.Find(at)!.Parents;
            at = parents.Count switch
            {
                0 => Base,
                1 => parents[0],
                _ => throw new RefusedException($"-{count} is ambiguous.", $"{at} joins {string.Join(" and ", parents)}", "name a revision"),
            };
        }

        return at;
    }

    private static string? Single(IReadOnlyList<string> current) => current.Count == 0 ? null : current.Count == 1 ? current[0] : throw new RefusedException(
        $"The database is at {current.Count} revisions at once: {string.Join(", ", current)}.",
        "a number of steps is ambiguous there",
        "name a revision");

    private static int Count(string text) =>
        int.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? count
            : throw new BadInputException($"\"{text}\" is not a number of revisions.", "", "write -1, -2 … or +1, +2 …");

    private static void RequireNoOverlap(MigrationsTree tree, IReadOnlyList<string> current)
    {
        foreach (var revision in current)
        {
            var below = current.Where(other => other != revision && tree.Ancestors([revision]).Contains(other)).ToList();
            if (below.Count > 0)
            {
                throw new RefusedException(
                    $"alembic_version holds {string.Join(" and ", below)} beside {revision}, which already contains it.",
                    "Alembic never writes that: the table was edited by hand, or two migrations ran at once",
                    $"find out which is true, then delete the other row from alembic_version (of {string.Join(", ", current)})");
            }
        }
    }

    /// <summary>A part of the id, or two slips of the finger at most.</summary>
    private static bool IsNear(string id, string text) =>
        (text.Length >= 3 && id.Contains(text, StringComparison.OrdinalIgnoreCase))
        || Spelling.Distance(id.ToLowerInvariant(), text.ToLowerInvariant()) <= Math.Min(2, text.Length / 3);
}
