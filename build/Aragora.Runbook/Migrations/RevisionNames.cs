namespace Aragora.Runbook.Migrations;

/// <summary>Revisions in messages.</summary>
public static class RevisionNames
{
    /// <summary>The ids with commas between them; <c>base</c> where there is none.</summary>
    public static string Named(this IReadOnlyList<string> revisions) => revisions.Count == 0 ? RevisionTarget.Base : string.Join(", ", revisions);
}
