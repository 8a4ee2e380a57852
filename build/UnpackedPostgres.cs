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

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static string Cache => Path.Combine(
        Environment.IsPrivilegedProcess ? "/var/cache" // root's home is closed to the server's user
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "aragora-build",
        "postgresql");

    /// <summary>The newest minor version that the registry has beside the installed one; null where there is none to be had, which is said.</summary>
    public async Task<ServerBinaries?> GetAsync(ServerBinaries installed, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/apt-get"))
        {
            log.Warning("No other minor version of PostgreSQL beside {Version}: there is no apt-get to fetch one with; its tests are skipped", installed.Version);
            return null;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return await FetchAsync(installed, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            log.Warning("No other minor version of PostgreSQL beside {Version}: the registry did not answer within {Patience}; its tests are skipped", installed.Version, Patience);
            return null;
        }
    }

    private async Task<ServerBinaries?> FetchAsync(ServerBinaries installed, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.Combine(Cache, "lists", "partial"));
        var package = string.Create(CultureInfo.InvariantCulture, $"postgresql-{installed.Major}");
        var update = await RunAsync("apt-get", ["update"], cancellation);
        var known = await RunAsync("apt-cache", ["madison", package], cancellation);
        var versions = known.Output.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries)).Where(words => words.Length > 1).Select(words => words[1]);
        var other = versions.Where(version => PostgresRelease.Of(version) != PostgresRelease.Of(installed.Version)).MaxBy(PostgresRelease.Of);
        if (other is null)
        {
            log.Warning("No other minor version of PostgreSQL beside {Version}: the registry has none{Why:l}; its tests are skipped", installed.Version, update.Succeeded ? "" : $" ({update.Tail(1)})");
            return null;
        }

        var folder = Path.Combine(Cache, other);
        string[] packages = [$"{package}={other}", $"postgresql-client-{installed.Major}={other}"];
        if (!Directory.Exists(folder) && await UnpackAsync(packages, folder, cancellation) is { } failure)
        {
            log.Warning("PostgreSQL {Other} could not be unpacked beside {Version}; its tests are skipped: {Why:l}", other, installed.Version, failure);
            return null;
        }

        log.Information("PostgreSQL beside the installed {Version}, for the tests: {Packages}, unpacked into {Folder}", installed.Version, string.Join(' ', packages), folder);
        return new ServerBinaries(Path.Combine(folder, "usr", "lib", "postgresql", $"{installed.Major}", "bin"), installed.Major, PostgresRelease.Of(other).ToString());
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
        string[] own = program == "dpkg-deb" ? [] : ["-o", $"Dir::State::lists={Cache}/lists", "-o", $"Dir::Cache={Cache}/apt", "-o", "APT::Sandbox::User=root", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1"];
        return commands.RunAsync(
            new Command { Program = program, Arguments = [.. own, .. arguments], WorkingDirectory = folder, Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["LC_ALL"] = "C.UTF-8" } },
            cancellation: cancellation);
    }
}
