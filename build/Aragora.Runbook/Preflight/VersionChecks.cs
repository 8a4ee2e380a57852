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

    /// <summary>pg_dump must not be older than the server.</summary>
    public static PreflightCheck Client { get; } = new("client-version", "pg_dump version", async (subject, cancellation) =>
    {
        var major = subject.Session.ServerVersion.Major;
        return Compare(major, await subject.Options.FindPgDump(major, cancellation));
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
}
