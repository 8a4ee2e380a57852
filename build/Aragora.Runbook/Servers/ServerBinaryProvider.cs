using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Journal;

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

    /// <summary>The programs of this major version (null: the newest there are), if need be installed; null where there are none and none can be installed.</summary>
    public async Task<ServerBinaries?> FindOrInstallAsync(int? major, CancellationToken cancellation)
    {
        if (await FindAsync(major, cancellation) is { } found)
        {
            return found;
        }

        if (!MayInstall)
        {
            return null;
        }

        var package = major is null ? "postgresql" : $"postgresql-{major}";
        run.Log.Information("No PostgreSQL server programs are on this machine: installing the Debian package {Package} (its own cluster is not made)", package);
        var installed = await run.Journal.ActAsync($"install {package}", new { package }, () => InstallAsync(package, cancellation));
        return installed ? await FindAsync(major, cancellation) : null;
    }

    /// <summary>What a person can type to get the programs, on each platform.</summary>
    public static string HowToInstall(int? major) =>
        OperatingSystem.IsMacOS() ? $"brew install postgresql@{major ?? 17}"
        : OperatingSystem.IsWindows() ? $"winget install PostgreSQL.PostgreSQL.{major ?? 17}"
        : $"sudo apt-get install postgresql{(major is null ? "" : $"-{major}")}   (Debian, Ubuntu), sudo dnf install postgresql{major}-server   (Fedora, Red Hat), or start Docker; then repeat the command";

    /// <summary>The arguments of one installation: answers nothing, replaces no configuration, waits two minutes for another package manager.</summary>
    internal static IReadOnlyList<string> InstallArguments(string package) =>
        ["-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold", "install", "-y", "--no-install-recommends", package];

    private async Task<ServerBinaries?> FindAsync(int? major, CancellationToken cancellation) =>
        (await FindAllAsync(cancellation)).FirstOrDefault(binaries => major is null || binaries.Major == major);

    private async Task<bool> InstallAsync(string package, CancellationToken cancellation)
    {
        if (!File.Exists(ClusterConfiguration))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(ClusterConfiguration)!);
            await File.WriteAllTextAsync(ClusterConfiguration, "# Written by the Aragora build: it makes throwaway servers of its own.\ncreate_main_cluster = false\n", cancellation);
        }

        var result = await AptAsync(InstallArguments(package), cancellation);
        if (!result.Succeeded)
        {
            run.Log.Information("The package lists may be missing or old: apt-get update");
            await AptAsync(["-o", "DPkg::Lock::Timeout=120", "update"], cancellation);
            result = await AptAsync(InstallArguments(package), cancellation);
        }

        if (!result.Succeeded)
        {
            run.Log.Warning("apt-get install {Package} failed with {ExitCode}: {Tail}", package, result.ExitCode, result.Tail(5));
        }

        return result.Succeeded;
    }

    private Task<CommandResult> AptAsync(IReadOnlyList<string> arguments, CancellationToken cancellation) =>
        commands.RunAsync(
            new Command
            {
                Program = "apt-get",
                Arguments = arguments,
                Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["DEBIAN_FRONTEND"] = "noninteractive", ["UCF_FORCE_CONFFOLD"] = "1", ["LC_ALL"] = "C.UTF-8" },
                Grace = TimeSpan.FromMinutes(2), // dpkg that is killed halfway leaves a machine to repair
            },
            (line, _) => run.Log.Debug("apt-get: {Line}", line),
            cancellation);
}
