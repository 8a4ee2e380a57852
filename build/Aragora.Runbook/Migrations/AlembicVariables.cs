using System.Globalization;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Tooling;

namespace Aragora.Runbook.Migrations;

/// <summary>The environment of an Alembic child: the only way by which the database, its password and the timeouts reach it.</summary>
public static class AlembicVariables
{
    /// <summary>The variables of one run.</summary>
    /// <param name="project">Says which variables get the URL, and with which scheme.</param>
    /// <param name="database">The database.</param>
    /// <param name="budget">Goes into <c>ARAGORA_*_TIMEOUT</c>, which our <c>env.py</c> reads, and into <c>PGOPTIONS</c>, which libpq obeys in any tree.</param>
    /// <param name="applicationName">The session's name.</param>
    public static IReadOnlyDictionary<string, string?> For(AlembicProject project, PostgresUrl database, LockBudget budget, string applicationName)
    {
        var limits = Limits(budget, applicationName);
        var ours = limits["PGOPTIONS"];
        var theirs = database.Options.GetValueOrDefault("options");
        var options = string.IsNullOrEmpty(theirs) ? ours : $"{theirs} {ours}";

        var variables = LibpqVariables.For(database, applicationName);
        foreach (var (name, value) in PythonEnvironment.Variables)
        {
            variables[name] = value;
        }

        foreach (var (name, value) in limits)
        {
            variables[name] = value;
        }

        variables["PGOPTIONS"] = options;
        var url = Url(project.UrlScheme, database, options, applicationName);
        foreach (var variable in project.UrlVariables)
        {
            variables[variable] = url;
        }

        return variables;
    }

    /// <summary>Name and timeouts of the migration's session alone, for an Alembic that gets its database from elsewhere, as in a cluster.</summary>
    /// <param name="budget">As above.</param>
    /// <param name="applicationName">The session's name.</param>
    public static IReadOnlyDictionary<string, string> Limits(LockBudget budget, string applicationName)
    {
        var timeouts = new (string Variable, string Setting, TimeSpan Value)[]
        {
            ("ARAGORA_LOCK_TIMEOUT", "lock_timeout", budget.LockTimeout),
            ("ARAGORA_STATEMENT_TIMEOUT", "statement_timeout", budget.StatementTimeout),
            ("ARAGORA_IDLE_IN_TRANSACTION_TIMEOUT", "idle_in_transaction_session_timeout", budget.IdleInTransactionTimeout),
        };
        var variables = timeouts.ToDictionary(timeout => timeout.Variable, timeout => Milliseconds(timeout.Value), StringComparer.Ordinal);
        variables["PGOPTIONS"] = string.Join(' ', timeouts.Select(timeout => $"-c {timeout.Setting}={Milliseconds(timeout.Value)}"));
        variables["PGAPPNAME"] = applicationName;
        variables["ARAGORA_APPLICATION_NAME"] = applicationName;
        return variables;
    }

    /// <summary>The URL as SQLAlchemy and libpq both read it.</summary>
    private static string Url(string scheme, PostgresUrl database, string options, string applicationName)
    {
        var isAsyncpg = scheme.EndsWith("+asyncpg", StringComparison.Ordinal);
        var query = new Dictionary<string, string>(StringComparer.Ordinal);

        // asyncpg takes libpq's options from the environment, and stumbles over most of them in an SQLAlchemy URL.
        if (!isAsyncpg)
        {
            foreach (var (name, value) in database.Options)
            {
                query[name] = name switch
                {
                    // What stands in the URL overrules the environment.
                    "options" => options,
                    "application_name" => applicationName,
                    _ => value,
                };
            }
        }

        var plain = Uri.EscapeDataString(database.Database) == database.Database;
        if (plain)
        {
            return (database with { Options = query }).ToSecretUrl(scheme);
        }

        // SQLAlchemy does not decode the path, libpq does; both decode the query.
        query[isAsyncpg ? "database" : "dbname"] = database.Database;
        return (database with { Database = "", Options = query }).ToSecretUrl(scheme);
    }

    private static string Milliseconds(TimeSpan timeout) => ((long)Math.Ceiling(timeout.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture);
}
