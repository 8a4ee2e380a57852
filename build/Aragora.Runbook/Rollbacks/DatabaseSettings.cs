using System.Globalization;
using System.Text;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>What belongs to a database and is in no dump of its content: grants on it, settings of it and of roles in it, its limit, whether it is a template.</summary>
/// <param name="Grants">Entries of its grants, in words, sorted; who granted them does not count.</param>
/// <param name="Settings">Its settings, in words, sorted.</param>
/// <param name="ConnectionLimit">-1 for none.</param>
/// <param name="IsTemplate">Whether it is a template.</param>
/// <param name="Owner">Its owner.</param>
public sealed record DatabaseSettings(IReadOnlyList<DatabaseGrant> Grants, IReadOnlyList<DatabaseSetting> Settings, int ConnectionLimit, bool IsTemplate, string Owner)
{
    private const string GrantEntries =
        """
        SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END, x.privilege_type, x.is_grantable
        FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
        WHERE d.oid::bigint = $1
        ORDER BY 1, 2, 3
        """;

    private const string SettingEntries =
        """
        SELECT CASE WHEN s.setrole = 0 THEN NULL ELSE pg_get_userbyid(s.setrole)::text END, split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
        FROM pg_db_role_setting s, unnest(s.setconfig) WITH ORDINALITY AS entries (c, place)
        WHERE s.setdatabase::bigint = $1
        ORDER BY s.setrole, place
        """;

    // Their value is a list of quoted names; pg_dump knows the same ones.
    private static readonly HashSet<string> QuotedLists = new(StringComparer.OrdinalIgnoreCase)
    {
        "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
    };

    /// <summary>Reads those of a database.</summary>
    public static async Task<DatabaseSettings> ReadAsync(PostgresSession maintenance, ServerDatabase database, CancellationToken cancellation)
    {
        var grants = await maintenance.QueryAsync(GrantEntries, row => new DatabaseGrant(row.GetString(0), row.GetString(1), row.GetBoolean(2)), cancellation, (long)database.Oid);
        var settings = await maintenance.QueryAsync(SettingEntries, row => new DatabaseSetting(row.IsDBNull(0) ? null : row.GetString(0), row.GetString(1), row.GetString(2)), cancellation, (long)database.Oid);
        return new DatabaseSettings(grants, settings, database.ConnectionLimit, database.IsTemplate, database.Owner);
    }

    /// <summary>What gives another database of the same owner the same.</summary>
    public IEnumerable<string> Statements(string database)
    {
        var name = SqlText.Identifier(database);
        yield return $"REVOKE ALL ON DATABASE {name} FROM PUBLIC, {SqlText.Identifier(Owner)}";
        foreach (var grant in Grants)
        {
            yield return $"GRANT {grant.Privilege} ON DATABASE {name} TO {grant.Grantee}{(grant.IsGrantable ? " WITH GRANT OPTION" : "")}";
        }

        foreach (var setting in Settings)
        {
            yield return $"ALTER {(setting.Role is { } role ? $"ROLE {SqlText.Identifier(role)} IN " : "")}DATABASE {name} SET {Setting(setting.Name)} TO {Value(setting.Name, setting.Value)}";
        }

        yield return string.Create(CultureInfo.InvariantCulture, $"ALTER DATABASE {name} CONNECTION LIMIT {ConnectionLimit}");
        if (IsTemplate)
        {
            yield return $"ALTER DATABASE {name} IS_TEMPLATE true";
        }
    }

    /// <summary>Gives them to another database, and reads them back there: all, or none.</summary>
    /// <param name="maintenance">A session of the maintenance database, in no transaction.</param>
    /// <param name="copy">The other database, of the same owner.</param>
    /// <param name="keeps">False tries it and takes it back: whether the role may do all of it is then known.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <param name="before">What it was given before, and is taken away first; null for nothing.</param>
    /// <exception cref="RefusedException">The role may not set one of them, or one of them did not arrive.</exception>
    public async Task ApplyAsync(PostgresSession maintenance, ServerDatabase copy, bool keeps, CancellationToken cancellation, DatabaseSettings? before = null)
    {
        await using var transaction = await maintenance.Connection.BeginTransactionAsync(cancellation);
        foreach (var statement in (before?.Removal(copy.Name) ?? []).Concat(Statements(copy.Name)))
        {
            await ApplyAsync(maintenance, statement, cancellation);
        }

        var arrived = await ReadAsync(maintenance, await ServerDatabase.FindAsync(maintenance, copy.Oid, cancellation) ?? copy, cancellation);
        var differences = Differences(arrived).ToList();
        if (differences.Count > 0)
        {
            throw new RefusedException($"What belongs to the database did not arrive at its copy: {string.Join("; ", differences)}.", "it was set, and read back otherwise", "let the database's owner, or a superuser, run the command");
        }

        if (keeps)
        {
            await transaction.CommitAsync(cancellation);
        }
    }

