using System.Data.Common;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Adapters.Postgres;

/// <summary>One unpooled connection. Nothing of the domain; every failure to connect becomes a message for people.</summary>
public sealed class PostgresSession : IAsyncDisposable
{
    private PostgresSession(NpgsqlConnection connection) => Connection = connection;

    /// <summary>Npgsql's connection, for what the short forms below do not cover.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>The server's version.</summary>
    public Version ServerVersion => Connection.PostgreSqlVersion;

    /// <summary>The server process of this session.</summary>
    public int ProcessId => Connection.ProcessID;

    /// <summary>How long a statement may take, as this side sees it. Default: zero, no end.</summary>
    public TimeSpan StatementPatience { get; set; } = TimeSpan.Zero;

    /// <summary>Opens a session.</summary>
    /// <param name="environment">Whose database it is, for messages.</param>
    /// <param name="applicationName">Shown in <c>pg_stat_activity</c>; all of ours begin with <c>aragora-</c>.</param>
    /// <param name="database">Another database on the same server, such as <c>postgres</c>; null for the environment's own.</param>
    /// <param name="settings">Settings of the session, sent with the connection, such as <c>lock_timeout</c>.</param>
    /// <param name="connectTimeout">Default: 10 seconds.</param>
    /// <param name="cancellation">Cancels the connecting.</param>
    /// <exception cref="BadInputException">The server cannot be reached or refuses the login; the message says which, and never holds the password.</exception>
    public static async Task<PostgresSession> OpenAsync(
        DatabaseEnvironment environment,
        string applicationName,
        string? database = null,
        IReadOnlyDictionary<string, string>? settings = null,
        TimeSpan? connectTimeout = null,
        CancellationToken cancellation = default)
    {
        var connection = new NpgsqlConnection(ConnectionStrings.Build(environment.Database, applicationName, database, settings, connectTimeout ?? TimeSpan.FromSeconds(10)));
        try
        {
            await connection.OpenAsync(cancellation);
            return new PostgresSession(connection);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or ArgumentException or IOException)
        {
            await connection.DisposeAsync();
            throw ConnectionFailures.Explain(environment, database ?? environment.Database.Database, failure);
        }
    }

    /// <summary>Runs a statement; parameters are positional (<c>$1</c>). No timeout but the server's, unless <see cref="StatementPatience"/> sets one: a DDL may take hours.</summary>
    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellation, params object?[] parameters)
    {
        await using var command = Prepare(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>The first column of the first row; default where there is none or it is null.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, CancellationToken cancellation, params object?[] parameters)
    {
        await using var command = Prepare(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) && !await reader.IsDBNullAsync(0, cancellation) ? await reader.GetFieldValueAsync<T>(0, cancellation) : default;
    }

    /// <summary>Every row, mapped.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> map, CancellationToken cancellation, params object?[] parameters)
    {
        await using var command = Prepare(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellation))
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    private NpgsqlCommand Prepare(string sql, object?[] parameters)
    {
        var command = new NpgsqlCommand(sql, Connection) { CommandTimeout = (int)StatementPatience.TotalSeconds };
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter ?? DBNull.Value });
        }

        return command;
    }
}
