using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>The labels by which a later run knows a container of ours, and what it is doing.</summary>
internal static class OneOffLabels
{
    /// <summary>What it does: <see cref="Migration"/> or <see cref="Check"/>.</summary>
    public const string Role = "org.aragora.build.role";

    /// <summary>It moves revisions.</summary>
    public const string Migration = "migration";

    /// <summary>It says which tree and which database it sees.</summary>
    public const string Check = "check";

    private const string DatabaseLabel = "org.aragora.build.database";
    private const string Environment = "org.aragora.build.environment";
    private const string Run = "org.aragora.build.run";
    private const string Direction = "org.aragora.build.direction";
    private const string Revision = "org.aragora.build.revision";
    private const string Tree = "org.aragora.build.tree";
    private const string Application = "org.aragora.build.application";

    /// <summary>The database by what it is: two checkouts may call two databases "production" on one engine.</summary>
    public static string Of(DatabaseIdentity database) => $"{DatabaseLabel}={Value(database)}";

    /// <summary>Those of a migration.</summary>
    public static Dictionary<string, string> For(RunnerRequest request, DatabaseIdentity database) => new(StringComparer.Ordinal)
    {
        [Role] = Migration,
        [DatabaseLabel] = Value(database),
        [Environment] = request.Environment.DisplayName,
        [Run] = request.RunId,
        [Direction] = request.Direction.ToString(),
        [Revision] = request.Revision,
        [Tree] = request.TreeHash,
        [Application] = request.ApplicationName,
    };

    /// <summary>Those of a check.</summary>
    public static Dictionary<string, string> ForCheck(DatabaseEnvironment environment, DatabaseIdentity database, string runId) => new(StringComparer.Ordinal)
    {
        [Role] = Check,
        [DatabaseLabel] = Value(database),
        [Environment] = environment.DisplayName,
        [Run] = runId,
    };

    /// <summary>What a migration's container says of itself.</summary>
    public static RunningMigration Read(string name, IReadOnlyDictionary<string, string> labels) => new(
        Described(name),
        labels.GetValueOrDefault(Run, "unknown"),
        Enum.TryParse<MigrationDirection>(labels.GetValueOrDefault(Direction), out var direction) ? direction : MigrationDirection.Upgrade,
        labels.GetValueOrDefault(Revision, ""),
        labels.GetValueOrDefault(Tree, ""),
        labels.GetValueOrDefault(Application, ""));

    /// <summary>For people: what to type behind <c>docker</c>.</summary>
    public static string Described(string name) => "container " + name;

    /// <summary>The container of something that is followed.</summary>
    public static string ContainerOf(RunningMigration running) => running.Name["container ".Length..];

    private static string Value(DatabaseIdentity database) => $"{database.SystemIdentifier}-{database.DatabaseOid}";
}
