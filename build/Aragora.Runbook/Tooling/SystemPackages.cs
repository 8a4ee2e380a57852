using Aragora.Runbook.Adapters.Processes;
using Serilog;

namespace Aragora.Runbook.Tooling;

/// <summary>The distribution's packages with Alembic and pytest, where we are root and it is Debian or one of its kind.</summary>
internal sealed class SystemPackages(ICommandRunner commands, ILogger log, PythonToolsOptions options)
{
    private static readonly string[] Packages = ["alembic", "python3-psycopg2", "python3-pytest"];

    /// <summary>What came of it, for a message.</summary>
    public string Outcome { get; private set; } = "the system's packages were not tried";

    /// <summary>What to do about it, where it is not to install them by hand.</summary>
    public string? Next { get; private set; }

    /// <summary>Installs them; false where that is not possible, or would disturb what runs.</summary>
    public async Task<bool> InstallAsync(CancellationToken cancellation)
    {
        if (!options.MayInstallSystemPackages)
        {
            Outcome = "the system's packages need root";
            return false;
        }

        if (!options.SearchPath.Any(folder => File.Exists(Path.Combine(folder, "apt-get"))))
        {
            Outcome = "there is no apt-get";
            return false;
        }

        log.Information("Installing the system's packages {Packages}", string.Join(' ', Packages));
        var obstacle = await new DebianPackages(commands, log).InstallAsync(Packages, cancellation);
        (Outcome, Next) = obstacle is null ? ("the system's packages were installed and do not work", null) : (obstacle.Why, obstacle.Kind == PackageObstacleKind.Refused ? obstacle.Next : null);
        return obstacle is null;
    }
}
