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
        if (finding is not Finding.Ok || client!.Version.Major != server.Major || client.Version >= server)
        {
            return finding;
        }

        var notes = (await subject.Session.QueryAsync(CatalogueOptions.ServersNotesSql, row => (Columns: row.GetInt64(0), Names: row.GetString(1)), cancellation))[0];
        return notes.Columns == 0 ? finding : OlderMinor(server, client, notes.Names, await subject.Options.FindScratchServer(server.Major, cancellation));
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

    /// <summary>The release that taught the server to write such notes taught pg_dump to leave them out: a scratch server that is no newer than this pg_dump refuses them.</summary>
    internal static Finding OlderMinor(Version server, ClientProgram client, string notes, Version? scratch)
    {
        var text = $"pg_dump {client.Version} ({client.Path}) is older than the server, {server}, and dumps what that server notes for itself ({notes})";
        var next = $"apt-get install --only-upgrade postgresql-client-{server.Major}   ({server} or newer; or the package of your system), then repeat";
        return scratch is not null && scratch <= client.Version
            ? new Finding.Refusal($"{text}: the server programs of this machine, {scratch}, refuse it, and the backup could not be verified", next)
            : new Finding.Warning($"{text}: a server that is older than {server} may refuse to restore the backup", next);
    }
}
