using System.Globalization;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Servers;
using Serilog;

/// <summary>
/// PostgreSQL's programs of a minor version that is not installed, unpacked from Debian's packages into a cache folder, for tests: what the next minor version
/// changes has to be red here before it is red at a user's. Nothing is installed, and the machine's package lists stay as they are.
/// </summary>
/// <param name="commands">Runs apt-get, apt-cache and dpkg-deb.</param>
/// <param name="log">Says what was unpacked.</param>
sealed class UnpackedPostgres(ICommandRunner commands, ILogger log)
{
    /// <summary>The variable by which tests are told the folder of these programs.</summary>
    public const string Variable = "ARAGORA_TEST_OTHER_POSTGRES";

    private const UnixFileMode ForAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static string Cache => Path.Combine(
        Environment.IsPrivilegedProcess ? "/var/cache" // root's home is closed to the server's user
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? Path.Combine(home, ".cache")
            : Path.GetTempPath(),
        "aragora-build",
        "postgresql");

    /// <summary>The newest minor version that the registry has beside the installed one.</summary>
    public async Task<OtherPostgres> GetAsync(ServerBinaries installed, CancellationToken cancellation)
    {
        var other = await TryGetAsync(installed, cancellation);
        if (other.Programs is null)
        {
            log.Warning("No other minor version of PostgreSQL beside the installed {Version}, and its tests are skipped: {Why:l}", installed.Version, other.Outcome);
        }
        else
        {
            log.Information("PostgreSQL beside the installed {Version}, for the tests: {Outcome:l}", installed.Version, other.Outcome);
        }

        return other;
    }

    private async Task<OtherPostgres> TryGetAsync(ServerBinaries installed, CancellationToken cancellation)
    {
        if (!File.Exists("/usr/bin/apt-get"))
        {
            return OtherPostgres.None("there is no apt-get to fetch one with");
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return await FetchAsync(installed, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return OtherPostgres.Missed($"the registry did not answer within {Patience}");
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            return OtherPostgres.Missed(unwritable.Message);
        }
    }

    private async Task<OtherPostgres> FetchAsync(ServerBinaries installed, CancellationToken cancellation)
    {
        PrepareCache();
        var package = string.Create(CultureInfo.InvariantCulture, $"postgresql-{installed.Major}");
        var update = await RunAsync("apt-get", ["update"], cancellation);
        var known = await RunAsync("apt-cache", ["madison", package], cancellation);
        var versions = known.Output.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries)).Where(words => words.Length > 1).Select(words => words[1]);
        var other = versions.Where(version => PostgresRelease.Of(version) != installed.Release).MaxBy(PostgresRelease.Of);
        if (!update.Succeeded)
        {
            log.Warning("The registry did not say which versions of {Package} it has now: {Why:l}", package, update.Tail(1));
        }

        if (other is null)
        {
            return update.Succeeded ? OtherPostgres.None($"the registry has no other {package}") : OtherPostgres.Missed("the registry did not answer");
        }

        var folder = Path.Combine(Cache, other);
        string[] packages = [$"{package}={other}", $"postgresql-client-{installed.Major}={other}"];
        if (!Directory.Exists(folder) && await UnpackAsync(packages, folder, cancellation) is { } failure)
        {
            return OtherPostgres.Missed($"{string.Join(' ', packages)} could not be unpacked: {failure}");
        }

        var programs = new ServerBinaries(Path.Combine(folder, "usr", "lib", "postgresql", $"{installed.Major}", "bin"), installed.Major, PostgresRelease.Of(other).ToString());
        return new OtherPostgres(programs, programs.Folder, $"{string.Join(' ', packages)}, unpacked into {folder}");
    }

    /// <summary>The server's user has to get in, whatever our umask; what a killed run left half unpacked goes.</summary>
    private static void PrepareCache()
    {
        Directory.CreateDirectory(Path.Combine(Cache, "lists", "partial"));
        foreach (var folder in new[] { Path.GetDirectoryName(Cache)!, Cache })
        {
            OpenToAll(folder);
        }

        foreach (var left in Directory.GetDirectories(Cache, "*.partial").Where(left => TimeProvider.System.GetUtcNow().UtcDateTime - Directory.GetLastWriteTimeUtc(left) > TimeSpan.FromHours(1)))
        {
            Directory.Delete(left, recursive: true);
        }
    }

    private static void OpenToAll(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, ForAll);
        }
    }

    private async Task<string?> UnpackAsync(IReadOnlyList<string> packages, string folder, CancellationToken cancellation)
    {
        var partial = $"{folder}.{Environment.ProcessId}.partial";
        Directory.CreateDirectory(partial);
        try
        {
            var download = await RunAsync("apt-get", ["download", .. packages], cancellation, partial);
            if (!download.Succeeded)
            {
                return download.Tail(2);
            }

            foreach (var archive in Directory.GetFiles(partial, "*.deb"))
            {
                var unpacked = await RunAsync("dpkg-deb", ["--extract", archive, partial], cancellation);
                if (!unpacked.Succeeded)
                {
                    return unpacked.Tail(2);
                }

                File.Delete(archive);
            }

            OpenToAll(partial);
            if (!Directory.Exists(folder))
            {
                Directory.Move(partial, folder);
            }

            return null;
        }
        finally
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }
    }

    private Task<CommandResult> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation, string? folder = null)
    {
        string[] own = program == "dpkg-deb" ? [] : ["-o", $"Dir::State::lists={Cache}/lists", "-o", $"Dir::Cache={Cache}/apt", "-o", "APT::Sandbox::User=root", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1", "-o", "APT::Update::Error-Mode=any"];
        return commands.RunAsync(
            new Command { Program = program, Arguments = [.. own, .. arguments], WorkingDirectory = folder, Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["LC_ALL"] = "C.UTF-8" } },
            cancellation: cancellation);
    }
}

/// <summary>What came of looking for another minor version.</summary>
/// <param name="Programs">Its programs; null where there are none.</param>
/// <param name="ForCi">One word for .ci/run: the folder of the programs, <c>none</c> where there is nothing to be had, <c>missed</c> where there may be.</param>
/// <param name="Outcome">What was unpacked, or why nothing was.</param>
sealed record OtherPostgres(ServerBinaries? Programs, string ForCi, string Outcome)
{
    public static OtherPostgres None(string why) => new(null, "none", why);

    public static OtherPostgres Missed(string why) => new(null, "missed", why);
}
