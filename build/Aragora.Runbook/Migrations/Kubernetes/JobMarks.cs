using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Aragora.Runbook.Environments;
using k8s.Models;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>The labels and annotations by which a Job says what it is for, and by which a later run finds it.</summary>
internal static partial class JobMarks
{
    public const string ManagedByLabel = "app.kubernetes.io/managed-by";
    public const string ManagedBy = "aragora-build";
    public const string Run = "aragora.build/run";
    public const string Environment = "aragora.build/environment";
    public const string Purpose = "aragora.build/purpose";
    public const string Migration = "migration";
    public const string Check = "image-check";
    public const string Database = "aragora.build/database";
    public const string Direction = "aragora.build/direction";
    public const string Revision = "aragora.build/revision";
    public const string Tree = "aragora.build/tree";
    public const string ApplicationName = "aragora.build/application-name";
    private const int LongestLabel = 63;

    /// <summary>What both kinds of our Jobs carry.</summary>
    public static Dictionary<string, string> Labels(string purpose, TargetEnvironment environment, string runId, DatabaseIdentity database) => new(StringComparer.Ordinal)
    {
        [ManagedByLabel] = ManagedBy,
        [Purpose] = purpose,
        [Environment] = environment.ToString().ToLowerInvariant(),
        [Run] = Label(runId),
        [Database] = KeyOf(database),
    };

    /// <summary>Finds the migrations of a database, whoever started them.</summary>
    public static string Selector(TargetEnvironment environment, DatabaseIdentity database) =>
        $"{ManagedByLabel}={ManagedBy},{Purpose}={Migration},{Environment}={environment.ToString().ToLowerInvariant()},{Database}={KeyOf(database)}";

    /// <summary>What a Job says of the migration that it runs; null where it does not say all of it.</summary>
    public static RunningMigration? Read(V1Job job)
    {
        var said = job.Metadata.Annotations ?? new Dictionary<string, string>(StringComparer.Ordinal);
        return said.TryGetValue(Run, out var run) && said.TryGetValue(Revision, out var revision) && said.TryGetValue(Tree, out var tree) && said.TryGetValue(ApplicationName, out var name)
            && said.TryGetValue(Direction, out var way) && Enum.TryParse<MigrationDirection>(way, ignoreCase: true, out var direction)
            ? new RunningMigration($"job {job.Metadata.NamespaceProperty}/{job.Metadata.Name}", run, direction, revision, tree, name)
            : null;
    }

    /// <summary>A value as a label may have it; the annotation of the same name has it whole.</summary>
    public static string Label(string value)
    {
        var fitting = NotInLabel().Replace(value, "-");
        return fitting[..Math.Min(LongestLabel, fitting.Length)].Trim('-', '_', '.');
    }

    /// <summary>A name for an object (DNS-1123): unique where the run's id is.</summary>
    /// <param name="parts">Joined by '-'; the first one is cut where the whole is too long.</param>
    public static string Name(params IReadOnlyList<string> parts)
    {
        var rest = string.Concat(parts.Skip(1).Select(part => "-" + NotInName().Replace(part.ToLowerInvariant(), "-")));
        var head = NotInName().Replace(parts[0].ToLowerInvariant(), "-");
        return (head[..Math.Min(head.Length, LongestLabel - rest.Length)].TrimEnd('-') + rest).Trim('-');
    }

    /// <summary>What a database is, in 16 hexadecimal digits: by whatever address it is reached.</summary>
    private static string KeyOf(DatabaseIdentity database) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{database.SystemIdentifier}\0{database.DatabaseOid}\0{database.DatabaseName}"))))[..16];

    [GeneratedRegex("[^-A-Za-z0-9_.]")]
    private static partial Regex NotInLabel();

    [GeneratedRegex("[^-a-z0-9]")]
    private static partial Regex NotInName();
}
