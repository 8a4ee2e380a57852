using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Snapshots;

/// <summary>Reads production back through its URL after the names were exchanged, until the server that was looked into before is the one that answers.</summary>
/// <param name="run">Clock and log.</param>
/// <param name="options">Patience: names are remembered for a while by whoever looked them up.</param>
internal sealed class SwitchedDatabase(RunContext run, RdsOptions options)
{
    private const string Address = "SELECT pg_catalog.inet_server_addr()::text || ':' || pg_catalog.inet_server_port()::text";

    public async Task<DatabaseFacts> ReadBackAsync(DatabaseEnvironment environment, RestoredDatabase seen, string keptAs)
    {
        var started = run.Clock.GetTimestamp();
        while (true)
        {
            var last = await LookAsync(environment, seen);
            if (last.Facts is { } facts)
            {
                return facts;
            }

            if (run.Clock.GetElapsedTime(started) > options.ConnectPatience)
            {
                throw new NeedsPersonException(
                    $"The names are exchanged, and {environment.UrlVariable} does not lead to the restored database.",
                    $"{last.Why}; the old instance is kept as {keptAs}",
                    $"see whether {environment.Database.Host} is a name of {options.InstanceIdentifier}'s endpoint; then repeat the command, which reads it back again");
            }

            await Task.Delay(options.PollInterval < TimeSpan.FromSeconds(2) ? options.PollInterval : TimeSpan.FromSeconds(2), run.Clock, CancellationToken.None);
        }
    }

    private async Task<(DatabaseFacts? Facts, string Why)> LookAsync(DatabaseEnvironment environment, RestoredDatabase seen)
    {
        var live = options.Live(environment);
        try
        {
            await using var session = await PostgresSession.OpenAsync(live, "aragora-inspect", cancellation: CancellationToken.None);
            var address = await session.ScalarAsync<string>(Address, CancellationToken.None);
            var facts = await DatabaseInspector.ReadAsync(session, live, CancellationToken.None);
            return address != seen.ServerAddress ? (null, $"the server {address} answers there, and the restored one is {seen.ServerAddress}")
                : !facts.Revisions.Order(StringComparer.Ordinal).SequenceEqual(seen.Facts.Revisions.Order(StringComparer.Ordinal), StringComparer.Ordinal) ? (null, $"it is at {facts.Revisions.Named()} instead of {seen.Facts.Revisions.Named()}")
                : (facts with { Identity = facts.Identity with { Endpoint = environment.Database.Endpoint } }, "");
        }
        catch (Exception unreachable) when (unreachable is BadInputException or NpgsqlException)
        {
            return (null, LogText.SingleLine(unreachable is RunbookException told ? told.Why : unreachable.Message));
        }
    }
}