    /// <summary>Whether another reading of them says something else.</summary>
    public bool IsOtherThan(DatabaseSettings other) => Owner != other.Owner || Differences(other).Any();

    private IEnumerable<string> Removal(string database)
    {
        var name = SqlText.Identifier(database);
        foreach (var grantee in Grants.Select(grant => grant.Grantee).Distinct(StringComparer.Ordinal))
        {
            yield return $"REVOKE ALL ON DATABASE {name} FROM {grantee}";
        }

        foreach (var role in Settings.Select(setting => setting.Role).Distinct(StringComparer.Ordinal))
        {
            yield return $"ALTER {(role is null ? "" : $"ROLE {SqlText.Identifier(role)} IN ")}DATABASE {name} RESET ALL";
        }

        yield return $"ALTER DATABASE {name} IS_TEMPLATE false";
    }

    private static async Task ApplyAsync(PostgresSession maintenance, string statement, CancellationToken cancellation)
    {
        try
        {
            await maintenance.ExecuteAsync(statement, cancellation);
        }
        catch (PostgresException failure)
        {
            throw new RefusedException(
                "The live database has a setting or a grant that this role cannot give to a copy of it.",
                $"{statement}: {failure.MessageText}",
                "let a role that may set it (one with CREATEROLE for other roles' settings, a superuser for the server's) run the command; or take the setting away first",
                failure);
        }
    }

    private IEnumerable<string> Differences(DatabaseSettings arrived)
    {
        IEnumerable<object> wanted = [.. Grants, .. Settings];
        IEnumerable<object> there = [.. arrived.Grants, .. arrived.Settings];
        foreach (var missing in wanted.Except(there))
        {
            yield return $"{missing} is missing";
        }

        foreach (var more in there.Except(wanted))
        {
            yield return $"{more} came instead";
        }

        if (ConnectionLimit != arrived.ConnectionLimit || IsTemplate != arrived.IsTemplate)
        {
            yield return "connection limit or template flag";
        }
    }

    private static string Setting(string name) => string.Join('.', name.Split('.').Select(SqlText.Identifier));

    private static string Value(string name, string value)
    {
        if (!QuotedLists.Contains(name))
        {
            return SqlText.Literal(value);
        }

        var elements = Elements(value);
        return elements.Count == 0 ? "''" : string.Join(", ", elements.Select(SqlText.Literal));
    }

    /// <summary>Takes apart what the server put together from names, quoted where they need it.</summary>
    private static List<string> Elements(string value)
    {
        var elements = new List<string>();
        var element = new StringBuilder();
        var (quoted, any) = (false, false);
        for (var at = 0; at < value.Length; at++)
        {
            if (value[at] == '"' && quoted && at + 1 < value.Length && value[at + 1] == '"')
            {
                element.Append('"');
                at++;
            }
            else if (value[at] == '"')
            {
                (quoted, any) = (!quoted, true);
            }
            else if (value[at] == ',' && !quoted)
            {
                elements.Add(element.ToString());
                element.Clear();
                any = false;
            }
            else if (quoted || value[at] != ' ')
            {
                element.Append(value[at]);
                any = true;
            }
        }

        if (any || elements.Count > 0)
        {
            elements.Add(element.ToString());
        }

        return elements;
    }
}

/// <summary>A grant on a database, whoever made it.</summary>
/// <param name="Grantee">PUBLIC, or a role's name, quoted.</param>
/// <param name="Privilege">CONNECT, CREATE or TEMPORARY.</param>
/// <param name="IsGrantable">Whether the grantee may pass it on.</param>
public sealed record DatabaseGrant(string Grantee, string Privilege, bool IsGrantable)
{
    /// <inheritdoc/>
    public override string ToString() => $"the grant of {Privilege} to {Grantee}{(IsGrantable ? " with grant option" : "")}";
}

/// <summary>A setting of a database, or of a role in it.</summary>
/// <param name="Role">The role; null for everybody.</param>
/// <param name="Name">The setting's name.</param>
/// <param name="Value">Its value as the server keeps it.</param>
public sealed record DatabaseSetting(string? Role, string Name, string Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} = {Value}{(Role is null ? "" : $" for role {Role}")}";
}
