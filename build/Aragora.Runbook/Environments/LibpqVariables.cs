namespace Aragora.Runbook.Environments;

/// <summary>libpq's variables for a child that connects to one database: what its URL says, and nothing that happens to be set in someone's shell.</summary>
public static class LibpqVariables
{
    /// <summary>Each of these would lead to another server or role, weaken the connection, or change what a session reads and writes (PostgreSQL 18 documentation, 34.15 "Environment Variables"). Files of certificates are not among them: like <c>~/.pgpass</c> they say who we are, not where we go.</summary>
    private static readonly string[] NotInherited =
    [
        "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR",
        "PGOPTIONS", "PGAPPNAME", "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS",
        "PGREQUIREAUTH", "PGREQUIREPEER", "PGCHANNELBINDING", "PGGSSENCMODE", "PGREQUIRESSL",
        "PGSSLMODE", "PGSSLNEGOTIATION", "PGSSLCOMPRESSION", "PGSSLMINPROTOCOLVERSION", "PGSSLMAXPROTOCOLVERSION", "PGMINPROTOCOLVERSION", "PGMAXPROTOCOLVERSION",
        "PGCLIENTENCODING", "PGDATESTYLE", "PGTZ", "PGGEQO",
    ];

    /// <summary>The variables; null removes one that is inherited. The URL's password is not among them.</summary>
    /// <param name="url">The database. Where it has no password, the child finds one as libpq does: <c>PGPASSWORD</c>, <c>PGPASSFILE</c>, <c>~/.pgpass</c>. Where it has one, the first two are removed: they hold another's.</param>
    /// <param name="applicationName">The name of the child's sessions.</param>
    public static Dictionary<string, string?> For(PostgresUrl url, string applicationName)
    {
        var variables = NotInherited.ToDictionary(name => name, string? (_) => null, StringComparer.Ordinal);
        if (url.Password is not null)
        {
            variables["PGPASSWORD"] = null;
            variables["PGPASSFILE"] = null;
        }

        foreach (var (name, value) in url.ToLibpqEnvironment())
        {
            variables[name] = value;
        }

        variables["PGAPPNAME"] = applicationName;
        return variables;
    }
}
