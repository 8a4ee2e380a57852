using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>Runs that stop and start an application, each as a run of its own, on a database that nobody restores.</summary>
internal sealed class StopScenario(DatabaseEnvironment environment)
{
    public List<string> Lines { get; } = [];

    public static async Task<StopScenario> NewAsync(RealServer server) => new(await server.NewDatabaseAsync());

    public DatabaseEnvironment Environment => environment;

    /// <summary>A run; those of one root see each other's journals.</summary>
    public RunContext NewRun(RunContext? sharing = null)
    {
        var run = RealServer.NewRun(LogLines.To(Lines));
        if (sharing is null)
        {
            return run;
        }

        var folder = Path.Combine(Path.GetDirectoryName(sharing.Folder)!, run.RunId);
        return run with { Root = sharing.Root, Folder = folder, Journal = new RunJournal(Path.Combine(folder, "journal.ndjson"), run.Secrets, run.Clock) };
    }

    public ApplicationControl Control(RunContext run, IApplicationPart part, ApplicationOptions? options = null) => new(run, environment, [part], options ?? ClusterBench.Quick);

    public async Task StopAsync(ApplicationControl control, RunContext run, CancellationToken cancellation = default)
    {
        await using var maintenance = await MaintenanceDatabase.OpenAsync(environment, "aragora-swap-" + run.RunId, cancellation);
        var oid = await maintenance.ScalarAsync<uint>("SELECT oid FROM pg_database WHERE datname = $1", cancellation, environment.Database.Database);
        await control.StopAsync(maintenance, oid, cancellation);
    }

    public string Log()
    {
        lock (Lines)
        {
            return string.Join('\n', Lines);
        }
    }
}
