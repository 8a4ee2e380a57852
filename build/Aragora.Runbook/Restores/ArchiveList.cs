using System.Globalization;
using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Restores;

/// <summary>An archive's table of contents with some entries left out, in a file for <c>pg_restore --use-list</c>; gone when it is disposed of.</summary>
internal sealed partial class ArchiveList : IDisposable
{
    private const string Prefix = "aragora-list-";
    private readonly OwnedFolder folder;

    private ArchiveList(OwnedFolder folder) => this.folder = folder;

    /// <summary>The file.</summary>
    public string Path => System.IO.Path.Combine(folder.Path, "list");

    /// <summary>Writes it.</summary>
    /// <exception cref="FailedCleanException">The archive's table of contents cannot be read.</exception>
    public static async Task<ArchiveList> WithoutAsync(string archive, IReadOnlyList<ArchiveItem> leftOut, PostgresClient client, ICommandRunner commands, CancellationToken cancellation)
    {
        var result = await commands.RunAsync(new Command { Program = client["pg_restore"], Arguments = ["--list", archive], Environment = ClientEnvironment.Messages }, cancellation: cancellation);
        if (!result.Succeeded)
        {
            throw new FailedCleanException($"The table of contents of {archive} cannot be read.", result.Tail(), "./build.sh Backup VerifyBackup --fresh   makes a new one");
        }

        var parent = System.IO.Path.GetTempPath();
        OwnedFolder.Sweep(parent, Prefix + "*");
        var list = new ArchiveList(OwnedFolder.Reserve(System.IO.Path.Combine(parent, $"{Prefix}{Guid.NewGuid():N}")));
        try
        {
            Directory.CreateDirectory(list.folder.Path);
            await PrivateFile.WriteAsync(list.Path, string.Join('\n', result.Output.Split('\n').Where(line => !IsOneOf(leftOut, line))), cancellation);
            return list;
        }
        catch
        {
            list.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => folder.Dispose();

    private static bool IsOneOf(IReadOnlyList<ArchiveItem> items, string line) =>
        Entry().Match(line) is { Success: true } entry
        && uint.Parse(entry.Groups[1].Value, CultureInfo.InvariantCulture) is var oid
        && items.Any(item => item.Oid == oid && entry.Groups[2].Value.StartsWith(item.Kind + " ", StringComparison.Ordinal));

    /// <summary>"215; 2615 16390 SCHEMA - app owner": number, catalogue, OID, kind, schema, name, owner.</summary>
    [GeneratedRegex(@"^\d+; \d+ (\d+) ([A-Z].*)$")]
    private static partial Regex Entry();
}
