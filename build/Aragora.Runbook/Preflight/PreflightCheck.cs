using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;

namespace Aragora.Runbook.Preflight;

/// <summary>One question to a database.</summary>
/// <param name="Id">Short and stable, such as <c>long-transactions</c>.</param>
/// <param name="Title">For the table.</param>
/// <param name="Run">Asks, read-only.</param>
public sealed record PreflightCheck(string Id, string Title, Func<PreflightSubject, CancellationToken, Task<Finding>> Run)
{
    /// <summary>Whether an answer that cannot be had is a refusal; else it is a warning.</summary>
    public bool IsEssential { get; init; }

    /// <summary>Whether only a database that will be backed up is asked.</summary>
    public bool OnlyForBackup { get; init; }

    /// <summary>Whether it is asked only where a migration follows.</summary>
    public bool OnlyForMigration { get; init; }
}

/// <summary>What a check is about: a database, over a read-only session of its own.</summary>
public sealed record PreflightSubject
{
    /// <summary>The environment.</summary>
    public required DatabaseEnvironment Environment { get; init; }

    /// <summary>The session: read-only, with short timeouts. One check uses it at a time.</summary>
    public required PostgresSession Session { get; init; }

    /// <summary>Limits, and what is injected.</summary>
    public required PreflightOptions Options { get; init; }

    /// <summary>Identity and revisions; null where the role may not read them (a refusal of its own).</summary>
    public DatabaseFacts? Facts { get; init; }

    /// <summary>The migrations tree; null where it does not load (a refusal of its own).</summary>
    public MigrationsTree? Tree { get; init; }

    /// <summary>Whether new sessions of this role are read-only by the server's, the database's or the role's settings.</summary>
    public bool IsReadOnlyByDefault { get; init; }

    /// <summary>The role, for messages and commands.</summary>
    public string Role => SqlText.Identifier(Environment.Database.User);

    /// <summary>The database's name, quoted.</summary>
    public string Database => SqlText.Identifier(Environment.Database.Database);
}

/// <summary>Pieces of SQL for the commands that findings suggest.</summary>
internal static class SqlText
{
    public static string Identifier(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    /// <summary>The first few of many.</summary>
    public static string Some(IReadOnlyList<string> all, int shown = 5) =>
        string.Join(", ", all.Take(shown)) + (all.Count > shown ? $" and {all.Count - shown} more" : "");
}
