using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Migrations;

/// <summary>Where one environment stands.</summary>
/// <param name="Environment">"staging" or "production".</param>
/// <param name="Database">The database, without a password.</param>
/// <param name="Current">Its revisions; null where it cannot be asked.</param>
/// <param name="Pending">The revisions up to the tree's head, in the order they would run; empty where <paramref name="Problem"/> says why.</param>
/// <param name="Problem">Why it cannot be told, or what is wrong; null where all is well.</param>
public sealed record EnvironmentStatus(string Environment, string Database, IReadOnlyList<string>? Current, IReadOnlyList<Revision> Pending, string? Problem);

/// <summary>Where all environments stand.</summary>
/// <param name="Heads">The tree's heads.</param>
/// <param name="Environments">Each environment.</param>
/// <param name="Differ">Whether their revisions differ; null where not all of them could be asked.</param>
public sealed record MigrationStatus(IReadOnlyList<Revision> Heads, IReadOnlyList<EnvironmentStatus> Environments, bool? Differ);

/// <summary>The target <c>Status</c>: current revision, heads and pending revisions of each environment, side by side. One that cannot be asked does not hide the others.</summary>
public sealed class StatusView(RevisionOrigin origin)
{
    /// <summary>Asks each environment.</summary>
    public async Task<MigrationStatus> ReadAsync(MigrationsTree tree, IReadOnlyList<DatabaseEnvironment> environments, CancellationToken cancellation)
    {
        var statuses = await Task.WhenAll(environments.Select(environment => ReadAsync(tree, environment, cancellation)));
        bool? differ = statuses.Any(status => status.Current is null)
            ? null
            : statuses.Select(status => string.Join(',', status.Current!)).Distinct(StringComparer.Ordinal).Count() > 1;
        return new MigrationStatus([.. tree.Heads.Select(head => tree.Find(head)!)], statuses, differ);
    }

    /// <summary>As text, a line each.</summary>
    public static IReadOnlyList<string> Render(MigrationStatus status)
    {
        var rows = new List<string[]> { new[] { "environment", "revision", "pending", "database" } };
        rows.AddRange(status.Environments.Select(environment => new[]
        {
            environment.Environment,
            environment.Current?.Named() ?? "?",
            environment.Current is null || environment.Problem is not null ? "?" : $"{environment.Pending.Count}",
            environment.Database,
        }));
        var lines = new List<string> { $"heads: {(status.Heads.Count == 0 ? "none" : string.Join("; ", status.Heads))}", "" };
        lines.AddRange(TextTable.Render(["", "", "", ""], rows).Split('\n'));
        foreach (var environment in status.Environments)
        {
            if (environment.Problem is not null)
            {
                lines.AddRange(["", $"{environment.Environment}:", .. environment.Problem.Split('\n').Select(line => "  " + line.TrimEnd('\r'))]);
            }
            else if (environment.Pending.Count > 0)
            {
                lines.AddRange(["", $"pending on {environment.Environment}:", .. environment.Pending.Select(revision => $"  {revision.Id}  {revision.Message}")]);
            }
        }

        lines.AddRange(["", status.Differ switch
        {
            null => "Not every environment could be asked: whether they differ is not known.",
            true => "The environments DIFFER.",
            false => "The environments are at the same revision.",
        }]);
        return lines;
    }

    private async Task<EnvironmentStatus> ReadAsync(MigrationsTree tree, DatabaseEnvironment environment, CancellationToken cancellation)
    {
        IReadOnlyList<string>? current = null;
        try
        {
            var facts = await DatabaseInspector.ReadAsync(environment, cancellation);
            current = facts.Revisions;
            await VersionTable.RequireAsync(environment, facts, cancellation);
            await origin.RequireKnownAsync(tree, environment, current, cancellation);
            return new EnvironmentStatus(environment.DisplayName, environment.Database.ToString(), current, RevisionTarget.Resolve(tree, current, "head", MigrationDirection.Upgrade).Steps, null);
        }
        catch (RunbookException problem)
        {
            return new EnvironmentStatus(environment.DisplayName, environment.Database.ToString(), current, [], problem.Message);
        }
    }
}
