using System.Data.Common;
using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Rollbacks;

/// <summary>A row of <c>pg_database</c>, as a session of another database sees it: also of one that lets nobody in.</summary>
public sealed record ServerDatabase
{
    private const string Columns =
        """
        SELECT d.oid, d.datname::text, pg_get_userbyid(d.datdba)::text, d.datallowconn, d.datconnlimit, d.datistemplate, pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datctype::text,
               to_jsonb(d) ->> 'datlocprovider', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), to_jsonb(d) ->> 'daticurules',
               CASE WHEN d.dattablespace <> plain.dattablespace THEN (SELECT t.spcname::text FROM pg_tablespace t WHERE t.oid = d.dattablespace) END,
               shobj_description(d.oid, 'pg_database')
        FROM pg_database d, (SELECT dattablespace FROM pg_database WHERE datname = 'template0') plain
        """;

    /// <summary>Its OID.</summary>
    public required uint Oid { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its owner.</summary>
    public required string Owner { get; init; }

    /// <summary>Whether it lets anybody in.</summary>
    public required bool AllowsConnections { get; init; }

    /// <summary>Its connection limit; -1 for none.</summary>
    public required int ConnectionLimit { get; init; }

    /// <summary>Whether it is a template.</summary>
    public required bool IsTemplate { get; init; }

    /// <summary>What a copy has to be created with: encoding, locale, tablespace, as <c>CREATE DATABASE</c> takes them.</summary>
    public required string CreateOptions { get; init; }

    /// <summary>What people wrote about it; null for nothing.</summary>
    public required string? Comment { get; init; }

    /// <summary>What a restore wrote about it; null for nothing.</summary>
    public required DatabaseMark? Mark { get; init; }

    /// <summary>The database of that name; null where there is none.</summary>
    public static async Task<ServerDatabase?> FindAsync(PostgresSession session, string name, CancellationToken cancellation) =>
        (await session.QueryAsync($"{Columns} WHERE d.datname = $1", Read, cancellation, name)).SingleOrDefault();

    /// <summary>The database of that OID; null where there is none.</summary>
    public static async Task<ServerDatabase?> FindAsync(PostgresSession session, uint oid, CancellationToken cancellation) =>
        (await session.QueryAsync($"{Columns} WHERE d.oid::bigint = $1", Read, cancellation, (long)oid)).SingleOrDefault();

    /// <summary>Every database of the server.</summary>
    public static Task<IReadOnlyList<ServerDatabase>> ListAsync(PostgresSession session, CancellationToken cancellation) =>
        session.QueryAsync($"{Columns} ORDER BY d.datname", Read, cancellation);

    private static ServerDatabase Read(DbDataReader row)
    {
        var (comment, mark) = DatabaseMark.Parse(Text(row, 13));
        return new ServerDatabase
        {
            Oid = row.GetFieldValue<uint>(0),
            Name = row.GetString(1),
            Owner = row.GetString(2),
            AllowsConnections = row.GetBoolean(3),
            ConnectionLimit = row.GetInt32(4),
            IsTemplate = row.GetBoolean(5),
            CreateOptions = Options(row),
            Comment = comment,
            Mark = mark,
        };
    }

    /// <summary>Providers came with PostgreSQL 15, rules with 16, the built-in provider with 17. The default tablespace is not named: naming it wants a grant on it.</summary>
    private static string Options(DbDataReader row)
    {
        var options = string.Create(CultureInfo.InvariantCulture, $"ENCODING {SqlText.Literal(row.GetString(6))} LC_COLLATE {SqlText.Literal(row.GetString(7))} LC_CTYPE {SqlText.Literal(row.GetString(8))}");
        options += Text(row, 9) switch
        {
            null => "",
            "i" => $" LOCALE_PROVIDER icu ICU_LOCALE {SqlText.Literal(Text(row, 10) ?? "")}{(Text(row, 11) is { } rules ? $" ICU_RULES {SqlText.Literal(rules)}" : "")}",
            "b" => $" LOCALE_PROVIDER builtin BUILTIN_LOCALE {SqlText.Literal(Text(row, 10) ?? "")}",
            _ => " LOCALE_PROVIDER libc",
        };
        return Text(row, 12) is { } tablespace ? $"{options} TABLESPACE {SqlText.Identifier(tablespace)}" : options;
    }

    private static string? Text(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
