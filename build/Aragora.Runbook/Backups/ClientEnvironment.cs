using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Backups;

/// <summary>The environment of <c>pg_dump</c> and <c>pg_restore</c>: what was named, and nothing that happens to be set in someone's shell.</summary>
public static class ClientEnvironment
{
    /// <summary>Messages in English and without colours, whatever the locale: they are read by us.</summary>
    public static IReadOnlyDictionary<string, string?> Messages { get; } = new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["LC_ALL"] = "C",
        ["LANGUAGE"] = null,
        ["PG_COLOR"] = "never",
    };

    /// <summary>Variables for a client that connects. The password comes from the file, else from what libpq finds by itself (<c>PGPASSWORD</c>, <c>PGPASSFILE</c>, <c>~/.pgpass</c>).</summary>
    public static IReadOnlyDictionary<string, string?> For(PostgresUrl url, PasswordFile? password, string applicationName)
    {
        var variables = LibpqVariables.For(url, applicationName);
        foreach (var (name, value) in Messages)
        {
            variables[name] = value;
        }

        if (password is not null)
        {
            variables["PGPASSWORD"] = null; // It would win over the file.
            variables["PGPASSFILE"] = password.Path;
        }

        return variables;
    }

    /// <summary>
    /// The value of <c>--dbname</c>: a conninfo that holds the name and nothing else. A bare name with <c>=</c> in it, or one that starts with
    /// <c>postgresql://</c>, would be read as a conninfo itself, and lead elsewhere.
    /// </summary>
    public static string DatabaseArgument(PostgresUrl url) =>
        "dbname='" + url.Database.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal) + "'";
}
