using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;

namespace Aragora.Runbook.Preflight;

/// <summary>Versions of server and clients.</summary>
public static class VersionChecks
{
    /// <summary>The oldest major version that this build was made for.</summary>
    public const int OldestServer = 12;

    /// <summary>The server is one that the runbook's SQL knows.</summary>
    public static PreflightCheck Server { get; } = new("server-version", "Server version", (subject, _) =>
    {
        var version = subject.Session.ServerVersion;
        return Task.FromResult<Finding>(version.Major < OldestServer
            ? new Finding.Refusal($"PostgreSQL {version} is older than {OldestServer}", "upgrade the server first; this build does not know so old a one")
            : new Finding.Ok($"PostgreSQL {version}"));
    })
    { IsEssential = true };

    /// <summary>pg_dump must not be older than the server; where its minor version is older, it may take along what only newer servers know.</summary>
    public static PreflightCheck Client { get; } = new("client-version", "pg_dump version", async (subject, cancellation) =>
    {
        var server = subject.Session.ServerVersion;
        var client = await subject.Options.FindPgDump(server.Major, cancellation);
        var finding = Compare(server.Major, client);
        if (finding is not Finding.Ok || (client!.Version.Major == server.Major && client.Version >= server))
        {
            return finding;
        }

        if (await CatalogueOptions.FindServersNotesAsync(subject.Session, cancellation) is not { } notes)
        {
            return finding;
        }

        var taken = await subject.Options.AskPgDump(subject.Environment, client, notes, cancellation);
        return taken is { Count: 0 } ? finding : TakesNotes(server, client, taken, await subject.Options.FindScratchServer(server.Major, cancellation));
    })
    { IsEssential = true, OnlyForBackup = true };

    /// <summary>pg_dump refuses a server that is newer than itself, minor versions aside.</summary>
    internal static Finding Compare(int serverMajor, ClientProgram? client)
    {
        var install = $"apt-get install postgresql-client-{serverMajor}   (or the package of your system), then repeat";
        return client switch
        {
            null => new Finding.Refusal("there is no pg_dump on this machine: no backup can be made", install),
            _ when client.Version.Major < serverMajor => new Finding.Refusal($"pg_dump {client.Version} ({client.Path}) is older than the server ({serverMajor}), and refuses to dump it", install),
            _ => new Finding.Ok($"pg_dump {client.Version} ({client.Path})"),
        };
    }

    /// <summary>The release that taught the server to write such notes taught pg_dump to leave them out: a scratch server that is no newer than a pg_dump that takes them refuses them.</summary>
    private static Finding TakesNotes(Version server, ClientProgram client, IReadOnlySet<string>? notes, Version? scratch)
    {
        var what = notes is null ? $"may dump what the server, {server}, notes for itself (it could not be asked)" : $"dumps what the server, {server}, notes for itself ({string.Join(", ", notes)})";
        var text = $"pg_dump {client.Version} ({client.Path}) {what}";
        var next = $"{PostgresClients.UpgradeCommand(client.Version.Major)}   (to one that leaves it out{(client.Version.Major == server.Major ? $": {server} or newer" : "")}; or the package of your system), then repeat";
        return notes is not null && scratch is not null && scratch.Major == client.Version.Major && scratch <= client.Version
            ? new Finding.Refusal($"{text}: the server programs of this machine, {scratch}, refuse that, and the backup could not be verified", $"{next}; or name a scratch server of {server} with --scratch-server-url")
            : new Finding.Warning($"{text}: a server that is older may refuse to restore the backup", next);
    }
}
