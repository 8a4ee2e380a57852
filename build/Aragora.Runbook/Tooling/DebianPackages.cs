using Aragora.Runbook.Adapters.Processes;
using Serilog;

namespace Aragora.Runbook.Tooling;

/// <summary>
/// Installs packages of Debian and its kind, and leaves alone what is there: what was asked for is never upgraded, a simulation comes first, and what would replace
/// a part of a running PostgreSQL server, or restart a service that may be at work, is refused. Any other upgrade that a new package wants is said before it is done.
/// </summary>
/// <param name="commands">Runs apt-get and dpkg-query.</param>
/// <param name="log">Where upgrades are said.</param>
public sealed class DebianPackages(ICommandRunner commands, ILogger log)
{
    /// <summary>apt upgrades by itself what comes from the same source as a new package: for postgresql-15 the clients, and with the clients a server.</summary>
    private static readonly string[] Install = ["-o", "APT::Get::Upgrade-By-Source-Package=false", "install", "-y", "--no-install-recommends", "--no-upgrade"];

    /// <summary>Nobody is asked, no configuration is replaced, and no service is restarted behind our back (needrestart).</summary>
    private static readonly Dictionary<string, string?> Variables = new(StringComparer.Ordinal)
    {
        ["DEBIAN_FRONTEND"] = "noninteractive",
        ["UCF_FORCE_CONFFOLD"] = "1",
        ["NEEDRESTART_SUSPEND"] = "1",
        ["LC_ALL"] = "C.UTF-8",
    };

    /// <summary>What is running. Tests replace it.</summary>
    internal Func<IReadOnlyList<RunningProgram>> ReadPrograms { get; init; } = RunningProgram.ReadAll;

    /// <summary>Installs packages, if that disturbs nothing.</summary>
    /// <param name="packages">Their names.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <param name="prepare">What has to be done right before they are installed. Default: nothing.</param>
    /// <returns>Null where they were installed, else why not, and what to do.</returns>
    public async Task<PackageObstacle?> InstallAsync(IReadOnlyList<string> packages, CancellationToken cancellation, Func<CancellationToken, Task>? prepare = null)
    {
        var obstacle = await TryAsync(packages, prepare, cancellation);
        if (obstacle is not { Kind: PackageObstacleKind.Unknown })
        {
            return obstacle;
        }

        log.Information("{Packages:l} cannot be installed as the package lists stand: reading them anew (apt-get update)", string.Join(' ', packages));
        await AptAsync(["update"], cancellation);
        return await TryAsync(packages, prepare, cancellation);
    }

    private async Task<PackageObstacle?> TryAsync(IReadOnlyList<string> packages, Func<CancellationToken, Task>? prepare, CancellationToken cancellation)
    {
        var names = string.Join(' ', packages);
        var simulated = await AptAsync(["--simulate", .. Install, .. packages], cancellation);
        if (!simulated.Succeeded)
        {
            return PackageObstacle.Failed(PackageObstacleKind.Unknown, packages, $"apt-get cannot install {names}: {Words(simulated)}");
        }

        var plan = PackagePlan.Parse(simulated.Output);
        if (plan.IsEmpty)
        {
            return PackageObstacle.OutOfSight(packages);
        }

        if (await HarmAsync(plan, cancellation) is { } harm)
        {
            return PackageObstacle.Refused(packages, harm);
        }

        if (plan.Upgrades.Count > 0)
        {
            log.Warning("Installing {Packages:l} upgrades {Upgrades:l}, of which no running server uses a file", names, string.Join(", ", plan.Upgrades));
        }

        await (prepare?.Invoke(cancellation) ?? Task.CompletedTask);
        var installed = await AptAsync([.. Install, "--no-remove", .. packages], cancellation);
        return installed.Succeeded ? null : PackageObstacle.Failed(
            installed.Error.Contains("to fetch", StringComparison.Ordinal) ? PackageObstacleKind.Unknown : PackageObstacleKind.Failed,
            packages,
            $"apt-get install {names} failed with {installed.ExitCode}: {Words(installed)}");
    }

    private static string Words(CommandResult result) => result.Tail(3).ReplaceLineEndings(" ");

    /// <summary>What must not be done; null for nothing.</summary>
    private async Task<string?> HarmAsync(PackagePlan plan, CancellationToken cancellation) =>
        (plan.Upgrades.Count > 0 ? await DisturbedAsync(plan.Upgrades, cancellation) : null)
        ?? (plan.Removals.Count > 0 ? $"remove {string.Join(", ", plan.Removals)}" : null);

    private async Task<string?> DisturbedAsync(IReadOnlyList<PackageUpgrade> upgrades, CancellationToken cancellation)
    {
        var dpkg = new PackageOwners(commands);
        var programs = ReadPrograms();
        var owners = await dpkg.OwnersAsync(programs.SelectMany(program => program.Files).ToHashSet(StringComparer.Ordinal), cancellation);
        var users = programs.Select(program => (Program: program, Packages: program.Files.SelectMany(owners.Of).ToHashSet(StringComparer.Ordinal))).ToList();
        var serverRuns = programs.Any(program => program.IsServer);
        foreach (var upgrade in upgrades)
        {
            var user = users.Where(user => user.Packages.Contains(upgrade.Name)).OrderByDescending(user => user.Program.IsServer).FirstOrDefault().Program;
            if (user is { IsServer: true })
            {
                return $"upgrade {upgrade}, which the running server {user.Path} (process {user.Pid}) uses";
            }

            if ((user is not null || serverRuns) && await dpkg.HasServiceAsync(upgrade.Name, cancellation))
            {
                return $"upgrade {upgrade}, and restart its service {(user is null ? "while a PostgreSQL server runs" : $"with {user.Path} (process {user.Pid})")}";
            }
        }

        return null;
    }

    private Task<CommandResult> AptAsync(IReadOnlyList<string> arguments, CancellationToken cancellation) => commands.RunAsync(
        new Command
        {
            Program = "apt-get",
            Arguments = ["-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold", .. arguments],
            Environment = Variables,
            Grace = TimeSpan.FromMinutes(2), // dpkg that is killed halfway leaves a machine to repair
        },
        (line, _) => log.Debug("apt-get: {Line}", line),
        cancellation);
}
