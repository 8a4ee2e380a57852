using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Backups;

/// <summary>Reads a directory archive through <c>pg_restore</c>, without a server.</summary>
/// <param name="client">pg_restore, not older than the pg_dump that wrote the archive.</param>
/// <param name="commands">Starts it.</param>
public sealed partial class ArchiveReader(PostgresClient client, ICommandRunner commands)
{
    /// <summary>The table of contents.</summary>
    public async Task<ArchiveContents> ListAsync(string folder, CancellationToken cancellation)
    {
        var result = await RunAsync(["--list", folder], cancellation);
        var lines = result.Output.Split('\n');
        return new ArchiveContents(
            lines.Count(line => Entry().IsMatch(line)),
            lines.Count(line => TableData().IsMatch(line)),
            lines.Select(line => DatabaseName().Match(line)).FirstOrDefault(match => match.Success)?.Groups[1].Value,
            Complaint("pg_restore --list", result));
    }

    /// <summary>Those of these options of tables and columns that the archive's statements set.</summary>
    public async Task<IReadOnlySet<string>> FindOptionsAsync(string folder, IReadOnlyCollection<string> options, CancellationToken cancellation)
    {
        var result = await RunAsync(["--schema-only", "--file=-", folder], cancellation);
        if (Complaint("pg_restore --schema-only", result) is { } complaint)
        {
            throw new FailedCleanException("pg_dump ended well, but its archive cannot be read; it was removed.", complaint, "./build.sh Backup");
        }

        return OptionsIn(result.Output, options);
    }

    /// <summary>Those of these options that the statements of a dump set: <c>SET (a=1, b=2)</c>, <c>WITH ("C"='3', toast.d='4')</c>.</summary>
    public static IReadOnlySet<string> OptionsIn(string statements, IReadOnlyCollection<string> options)
    {
        var lines = statements.Split('\n').Where(line => line.Contains("SET (", StringComparison.Ordinal) || line.Contains("WITH (", StringComparison.Ordinal)).ToList();
        return options.Where(option => lines.Any(line => Regex.IsMatch(line, $"""[( ."]{Regex.Escape(option)}"?="""))).ToHashSet(StringComparer.Ordinal);
    }

    private Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellation) =>
        commands.RunAsync(new Command { Program = client["pg_restore"], Arguments = arguments, Environment = ClientEnvironment.Messages }, cancellation: cancellation);

    /// <summary>A warning is a complaint as well: pg_restore goes on behind some of what it could not read.</summary>
    private static string? Complaint(string what, CommandResult result)
    {
        var said = result.Error.Trim();
        return result.Succeeded && said.Length == 0 ? null : $"{what} ended with exit code {result.ExitCode}{(result.ExitCode > 128 ? $" (signal {result.ExitCode - 128})" : "")}{(said.Length > 0 ? ": " + string.Join("; ", said.Split('\n').Take(5)) : "")}";
    }

    [GeneratedRegex(@"^\d+; \d+ \d+ ")]
    private static partial Regex Entry();

    /// <summary>The first number is 0 for rows: a table's own entry, in a schema called "DATA", reads the same but for that.</summary>
    [GeneratedRegex(@"^\d+; 0 \d+ TABLE DATA ")]
    private static partial Regex TableData();

    [GeneratedRegex(@"^; +dbname: (.*)$")]
    private static partial Regex DatabaseName();
}

/// <summary>A directory archive's table of contents.</summary>
/// <param name="Entries">Its entries.</param>
/// <param name="Tables">Entries that are a table's rows.</param>
/// <param name="DatabaseName">The name of the database that was dumped, line breaks as blanks; null where there is none.</param>
/// <param name="Complaint">What pg_restore complained of; null for nothing.</param>
public sealed record ArchiveContents(int Entries, int Tables, string? DatabaseName, string? Complaint);
