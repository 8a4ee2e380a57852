using Aragora.Runbook.Adapters.Postgres;
using Npgsql;
using Serilog;

namespace Aragora.Runbook.Guards;

/// <summary>The lock while it is held. Disposing releases it.</summary>
public sealed class SingleFlightLease : IAsyncDisposable
{
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(10);
    private readonly PostgresSession session;
    private readonly long key;
    private readonly string question;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly Task heartbeat;

    internal SingleFlightLease(PostgresSession session, long key, string question, TimeSpan interval, TimeProvider clock, ILogger log)
    {
        (this.session, this.key, this.question, this.clock, this.log) = (session, key, question, clock, log);
        ProcessId = session.ProcessId;
        heartbeat = BeatAsync(interval);
    }

    /// <summary>The server process that holds the lock.</summary>
    public int ProcessId { get; }

    /// <summary>Cancelled when the session or its lock is gone: whatever it guards has to end.</summary>
    public CancellationToken Lost => lost.Token;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await heartbeat;
        if (!lost.IsCancellationRequested)
        {
            try
            {
                // Said and answered before the connection closes, so that the next run finds the lock free.
                await session.ExecuteAsync("SELECT pg_advisory_unlock($1)", CancellationToken.None, key);
            }
            catch (Exception gone) when (gone is NpgsqlException or IOException)
            {
                log.Debug(gone, "The guarding session was gone before it was released");
            }
        }

        await session.DisposeAsync();
        lost.Dispose();
        stopping.Dispose();
    }

    private async Task BeatAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                using var patience = new CancellationTokenSource(LongestAnswer, clock);
                if (await session.ScalarAsync<int>(question, patience.Token, key) == 0)
                {
                    log.Error("The lock that guards this migration is gone, though its session is not");
                    await lost.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Released; the end of a lease.
        }
        catch (Exception gone) when (gone is NpgsqlException or OperationCanceledException or IOException or InvalidOperationException)
        {
            log.Error(gone, "The session that guards this migration is gone (server process {ProcessId}); what it guards is cancelled", ProcessId);
            await lost.CancelAsync();
        }
    }
}
