using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Tooling;

namespace Aragora.Runbook.Servers;

/// <summary>PostgreSQL's server programs: found on this machine, or installed from Debian's packages when we are root.</summary>
public sealed class ServerBinaryProvider(RunContext run, ICommandRunner commands)
{
    /// <summary>Debian's packages make and start a cluster of their own when they are installed, unless this file says otherwise.</summary>
    private const string ClusterConfiguration = "/etc/postgresql-common/createcluster.conf";

    /// <summary>Whether we may install: root, and a Debian kind of system. Tests replace it.</summary>
    internal bool MayInstall { get; init; } = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && File.Exists("/usr/bin/apt-get");

    /// <summary>Where the programs are looked for. Tests replace it.</summary>
    internal Func<CancellationToken, Task<IReadOnlyList<ServerBinaries>>> FindAllAsync { get; init; } = cancellation => ServerBinaries.FindAllAsync(commands, cancellation);

    private readonly Dictionary<string, PackageObstacle> obstacles = new(StringComparer.Ordinal);

    /// <summary>Why the programs of this major version were not installed, which is not tried twice; null where it was not tried, or they were.</summary>
    public PackageObstacle? ObstacleTo(int? major) => obstacles.GetValueOrDefault(PackageOf(major));

    /// <summary>The programs of this major version (null: the newest there are), if need be installed; null where there are none and none can be installed.</summary>
    public async Task<ServerBinaries?> FindOrInstallAsync(int? major, CancellationToken cancellation)
    {
        if (await FindAsync(major, cancellation) is { } found)
        {
            return found;
        }

        if (!MayInstall || ObstacleTo(major) is not null)
        {
            return null;
        }

        var package = PackageOf(major);
        run.Log.Information("No PostgreSQL server programs are on this machine: installing the Debian package {Package} (its own cluster is not made)", package);
        var debian = new DebianPackages(commands, run.Log);
        var outcome = await run.Journal.ActAsync($"install {package}", new { package }, async () => new { Obstacle = await debian.InstallAsync([package], cancellation, RefuseClusterAsync) });
        if (outcome.Obstacle is not { } obstacle)
        {
            return await FindAsync(major, cancellation);
        }

        obstacles[package] = obstacle;
        run.Log.Warning("{Package} was not installed: {Why:l}", package, obstacle.Why);
        return null;
    }

    /// <summary>What a person can type to get the programs, on each platform.</summary>
    public static string HowToInstall(int? major) =>
        OperatingSystem.IsMacOS() ? $"brew install postgresql@{major ?? 17}"
        : OperatingSystem.IsWindows() ? $"winget install PostgreSQL.PostgreSQL.{major ?? 17}"
        : $"sudo apt-get install --no-upgrade {PackageOf(major)}   (Debian, Ubuntu), sudo dnf install postgresql{major}-server   (Fedora, Red Hat), or start Docker; then repeat the command";

    /// <summary>The programs of this major version (null: the newest there are); null where there are none.</summary>
    public async Task<ServerBinaries?> FindAsync(int? major, CancellationToken cancellation) =>
        (await FindAllAsync(cancellation)).FirstOrDefault(binaries => major is null || binaries.Major == major);

    private static string PackageOf(int? major) => major is null ? "postgresql" : $"postgresql-{major}";

    private static async Task RefuseClusterAsync(CancellationToken cancellation)
    {
        if (!File.Exists(ClusterConfiguration))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(ClusterConfiguration)!);
            await File.WriteAllTextAsync(ClusterConfiguration, "# Written by the Aragora build: it makes throwaway servers of its own.\ncreate_main_cluster = false\n", cancellation);
        }
    }
}
