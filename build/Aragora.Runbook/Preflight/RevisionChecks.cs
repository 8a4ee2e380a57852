using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Preflight;

/// <summary>Where the database's migrations stand, and where they would go.</summary>
public static class RevisionChecks
{
    /// <summary>Current, target and pending revisions.</summary>
    public static PreflightCheck Pending { get; } = new("revisions", "Revisions", async (subject, cancellation) =>
    {
        if (subject.Facts is not { } facts)
        {
            return new Finding.Refusal("the database's revision could not be read", "see the other refusals of this database");
        }

        if (subject.Tree is not { } tree)
        {
            return new Finding.Warning($"at {Named(facts.Revisions)}; what is pending is not known", "see \"migrations tree\"");
        }

        var strangers = facts.Revisions.Where(revision => tree.Find(revision) is null).ToList();
        if (strangers.Count > 0)
        {
            return new Finding.Refusal(
                $"the database is at {string.Join(", ", strangers)}, which this checkout does not contain",
                $"check out the commit that has it: git log --all --oneline -S{strangers[0]} -- {tree.Directory}");
        }

        if (facts.RevisionStamp is null && await HasTablesAsync(subject, cancellation))
        {
            return new Finding.Refusal(
                "the database has tables but no alembic_version: Alembic would create everything from the start, and fail",
                "name the right database; or, if you know its revision: alembic stamp <revision>");
        }

        try
        {
            var target = subject.Options.TargetRevision ?? tree.SingleHead().Id;
            var pending = tree.Between(facts.Revisions, target);
            return new Finding.Ok($"at {Named(facts.Revisions)}; "
                + (pending.Count == 0 ? $"nothing pending to {target}" : $"{Measures.Count(pending.Count, "migration")} pending to {target}: {SqlText.Some([.. pending.Select(revision => revision.Id)], 10)}"));
        }
        catch (RefusedException refused)
        {
            return new Finding.Refusal(refused.What + " " + refused.Why, refused.Next);
        }
    })
    { IsEssential = true };

    /// <summary>What loading the tree came to.</summary>
    internal static Finding Tree(MigrationsTree tree, string? targetRevision)
    {
        if (targetRevision is not null && tree.Find(targetRevision) is null)
        {
            return new Finding.Refusal($"the migrations tree has no revision {targetRevision}", "./build.sh History   lists what there is");
        }

        if (targetRevision is null && tree.Heads.Count != 1)
        {
            try
            {
                _ = tree.SingleHead();
            }
            catch (RefusedException refused)
            {
                return new Finding.Refusal(refused.What + " " + refused.Why, refused.Next);
            }
        }

        return new Finding.Ok($"{Measures.Count(tree.Revisions.Count, "revision")}, head {string.Join(", ", tree.Heads)}");
    }

    private static string Named(IReadOnlyList<string> revisions) => revisions.Count == 0 ? "the very beginning" : string.Join(", ", revisions);

    private static async Task<bool> HasTablesAsync(PreflightSubject subject, CancellationToken cancellation) =>
        await subject.Session.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()))",
            cancellation);
}
