using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Npgsql;

namespace Aragora.Runbook.Servers;

/// <summary>Asks a throwaway server a real query: that a port is open says nothing.</summary>
internal static class ServerProbe
{
    /// <summary>Whether it answers now, to our own password.</summary>
    public static async Task<bool> AnswersAsync(PostgresUrl url, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(ConnectionStrings.Build(url, "aragora-probe", database: null, settings: null, TimeSpan.FromSeconds(5)));
        try
        {
            await connection.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand("SELECT 1", connection) { CommandTimeout = 5 };
            return await command.ExecuteScalarAsync(cancellation) is 1;
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or IOException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    /// <summary>Asks until it answers, <paramref name="isAlive"/> says that it never will, or <paramref name="patience"/> is over.</summary>
    public static async Task<bool> WaitAsync(PostgresUrl url, TimeSpan patience, Func<Task<bool>> isAlive, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await AnswersAsync(url, cancellation))
        {
            if (TimeProvider.System.GetElapsedTime(started) > patience || !await isAlive())
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellation);
        }

        return true;
    }
}
