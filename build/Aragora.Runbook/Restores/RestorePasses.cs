using System.Globalization;
using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Restores;

/// <summary>The runs of pg_restore that one restore takes, each with the entries that it restores; their files are gone when it is disposed of.</summary>
/// <remarks>
/// In parallel, pg_restore grants in any order. A grant by somebody who is not the owner is made in that role's name, and fails where the role's own right (USAGE on the schema,
/// a grant option) was not granted yet. An archive with such a grant is restored in three runs: everything else, then the grants one by one, then what pg_restore itself leaves for last.
/// Sessions that attach indexes of one partitioned table at the same time may deadlock. An archive that attaches several does so one by one, before the foreign keys that want the whole index, and the comments on them.
/// An event trigger that is there already would fire for what comes after it: those are left for last in either case.
/// </remarks>
internal sealed partial class RestorePasses : IDisposable
{
    private const string Prefix = "aragora-list-";
    private const string IndexAttach = "INDEX ATTACH";
    private const int Attaching = 1;
    private const int WithWholeIndexes = 2;
    private const int Granting = 3;
    private const int AtLast = 4;
    private static readonly string[] Grants = ["ACL ", "DEFAULT ACL ", "ACL LANGUAGE "];
    private static readonly string[] Last = ["EVENT TRIGGER ", "MATERIALIZED VIEW DATA ", "COMMENT - EVENT TRIGGER ", "SECURITY LABEL - EVENT TRIGGER "];
    private readonly OwnedFolder? folder;

    private RestorePasses(OwnedFolder? folder) => this.folder = folder;

    /// <summary>The runs, in order.</summary>
    public IReadOnlyList<RestorePass> All { get; private set; } = [new RestorePass(null, IsSerial: false)];

    /// <summary>Plans them.</summary>
    /// <exception cref="FailedCleanException">The archive's table of contents cannot be read.</exception>
    public static async Task<RestorePasses> PlanAsync(string archive, IReadOnlyList<ArchiveItem> leftOut, PostgresClient client, ICommandRunner commands, CancellationToken cancellation)
    {
        var contents = await File.ReadAllBytesAsync(Path.Combine(archive, "toc.dat"), cancellation);
        var (grants, attached) = (GrantsInOthersNames(contents), AttachesIndexes(contents));
        if (leftOut.Count == 0 && !grants && !attached)
        {
            return new RestorePasses(null);
        }

        var result = await commands.RunAsync(new Command { Program = client["pg_restore"], Arguments = ["--list", archive], Environment = ClientEnvironment.Messages }, cancellation: cancellation);
        if (!result.Succeeded)
        {
            throw new FailedCleanException($"The table of contents of {archive} cannot be read.", result.Tail(), "./build.sh Backup VerifyBackup --fresh   makes a new one");
        }

        var entries = result.Output.Split('\n').Select(line => Entry().Match(line)).Where(entry => entry.Success && !IsOneOf(leftOut, entry)).ToList();
        var parent = Path.GetTempPath();
        OwnedFolder.Sweep(parent, Prefix + "*");
        var passes = new RestorePasses(OwnedFolder.Reserve(Path.Combine(parent, $"{Prefix}{Guid.NewGuid():N}")));
        try
        {
            await passes.WriteAsync(entries, grants, attached, cancellation);
            return passes;
        }
        catch
        {
            passes.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => folder?.Dispose();

    private async Task WriteAsync(IEnumerable<Match> entries, bool grants, bool attached, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder!.Path);
        var passes = new List<RestorePass>();
        foreach (var group in entries.GroupBy(entry => PassOf(entry.Groups[2].Value, grants, attached)).OrderBy(group => group.Key))
        {
            var file = Path.Combine(folder.Path, string.Create(CultureInfo.InvariantCulture, $"list-{group.Key}"));
            await PrivateFile.WriteAsync(file, string.Concat(group.Select(entry => entry.Value + "\n")), cancellation);
            passes.Add(new RestorePass(file, IsSerial: group.Key is Attaching or Granting));
        }

        All = passes;
    }

    private static int PassOf(string entry, bool grants, bool attached) =>
        grants && Grants.Any(kind => entry.StartsWith(kind, StringComparison.Ordinal)) ? Granting
        : (grants || attached) && Last.Any(kind => entry.StartsWith(kind, StringComparison.Ordinal)) ? AtLast
        : attached && entry.StartsWith(IndexAttach + " ", StringComparison.Ordinal) ? Attaching
        : attached && WantsWholeIndexes().IsMatch(entry) ? WithWholeIndexes
        : 0;

    /// <summary>The table of contents holds the statements as they are; one in a function's body costs two more runs.</summary>
    private static bool GrantsInOthersNames(ReadOnlySpan<byte> contents) => contents.IndexOf("SET SESSION AUTHORIZATION"u8) >= 0;

    private static bool AttachesIndexes(ReadOnlySpan<byte> contents) => contents.Count("INDEX ATTACH"u8) > 1;

    private static bool IsOneOf(IReadOnlyList<ArchiveItem> items, Match entry) =>
        uint.Parse(entry.Groups[1].Value, CultureInfo.InvariantCulture) is var oid && items.Any(item => item.Oid == oid && entry.Groups[2].Value.StartsWith(item.Kind + " ", StringComparison.Ordinal));

    /// <summary>"FK CONSTRAINT app lines to_orders owner", and "COMMENT app CONSTRAINT to_orders ON lines owner" with the schema in the middle; a name may hold spaces.</summary>
    [GeneratedRegex("^(FK CONSTRAINT |COMMENT .* CONSTRAINT )", RegexOptions.ExplicitCapture)]
    private static partial Regex WantsWholeIndexes();

    /// <summary>"215; 2615 16390 SCHEMA - app owner": number, catalogue, OID, kind, schema, name, owner.</summary>
    [GeneratedRegex(@"^\d+; \d+ (\d+) ([A-Z].*)$")]
    private static partial Regex Entry();
}

/// <summary>One run of pg_restore.</summary>
/// <param name="List">The file for <c>--use-list</c>; null for everything.</param>
/// <param name="IsSerial">Whether it has to restore in order, and so with one job.</param>
internal sealed record RestorePass(string? List, bool IsSerial);
