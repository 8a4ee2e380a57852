using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Guards;

/// <summary>The database beside the one that is migrated: <c>postgres</c>, else <c>template1</c>. What watches and guards lives there.</summary>
public static class MaintenanceDatabase
{
    private static readonly string[] Names = ["postgres", "template1"];

    /// <summary>Opens a session there.</summary>
    /// <exception cref="BadInputException">The server cannot be reached, or neither database lets the role in.</exception>
    public static async Task<PostgresSession> OpenAsync(DatabaseEnvironment environment, string applicationName, CancellationToken cancellation)
    {
        var refusals = new List<BadInputException>();
        foreach (var name in Names)
        {
            try
            {
                return await PostgresSession.OpenAsync(environment, applicationName, name, cancellation: cancellation);
            }
            catch (BadInputException refused) when (refused.InnerException is PostgresException { SqlState: not "28P01" and not "53300" and not "57P03" })
            {
                refusals.Add(refused);
            }
        }

        var url = environment.Database;
        throw new BadInputException(
            $"Neither the database \"postgres\" nor \"template1\" at {environment.Endpoint} lets role \"{url.User}\" in.",
            $"{refusals[^1].Why}; one of them is needed to see that only one migration runs at a time (a connection pooler often does not list them)",
            $"connect to the server directly and not through a pooler, or GRANT CONNECT ON DATABASE postgres TO \"{url.User.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
    }
}
