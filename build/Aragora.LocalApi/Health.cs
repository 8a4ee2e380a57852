using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;

namespace Aragora.LocalApi;

/// <summary>Answers <c>/health</c> (all environments) and <c>/{environment}/health</c> by asking the databases, each time.</summary>
internal sealed class Health(ApiConfiguration configuration, ApiLog log)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> last = new(StringComparer.Ordinal);

    /// <summary>Status code and JSON body; null for a path that is not ours.</summary>
    public async Task<(int Status, string Body)?> AnswerAsync(string path, CancellationToken cancellation)
    {
        switch (path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            case ["health"]:
                var all = await Task.WhenAll(configuration.Databases.Keys.Select(name => AskAsync(name, cancellation)));
                var environments = new JsonObject(all.Select(one => KeyValuePair.Create(one.Name, (JsonNode?)one.Body)));
                var healthy = all.All(one => one.Healthy);
                return (healthy ? 200 : 503, new JsonObject { ["status"] = Status(healthy), ["version"] = configuration.Version, ["environments"] = environments }.ToJsonString());
            case [var name, "health"] when configuration.Databases.ContainsKey(name):
                var answer = await AskAsync(name, cancellation);
                return (answer.Healthy ? 200 : 503, answer.Body.ToJsonString());
            default:
                return null;
        }
    }

    private static string Status(bool healthy) => healthy ? "ok" : "unhealthy";

    private async Task<(string Name, bool Healthy, JsonObject Body)> AskAsync(string name, CancellationToken cancellation)
    {
        var settings = new NpgsqlConnectionStringBuilder(configuration.Databases[name]) { Pooling = false, Timeout = 3, CommandTimeout = 3, ApplicationName = "aragora-local-api" };
        string? revision = null;
        string? error = null;
        try
        {
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand("SELECT string_agg(version_num, ',' ORDER BY version_num) FROM alembic_version", connection);
            revision = await command.ExecuteScalarAsync(cancellation) as string;
            error = revision is null ? "the database has no revision: it was never migrated" : null;
        }
        catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            error = "the database has no table alembic_version: it was never migrated";
        }
        catch (PostgresException refused)
        {
            error = $"the database answered {refused.SqlState}: {refused.MessageText}";
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or SocketException or IOException)
        {
            error = $"the database cannot be reached: {failure.InnerException?.Message ?? failure.Message}";
        }

        Remember(name, error ?? $"ok at {revision}");
        return (name, error is null, new JsonObject
        {
            ["status"] = Status(error is null),
            ["version"] = configuration.Version,
            ["revision"] = revision,
            ["database"] = settings.Database,
            ["error"] = error,
        });
    }

    /// <summary>Only changes are news.</summary>
    private void Remember(string name, string state)
    {
        if (last.GetValueOrDefault(name) != state)
        {
            last[name] = state;
            log.Write($"{name}: {state}");
        }
    }
}
