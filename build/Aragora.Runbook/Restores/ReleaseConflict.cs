using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Restores;

/// <summary>Minor versions of source, pg_dump and the server of a restore that do not go together: a new dump by the same programs would fail in the same way.</summary>
/// <param name="What">What does not go together.</param>
/// <param name="Next">What to install, and to type then.</param>
internal sealed partial record ReleaseConflict(string What, string Next)
{
    /// <summary>What pg_restore's complaints come from, where that is it; null where they have another cause.</summary>
    /// <param name="complaints">pg_restore's.</param>
    /// <param name="manifest">The backup's.</param>
    /// <param name="restored">The database that it was restored into.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task<ReleaseConflict?> FindAsync(IReadOnlyList<string> complaints, BackupManifest manifest, DatabaseEnvironment restored, CancellationToken cancellation)
    {
        // A table that was refused for its options is missing ever after: the first error is the cause of the others.
        var errors = complaints.Where(line => line.Contains("ERROR:", StringComparison.Ordinal)).Select(line => UnknownOption().Match(line)).ToList();
        if (errors is not [{ Success: true }, ..])
        {
            return null;
        }

        await using var session = await PostgresSession.OpenAsync(restored, "aragora-verify", cancellation: cancellation);
        return Of([.. errors.Where(error => error.Success).Select(error => error.Groups[1].Value).Distinct(StringComparer.Ordinal)], manifest, session.ServerVersion);
    }

    private static ReleaseConflict? Of(IReadOnlyList<string> options, BackupManifest manifest, Version server)
    {
        var (source, client) = (PostgresRelease.Of(manifest.ServerVersion), PostgresRelease.Of(manifest.ClientVersion));
        var named = string.Join(", ", options);
        if (options.All(CatalogueOptions.IsServersNote))
        {
            return new ReleaseConflict(
                $"PostgreSQL {server} does not know what a newer minor version notes for itself in the source ({named}), and pg_dump {client} took it along",
                $"{PostgresClients.UpgradeCommand(client.Major)}   (to one that leaves it out: {(client.Major == source.Major && client < source ? $"{source} or newer" : $"newer than {client}")}; or the package of your system), then ./build.sh Backup VerifyBackup --fresh");
        }

        return server >= source ? null : new ReleaseConflict(
            $"PostgreSQL {server} refuses what is in it of the newer source, {source}: {named}",
            $"use server programs of {source} or newer for the trial, or name a server of {source} or newer with --scratch-server-url; then ./build.sh VerifyBackup");
    }

    [GeneratedRegex("unrecognized parameter \"([^\"]+)\"")]
    private static partial Regex UnknownOption();
}
