namespace Aragora.Runbook.Migrations;

/// <summary>The target <c>History</c>: every revision, newest first, with marks for heads and for where each environment stands.</summary>
public static class HistoryView
{
    /// <summary>A line each, such as <c>b86d1e4f97c2  Add users.display_name  (head) (production)</c>.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="environments">Where the environments stand; those that could not be asked are left out.</param>
    public static IReadOnlyList<string> Render(MigrationsTree tree, IReadOnlyList<EnvironmentStatus> environments)
    {
        if (tree.Revisions.Count == 0)
        {
            return ["no revisions"];
        }

        var width = tree.Revisions.Max(revision => revision.Id.Length);
        return [.. tree.Revisions.Select(Line)];

        string Line(Revision revision)
        {
            var marks = tree.Heads.Where(head => head == revision.Id).Select(_ => "head")
                .Concat(revision.Parents.Count > 1 ? ["joins " + string.Join(" and ", revision.Parents)] : [])
                .Concat(environments.Where(environment => environment.Current?.Contains(revision.Id, StringComparer.Ordinal) == true).Select(environment => environment.Environment));
            return $"{revision.Id.PadRight(width)}  {revision.Message}{string.Concat(marks.Select(mark => $"  ({mark})"))}".TrimEnd();
        }
    }
}
