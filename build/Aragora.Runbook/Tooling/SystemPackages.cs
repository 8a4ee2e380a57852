using Aragora.Runbook.Adapters.Processes;
using Serilog;

namespace Aragora.Runbook.Tooling;

/// <summary>The distribution's packages, where we are root and it is Debian or one of its kind.</summary>
internal sealed class SystemPackages(ICommandRunner commands, ILogger log, PythonToolsOptions options)
{
    private static readonly string[] Packages = ["alembic", "python3-psycopg2", "python3-pytest"];
    private static readonly Dictionary<string, string?> Variables = new(StringComparer.Ordinal) { ["DEBIAN_FRONTEND"] = "noninteractive" };

    /// <summary>What came of it, for a message.</summary>
    public string Outcome { get; private set; } = "the system's packages were not tried";

    /// <summary>Installs them; false where that is not possible, which is told in the log.</summary>
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
        var result = await AptAsync(["install", "-y", "--no-install-recommends", .. Packages], cancellation);
        if (!result.Succeeded)
        {
            log.Information("Not found at once; reading the package lists anew");
            await AptAsync(["update"], cancellation);
            result = await AptAsync(["install", "-y", "--no-install-recommends", .. Packages], cancellation);
        }

        Outcome = result.Succeeded ? "the system's packages were installed and do not work" : $"apt-get failed: {result.Tail(2).ReplaceLineEndings(" ")}";
        return result.Succeeded;
    }

    private Task<CommandResult> AptAsync(IReadOnlyList<string> arguments, CancellationToken cancellation) =>
        commands.RunAsync(new Command { Program = "apt-get", Arguments = ["-o", "DPkg::Lock::Timeout=300", .. arguments], Environment = Variables }, cancellation: cancellation);
}
