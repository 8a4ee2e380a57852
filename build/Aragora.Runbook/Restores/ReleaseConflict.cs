using System.Text.RegularExpressions;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Restores;

/// <summary>Minor versions of source, pg_dump and the server of a restore that do not go together: a new dump by the same programs would fail in the same way.</summary>
/// <param name="What">What does not go together.</param>
/// <param name="Next">What to install, and to type then.</param>
internal sealed partial record ReleaseConflict(string What, string Next)
{
    /// <summary>The options that the server of a restore did not know.</summary>
    public static IReadOnlyList<string> UnknownOptions(IEnumerable<string> complaints) =>
        [.. complaints.Select(line => UnknownOption().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value).Distinct(StringComparer.Ordinal)];

    /// <summary>What pg_restore's complaints come from, where that is it; null where they have another cause.</summary>
    /// <param name="complaints">pg_restore's.</param>
    /// <param name="manifest">The backup's.</param>
    /// <param name="server">The version of the server that it was restored into.</param>
    public static ReleaseConflict? Of(IEnumerable<string> complaints, BackupManifest manifest, Version server)
    {
        var options = UnknownOptions(complaints);
        var (source, client) = (PostgresRelease.Of(manifest.ServerVersion), PostgresRelease.Of(manifest.ClientVersion));
        if (options.Count == 0 || server >= source)
        {
            return null;
        }

        var what = $"PostgreSQL {server} refuses what is in it of the newer source, {source}: {string.Join(", ", options)}";
        return client.Major == source.Major && client < source
            ? new ReleaseConflict(
                $"{what}; pg_dump {client} took it along, for it is older than the source, too",
                $"apt-get install --only-upgrade postgresql-client-{source.Major}   ({source} or newer; or the package of your system), then ./build.sh Backup VerifyBackup --fresh")
            : new ReleaseConflict(
                what,
                $"apt-get install --only-upgrade postgresql-{source.Major}   ({source} or newer, where no other server runs from it), or name a server of {source} or newer with --scratch-server-url; then ./build.sh VerifyBackup");
    }

    [GeneratedRegex("unrecognized parameter \"([^\"]+)\"")]
    private static partial Regex UnknownOption();
}
