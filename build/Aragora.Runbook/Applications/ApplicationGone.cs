using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Applications;

/// <summary>Waits until a stopped application is gone: no instance, and no session of one in the database.</summary>
/// <param name="run">Clock, log.</param>
/// <param name="options">How long, and how often it is looked.</param>
internal sealed class ApplicationGone(RunContext run, ApplicationOptions options)
{
    private const int MostNamed = 5;

    /// <summary>Waits.</summary>
    /// <param name="parts">What was stopped.</param>
    /// <param name="addresses">The addresses that its instances had.</param>
    /// <param name="maintenance">A session of the maintenance database.</param>
    /// <param name="database">The live database's OID.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="FailedCleanException">It is not gone in time, or somebody started it again.</exception>
    /// <exception cref="PartException">Who runs it did not answer in time.</exception>
    public async Task WaitAsync(IReadOnlyList<IApplicationPart> parts, IReadOnlySet<string> addresses, PostgresSession maintenance, uint database, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        while (true)
        {
            var left = await RemainsAsync(parts, started, cancellation);
            var sessions = await ApplicationSessions.ReadAsync(maintenance, database, addresses, run.RunId, cancellation);
            if (left.Count == 0 && sessions.FromApplication.Count == 0)
            {
                Tell(sessions);
                return;
            }

            if (run.Clock.GetElapsedTime(started) > options.Timeout)
            {
                throw new FailedCleanException(
                    left.Count > 0 ? $"The application did not stop: {Named(left)} {(left.Count == 1 ? "is" : "are")} still there." : $"The application is stopped, and {Measures.Count(sessions.FromApplication.Count, "session")} of it {(sessions.FromApplication.Count == 1 ? "is" : "are")} still in the database.",
                    left.Count > 0 ? $"waited for {Measures.Duration(options.Timeout)}" : $"waited for {Measures.Duration(options.Timeout)}: {Named([.. sessions.FromApplication.Select(session => session.ToString())])}",
                    left.Count > 0 ? "see why they do not end, or repeat the command with a longer --application-timeout" : $"SELECT pg_terminate_backend({sessions.FromApplication[0].ProcessId});   then repeat the command");
            }

            await Task.Delay(options.Interval, run.Clock, cancellation);
        }
    }

    private async Task<IReadOnlyList<string>> RemainsAsync(IReadOnlyList<IApplicationPart> parts, long started, CancellationToken cancellation)
    {
        var left = new List<string>();
        foreach (var part in parts)
        {
            try
            {
                var remains = await part.RemainsAsync(cancellation);
                if (remains.UndoneBy is { } who)
                {
                    throw new FailedCleanException($"{part.Name} was started again while it was to stop.", who, "suspend whoever does that (Argo CD and Flux: --suspend-gitops), then repeat the command");
                }

                left.AddRange(remains.Instances);
            }
            catch (PartException busy) when (busy.IsTransient && run.Clock.GetElapsedTime(started) <= options.Timeout)
            {
                run.Log.Warning("{Part} cannot be looked at, and is asked again: {Why:l}", part.Name, LogText.SingleLine(busy.Message));
                left.Add($"{part.Name} (no answer)");
            }
        }

        return left;
    }

    /// <summary>Of others the fence ends them; whoever reads this knows whom it meets.</summary>
    private void Tell(ApplicationSessions sessions)
    {
        foreach (var other in sessions.Others.Take(MostNamed))
        {
            run.Log.Information("Still in the database, and not of the application's instances: {Session:l}; the fence ends it", other.ToString());
        }

        if (sessions.Others.Count > MostNamed)
        {
            run.Log.Information("… and {Count} more", sessions.Others.Count - MostNamed);
        }
    }

    private static string Named(IReadOnlyList<string> things) =>
        string.Join(", ", things.Take(MostNamed)) + (things.Count > MostNamed ? $" and {things.Count - MostNamed} more" : "");
}
