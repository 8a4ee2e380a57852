using System.Collections.Concurrent;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;
using Serilog;

namespace Aragora.Runbook.Tooling;

/// <inheritdoc cref="IPythonTools"/>
/// <remarks>What was found is remembered as long as this object lives.</remarks>
public sealed class PythonTools(ICommandRunner commands, ILogger log, PythonToolsOptions options) : IPythonTools, IDisposable
{
    private readonly PythonCandidates candidates = new(commands, options);
    private readonly VirtualEnvironment virtualEnvironment = new(commands, log, options);
    private readonly SystemPackages systemPackages = new(commands, log, options);
    private readonly ConcurrentDictionary<string, PythonTool> found = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim gate = new(1, 1);

    /// <inheritdoc/>
    public Task<PythonTool> AlembicAsync(CancellationToken cancellation) => GetAsync("alembic", cancellation);

    /// <inheritdoc/>
    public Task<PythonTool> PytestAsync(CancellationToken cancellation) => GetAsync("pytest", cancellation);

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    private async Task<PythonTool> GetAsync(string module, CancellationToken cancellation)
    {
        if (found.TryGetValue(module, out var known))
        {
            return known;
        }

        await gate.WaitAsync(cancellation);
        try
        {
            return found.TryGetValue(module, out known) ? known : found[module] = await FindAsync(module, cancellation);
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task<PythonTool> FindAsync(string module, CancellationToken cancellation)
    {
        if (await InstalledAsync(module, "on the PATH", cancellation) is { } installed)
        {
            return installed;
        }

        log.Information("There is no {Module} with a PostgreSQL driver on the PATH", module);
        if (await virtualEnvironment.EnsureAsync(candidates.Interpreters(module), cancellation) is { } interpreter)
        {
            if (await candidates.TryAsync(interpreter, module, "virtual environment", cancellation) is { } inVirtualEnvironment)
            {
                return inVirtualEnvironment;
            }

            log.Warning("The virtual environment of {Requirements} holds no {Module} with a PostgreSQL driver", virtualEnvironment.RequirementsFile, module);
        }

        if (await systemPackages.InstallAsync(cancellation) && await InstalledAsync(module, "system packages", cancellation) is { } fromPackages)
        {
            return fromPackages;
        }

        throw new BadInputException(
            $"{(module == "alembic" ? "Alembic" : module)} with a PostgreSQL driver is not on this machine, and could not be installed.",
            $"not on the PATH, {virtualEnvironment.Outcome}, {systemPackages.Outcome}",
            $"{systemPackages.Next ?? (module == "alembic" ? "apt-get install alembic python3-psycopg2" : "apt-get install python3-pytest python3-psycopg2")}   or: python3 -m pip install {module} psycopg2-binary");
    }

    private async Task<PythonTool?> InstalledAsync(string module, string origin, CancellationToken cancellation)
    {
        foreach (var interpreter in candidates.Interpreters(module))
        {
            if (await candidates.TryAsync(interpreter, module, origin, cancellation) is { } tool)
            {
                log.Debug("{Module} {Version} with {Driver}: {Interpreter} ({Origin})", tool.Module, tool.Version, tool.Driver, tool.Interpreter, tool.Origin);
                return tool;
            }
        }

        return null;
    }
}
